"""Drafts, snapshots, and what is said of either."""

from datetime import datetime

import graphene

from archive.datasets.models import Dataset, Version
from dandiapi.graphql.context import Info, context_of
from dandiapi.graphql.enums import RelatedObjectKind, RelatedObjectRelation
from dandiapi.graphql.ids import dataset_id, snapshot_id
from dandiapi.graphql.listing import ListedFile, listing_of
from dandiapi.graphql.scalars import JSON, BigInt, Date, DateTime
from dandiapi.graphql.types.files import DatasetFile
from dandiapi.graphql.types.validation import (
    DatasetValidation,
    FileCheck,
    Summary,
    ValidationIssue,
    ValidationIssueStatus,
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


class DeprecatedSnapshot(graphene.ObjectType):
    """The reason why a snapshot is not to be used any more."""

    id = graphene.ID(required=True)
    reason = graphene.String()
    timestamp = Date()
    user = graphene.String()


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


class Draft(graphene.ObjectType):
    """The state of a dataset that changes."""

    contributors = graphene.List(Contributor)
    dataset = graphene.Field("dandiapi.graphql.types.datasets.Dataset")
    description = graphene.Field(Description)
    file_check = graphene.Field(FileCheck)
    files = graphene.Field(
        graphene.List(DatasetFile),
        recursive=graphene.Boolean(),
        tree=graphene.String(),
        prefix=graphene.String(deprecation_reason="Use tree."),
    )
    head = graphene.String()
    id = graphene.ID()
    issues = graphene.List(ValidationIssue, default_value=())
    issues_status = graphene.Field(ValidationIssueStatus)
    modified = DateTime()
    readme = graphene.String()
    size = BigInt()
    summary = graphene.Field(Summary)
    uploads = graphene.List(UploadMetadata)
    validation = graphene.Field(DatasetValidation)

    @staticmethod
    def resolve_id(draft: Version, info: Info) -> str:
        return dataset_id(draft.dataset_id)

    @staticmethod
    def resolve_files(
        version: Version,
        info: Info,
        *,
        recursive: bool | None = None,
        tree: str | None = None,
        prefix: str | None = None,
    ) -> list[ListedFile]:
        # Old documents ask for all files by an empty prefix, or by none.
        is_whole = bool(recursive) or (prefix is not None and not prefix)
        return listing_of(context_of(info), version, tree=tree, recursive=is_whole)

    @staticmethod
    def resolve_head(draft: Version, info: Info) -> str:
        return head_of(draft.dataset, info)

    @staticmethod
    def resolve_uploads(draft: Version, info: Info) -> list[UploadMetadata]:
        return [UploadMetadata.of(session) for session in context_of(info).load.uploads.get(draft.dataset) or []]


class Snapshot(graphene.ObjectType):
    """A version of a dataset, which does not change."""

    analytics = graphene.Field(Analytic)
    contributors = graphene.List(Contributor)
    created = DateTime()
    dataset = graphene.Field("dandiapi.graphql.types.datasets.Dataset", required=True)
    deprecated = graphene.Field(DeprecatedSnapshot)
    description = graphene.Field(Description)
    files = graphene.Field(
        graphene.List(DatasetFile),
        recursive=graphene.Boolean(),
        tree=graphene.String(),
        prefix=graphene.String(deprecation_reason="Use tree."),
    )
    hexsha = graphene.String()
    id = graphene.ID(required=True)
    issues = graphene.List(ValidationIssue, default_value=())
    issues_status = graphene.Field(ValidationIssueStatus)
    on_brainlife = graphene.Boolean(default_value=False)
    readme = graphene.String()
    related = graphene.List(RelatedObject, default_value=())
    size = BigInt()
    summary = graphene.Field(Summary)
    tag = graphene.String(required=True)
    validation = graphene.Field(DatasetValidation)

    @staticmethod
    def resolve_id(version: Version, info: Info) -> str:
        return snapshot_id(version, tag_of(version, info))

    @staticmethod
    def resolve_files(
        version: Version,
        info: Info,
        *,
        recursive: bool | None = None,
        tree: str | None = None,
        prefix: str | None = None,
    ) -> list[ListedFile]:
        # Old documents ask for all files by an empty prefix, or by none.
        is_whole = bool(recursive) or (prefix is not None and not prefix)
        return listing_of(context_of(info), version, tree=tree, recursive=is_whole)

    @staticmethod
    def resolve_tag(version: Version, info: Info) -> str:
        return tag_of(version, info)

    @staticmethod
    def resolve_hexsha(version: Version, info: Info) -> str | None:
        if version.is_draft:
            return head_of(version.dataset, info)
        return context_of(info).load.hashes.get(version)

    @staticmethod
    def resolve_created(version: Version, info: Info) -> datetime:
        return version.modified if version.is_draft else version.created

    @staticmethod
    def resolve_analytics(version: Version, info: Info) -> Analytic:
        return Analytic(dataset_id=dataset_id(version.dataset_id), tag=tag_of(version, info), views=0, downloads=0)


# A commit that there is none of: a repository that has not been written yet is at none.
NO_COMMIT = "0" * 40


def head_of(dataset: Dataset, info: Info) -> str:
    """Return the commit that the repository of a dataset is at."""
    return context_of(info).load.heads.get(dataset) or NO_COMMIT


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
