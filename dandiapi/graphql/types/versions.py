"""Drafts, snapshots, and what is said of either."""

from datetime import datetime

import graphene

from archive.bids import documents
from archive.bids.models import Deprecation
from archive.datasets.models import Dataset, Version
from dandiapi.graphql.context import CHARACTERS, Context, Info, context_of
from dandiapi.graphql.enums import RelatedObjectKind, RelatedObjectRelation
from dandiapi.graphql.ids import NO_COMMIT, dataset_id, snapshot_id
from dandiapi.graphql.listing import ListedFile, listing_of
from dandiapi.graphql.scalars import JSON, BigInt, Date, DateTime
from dandiapi.graphql.types.checks import file_check_of
from dandiapi.graphql.types.files import DatasetFile
from dandiapi.graphql.types.validation import (
    FileCheck,
    Summary,
    ValidationIssue,
    ValidationIssueStatus,
)
from dandiapi.graphql.types.verdicts import (
    DatasetValidation,
    Validated,
    issues_of,
    status_of,
    summary_of,
    validation_of,
)
from dandiapi.graphql.types.work import UploadMetadata


class Contributor(graphene.ObjectType):
    """A person who has contributed to a dataset, as its `datacite.yml` or its authors say."""

    contributor_type = graphene.String(required=True)
    family_name = graphene.String()
    given_name = graphene.String()
    name = graphene.String(required=True)
    orcid = graphene.String()
    order = graphene.Int()


# The fields of descriptions that have the same names in the domain.
DESCRIBED = (
    *(
        "acknowledgements",
        "authors",
        "dataset_doi",
        "dataset_type",
        "ethics_approvals",
        "funding",
        "how_to_acknowledge",
    ),
    *("license", "name", "references_and_links"),
)


class Description(graphene.ObjectType):
    """The content of `dataset_description.json` at a revision."""

    acknowledgements = graphene.String(name="Acknowledgements")
    authors = graphene.List(graphene.String, name="Authors")
    bidsversion = graphene.String(required=True, name="BIDSVersion")
    dataset_doi = graphene.String(name="DatasetDOI")
    dataset_type = graphene.String(name="DatasetType")
    ethics_approvals = graphene.List(graphene.String, name="EthicsApprovals")
    funding = graphene.List(graphene.String, name="Funding")
    how_to_acknowledge = graphene.String(name="HowToAcknowledge")
    license = graphene.String(name="License")
    name = graphene.String(required=True, name="Name")
    references_and_links = graphene.List(graphene.String, name="ReferencesAndLinks")
    senior_author = graphene.String(name="SeniorAuthor")
    id = graphene.ID(required=True)

    @classmethod
    def of(cls, version: Version, context: Context) -> "Description":
        """Return the description of a version, whose id is its commit, or of one that has none its tag."""
        load = context.load
        read = load.of_version(load.descriptions, version) or documents.Description(name=dataset_id(version.dataset_id))
        commit = load.heads.get(version.dataset) if version.is_draft else load.hashes.get(version)
        return cls(
            id=commit or snapshot_id(version, version.tag),
            bidsversion=read.bids_version,
            senior_author=read.senior_author,
            **{name: getattr(read, name) for name in DESCRIBED},
        )


class DeprecatedSnapshot(graphene.ObjectType):
    """The reason why a snapshot is not to be used any more."""

    id = graphene.ID(required=True)
    reason = graphene.String()
    timestamp = Date()
    user = graphene.String()

    @classmethod
    def of(cls, version: Version, found: Deprecation) -> "DeprecatedSnapshot":
        """Return what is told of the deprecation of a version."""
        by = found.user.display_name if found.user else None
        day = found.modified.date()
        return cls(id=snapshot_id(version, version.tag), reason=found.reason, timestamp=day, user=by)


class RelatedObject(graphene.ObjectType):
    """A dataset or article that is related to a dataset."""

    description = graphene.String()
    id = graphene.ID(required=True)
    kind = graphene.Field(RelatedObjectKind, required=True)
    relation = graphene.Field(RelatedObjectRelation, required=True)


class Analytic(graphene.ObjectType):
    """The numbers of views and downloads of a dataset."""

    dataset_id = graphene.ID(required=True)
    downloads = graphene.Int()
    tag = graphene.String()
    views = graphene.Int()


class _Version(graphene.ObjectType):
    """The fields that drafts and snapshots have in common: what a version holds, and what is said of it."""

    class Meta:
        abstract = True

    contributors = graphene.List(Contributor)
    description = graphene.Field(Description)
    files = graphene.Field(
        graphene.List(DatasetFile),
        recursive=graphene.Boolean(),
        tree=graphene.String(),
        prefix=graphene.String(deprecation_reason="Use tree."),
    )
    download_files = graphene.List(DatasetFile, deprecation_reason="Use files.")
    issues = graphene.List(ValidationIssue)
    issues_status = graphene.Field(ValidationIssueStatus)
    readme = graphene.String()
    size = BigInt()
    summary = graphene.Field(Summary)
    validation = graphene.Field(DatasetValidation)

    @staticmethod
    def resolve_contributors(version: Version, info: Info) -> list[documents.Contributor]:
        load = context_of(info).load
        found = load.of_version(load.contributors, version) or []
        context_of(info).tell(len(found))
        return found

    @staticmethod
    def resolve_description(version: Version, info: Info) -> Description:
        return Description.of(version, context_of(info))

    @staticmethod
    def resolve_files(
        version: Version,
        info: Info,
        *,
        recursive: bool | None = None,
        tree: str | None = None,
        **old: str | None,
    ) -> list[ListedFile]:
        return listing_of(context_of(info), version, tree=tree, recursive=bool(recursive) or _means_all(old))

    @staticmethod
    def resolve_download_files(version: Version, info: Info) -> list[ListedFile]:
        return listing_of(context_of(info), version, tree=None, recursive=True)

    @staticmethod
    def resolve_issues(version: Version, info: Info) -> list[ValidationIssue]:
        return issues_of(context_of(info), version)

    @staticmethod
    def resolve_issues_status(version: Version, info: Info) -> ValidationIssueStatus | None:
        return status_of(context_of(info), version)

    @staticmethod
    def resolve_readme(version: Version, info: Info) -> str | None:
        load = context_of(info).load
        text = load.of_version(load.readmes, version)
        context_of(info).tell(len(text or "") // CHARACTERS)
        return text

    @staticmethod
    def resolve_summary(version: Version, info: Info) -> Summary | None:
        return summary_of(context_of(info), version, revision_of(version, info))

    @staticmethod
    def resolve_validation(version: Version, info: Info) -> Validated | None:
        return validation_of(context_of(info), version, revision_of(version, info))


class Draft(_Version):
    """The state of a dataset that changes."""

    dataset = graphene.Field("dandiapi.graphql.types.datasets.Dataset")
    file_check = graphene.Field(FileCheck)
    head = graphene.String()
    id = graphene.ID()
    modified = DateTime()
    uploads = graphene.List(UploadMetadata)

    @staticmethod
    def resolve_id(draft: Version, info: Info) -> str:
        return dataset_id(draft.dataset_id)

    @staticmethod
    def resolve_file_check(draft: Version, info: Info) -> FileCheck | None:
        return file_check_of(context_of(info), draft, head_of(draft.dataset, info))

    @staticmethod
    def resolve_head(draft: Version, info: Info) -> str:
        return head_of(draft.dataset, info)

    @staticmethod
    def resolve_uploads(draft: Version, info: Info) -> list[UploadMetadata]:
        return [UploadMetadata.of(session) for session in context_of(info).load.uploads.get(draft.dataset) or []]


class Snapshot(_Version):
    """A version of a dataset, which does not change."""

    analytics = graphene.Field(Analytic)
    created = DateTime()
    dataset = graphene.Field("dandiapi.graphql.types.datasets.Dataset", required=True)
    deprecated = graphene.Field(DeprecatedSnapshot)
    hexsha = graphene.String()
    id = graphene.ID(required=True)
    on_brainlife = graphene.Boolean(default_value=False)
    related = graphene.List(RelatedObject, default_value=())
    tag = graphene.String(required=True)

    @staticmethod
    def resolve_analytics(version: Version, info: Info) -> Analytic:
        return Analytic(dataset_id=dataset_id(version.dataset_id), tag=tag_of(version, info), views=0, downloads=0)

    @staticmethod
    def resolve_created(version: Version, info: Info) -> datetime:
        return version.modified if version.is_draft else version.created

    @staticmethod
    def resolve_deprecated(version: Version, info: Info) -> DeprecatedSnapshot | None:
        load = context_of(info).load
        found = load.of_version(load.deprecations, version)
        return DeprecatedSnapshot.of(version, found) if found else None

    @staticmethod
    def resolve_hexsha(version: Version, info: Info) -> str | None:
        if version.is_draft:
            return head_of(version.dataset, info)
        return context_of(info).load.hashes.get(version)

    @staticmethod
    def resolve_id(version: Version, info: Info) -> str:
        return snapshot_id(version, tag_of(version, info))

    @staticmethod
    def resolve_tag(version: Version, info: Info) -> str:
        return tag_of(version, info)


def _means_all(old: dict[str, str | None]) -> bool:
    """Return whether arguments of years ago ask for all files: by a prefix that is null, where none is the root."""
    return "prefix" in old and old["prefix"] is None


def head_of(dataset: Dataset, info: Info) -> str:
    """Return the commit that the repository of a dataset is at."""
    return context_of(info).load.heads.get(dataset) or NO_COMMIT


def revision_of(version: Version, info: Info) -> str:
    """Return the commit that shows a version, by which what a validator says of it is known."""
    return Snapshot.resolve_hexsha(version, info) or NO_COMMIT


def tag_of(version: Version, info: Info) -> str:
    """Return the tag of a version; of a draft, which has none, its commit, by which clients tell it."""
    return head_of(version.dataset, info) if version.is_draft else version.tag


class SnapshotDoiSyncResult(graphene.ObjectType):
    """The outcome of bringing the DOI of a snapshot up to date."""

    action = graphene.String(required=True)
    datacite = JSON()
    deprecated = graphene.Boolean(required=True)
    doi = graphene.String()
    error = graphene.String()
    tag = graphene.String(required=True)


class SyncDatasetDoisPayload(graphene.ObjectType):
    """The outcome of bringing the DOIs of a dataset up to date."""

    snapshots = graphene.List(graphene.NonNull(SnapshotDoiSyncResult), required=True)
