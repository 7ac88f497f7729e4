"""Datasets, and lists of them."""

from datetime import datetime

import graphene

from archive.accounts.models import Grant, ReviewerLink
from archive.accounts.models import User as Person
from archive.accounts.policy import Action, may
from archive.accounts.queries import reviewer_links_of
from archive.catalogue.queries import Membership
from archive.datasets.models import Dataset as Row
from archive.datasets.models import Version
from archive.snapshots.queries import LoggedCommit, newest_commits
from dandiapi.graphql.context import HISTORY, SNAPSHOT, Context, Info, context_of
from dandiapi.graphql.ids import dataset_id
from dandiapi.graphql.scalars import DateTime
from dandiapi.graphql.types.events import Comment, DatasetEvent
from dandiapi.graphql.types.people import User
from dandiapi.graphql.types.versions import Analytic, Draft, Snapshot

# The commits that a history has, from the newest on.
MAX_HISTORY = 1000
# The statements of owners that are moments; they are kept as text.
MOMENTS = ("first_snapshot_created_at", "latest_snapshot_created_at")
# What roles are called here.
LEVELS = {Grant.Role.OWNER: "admin", Grant.Role.EDITOR: "rw", Grant.Role.VIEWER: "ro"}


class PageInfo(graphene.ObjectType):
    """The place of a page in a list."""

    count = graphene.Int()
    end_cursor = graphene.String()
    has_next_page = graphene.Boolean(required=True)
    has_previous_page = graphene.Boolean(required=True)
    start_cursor = graphene.String()


class DatasetEdge(graphene.ObjectType):
    """A dataset in a list."""

    cursor = graphene.String(required=True)
    id = graphene.String(required=True)
    node = graphene.Field(lambda: Dataset, required=True)


class DatasetConnection(graphene.ObjectType):
    """A page of a list of datasets."""

    edges = graphene.List(DatasetEdge)
    page_info = graphene.Field(PageInfo, required=True)


class Permission(graphene.ObjectType):
    """The level of somebody in a dataset: `ro`, `rw` or `admin`."""

    dataset_id = graphene.ID(required=True)
    level = graphene.String(required=True)
    user = graphene.Field(User)
    user_id = graphene.String(required=True)

    @staticmethod
    def resolve_dataset_id(member: Membership, info: Info) -> str:
        return dataset_id(member.dataset.number)

    @staticmethod
    def resolve_level(member: Membership, info: Info) -> str:
        return LEVELS[member.role]

    @staticmethod
    def resolve_user_id(member: Membership, info: Info) -> str:
        return str(member.user.uuid)


class DatasetPermissions(graphene.ObjectType):
    """The levels of people in a dataset."""

    id = graphene.ID(required=True)
    user_permissions = graphene.List(Permission)


class DatasetReviewer(graphene.ObjectType):
    """A link by which a reviewer reads a dataset."""

    dataset_id = graphene.ID(required=True)
    expiration = DateTime()
    id = graphene.ID(required=True)
    url = graphene.String(required=True)

    @classmethod
    def of(cls, link: ReviewerLink, url: str = "") -> "DatasetReviewer":
        """Return what is told of a link; its address once, when it is made."""
        return cls(id=str(link.pk), dataset_id=dataset_id(link.dataset_id), expiration=link.expires, url=url)


class DatasetCommit(graphene.ObjectType):
    """A commit of the repository of a dataset."""

    author_email = graphene.String()
    author_name = graphene.String()
    date = DateTime()
    id = graphene.ID(required=True)
    message = graphene.String()
    references = graphene.String()

    @staticmethod
    def resolve_id(commit: LoggedCommit, info: Info) -> str:
        return commit.sha

    @staticmethod
    def resolve_author_email(commit: LoggedCommit, info: Info) -> str | None:
        return commit.author_email or None

    @staticmethod
    def resolve_date(commit: LoggedCommit, info: Info) -> datetime:
        return commit.recorded

    @staticmethod
    def resolve_references(commit: LoggedCommit, info: Info) -> str:
        return ", ".join(commit.tags)


class DatasetDerivatives(graphene.ObjectType):
    """A dataset derived from another by a pipeline."""

    datalad_url = graphene.String()
    local = graphene.Boolean()
    name = graphene.String()
    s3_url = graphene.String()


class Metadata(graphene.ObjectType):
    """The statements of owners about a dataset, beside its files."""

    admin_users = graphene.List(graphene.String)
    affirmed_consent = graphene.Boolean()
    affirmed_defaced = graphene.Boolean()
    ages = graphene.List(graphene.Float)
    associated_paper_doi = graphene.String(name="associatedPaperDOI")
    data_processed = graphene.Boolean()
    dataset_id = graphene.ID(required=True)
    dataset_name = graphene.String()
    dataset_url = graphene.String()
    dx_status = graphene.String()
    first_snapshot_created_at = DateTime()
    grant_funder_name = graphene.String()
    grant_identifier = graphene.String()
    latest_snapshot_created_at = DateTime()
    modalities = graphene.List(graphene.String)
    openneuro_paper_doi = graphene.String(name="openneuroPaperDOI")
    senior_author = graphene.String()
    species = graphene.String()
    study_design = graphene.String()
    study_domain = graphene.String()
    study_longitudinal = graphene.String()
    tasks_completed = graphene.List(graphene.String)
    trial_count = graphene.Int()

    @classmethod
    def of(cls, dataset: Row, context: Context) -> "Metadata":
        """Return what owners state about a dataset, as far as there are fields for it."""
        stated = context.load.statements.get(dataset) or {}
        known = {name: value for name, value in stated.items() if name in cls._meta.fields}
        moments = {name: datetime.fromisoformat(known[name]) for name in MOMENTS if name in known}
        return cls(**{**known, **moments, "dataset_id": dataset_id(dataset.number)})


class Star(graphene.ObjectType):
    """Somebody's star on a dataset."""

    dataset_id = graphene.String()
    user_id = graphene.String()


class StarDatasetResponse(graphene.ObjectType):
    """The answer to a star: whether the asker has starred the dataset now."""

    new_star = graphene.Field(Star)
    starred = graphene.Boolean()


class Follower(graphene.ObjectType):
    """A person who is told what happens to a dataset."""

    dataset_id = graphene.String()
    user_id = graphene.String()


class FollowDatasetResponse(graphene.ObjectType):
    """The answer to a wish to follow: whether the asker follows the dataset now."""

    following = graphene.Boolean(default_value=False)
    new_follower = graphene.Field(Follower)


class Dataset(graphene.ObjectType):
    """A dataset."""

    analytics = graphene.Field(Analytic)
    brain_initiative = graphene.Boolean(default_value=False)
    comments = graphene.List(Comment, default_value=())
    created = DateTime(required=True)
    derivatives = graphene.List(DatasetDerivatives, default_value=())
    draft = graphene.Field(Draft)
    events = graphene.List(DatasetEvent, default_value=())
    followers = graphene.List(Follower, default_value=())
    following = graphene.Boolean(default_value=False)
    history = graphene.List(DatasetCommit)
    hold_deletion = graphene.Boolean(default_value=False)
    id = graphene.ID(required=True)
    latest_snapshot = graphene.Field(Snapshot, required=True)
    metadata = graphene.Field(Metadata)
    name = graphene.String()
    on_brainlife = graphene.Boolean(default_value=False)
    permissions = graphene.Field(DatasetPermissions)
    public = graphene.Boolean()
    publish_date = DateTime()
    reviewers = graphene.List(DatasetReviewer)
    snapshots = graphene.List(Snapshot)
    starred = graphene.Boolean()
    stars = graphene.List(Star)
    uploader = graphene.Field(User)
    # What follows the last dash is the number of the endpoint, of which there is one.
    worker = graphene.String(default_value="archive-0")

    @staticmethod
    def resolve_id(dataset: Row, info: Info) -> str:
        return dataset_id(dataset.number)

    @staticmethod
    def resolve_draft(dataset: Row, info: Info) -> Version | None:
        return context_of(info).load.drafts.get(dataset)

    @staticmethod
    def resolve_snapshots(dataset: Row, info: Info) -> list[Version]:
        load = context_of(info).load
        snapshots = load.versions.get(dataset) or []
        context_of(info).tell(SNAPSHOT * len(snapshots))
        load.expect_versions(snapshots)
        return snapshots

    @staticmethod
    def resolve_latest_snapshot(dataset: Row, info: Info) -> Version | None:
        load = context_of(info).load
        snapshots = load.versions.get(dataset)
        latest = snapshots[-1] if snapshots else load.drafts.get(dataset)
        context_of(info).tell(SNAPSHOT)
        if latest:
            load.expect_versions([latest])
        return latest

    @staticmethod
    def resolve_name(dataset: Row, info: Info) -> str:
        load = context_of(info).load
        snapshots = load.versions.get(dataset)
        latest = snapshots[-1] if snapshots else load.drafts.get(dataset)
        described = load.of_version(load.descriptions, latest) if latest else None
        if described and described.is_found:
            return described.name
        draft = load.drafts.get(dataset)
        return draft.name if draft else dataset_id(dataset.number)

    @staticmethod
    def resolve_public(dataset: Row, info: Info) -> bool:
        return dataset.is_released

    @staticmethod
    def resolve_publish_date(dataset: Row, info: Info) -> datetime | None:
        return context_of(info).load.openings.get(dataset)

    @staticmethod
    def resolve_uploader(dataset: Row, info: Info) -> Person | None:
        owners = [each for each in context_of(info).load.members.get(dataset) or [] if each.role == Grant.Role.OWNER]
        return owners[0].user if owners else None

    @staticmethod
    def resolve_permissions(dataset: Row, info: Info) -> DatasetPermissions:
        members = context_of(info).load.members.get(dataset) or []
        context_of(info).tell(len(members))
        return DatasetPermissions(id=dataset_id(dataset.number), user_permissions=members)

    @staticmethod
    def resolve_history(dataset: Row, info: Info) -> list[LoggedCommit]:
        context_of(info).tell(HISTORY)
        commits = newest_commits(context_of(info).actor, dataset, limit=MAX_HISTORY)
        context_of(info).tell(len(commits))
        return commits

    @staticmethod
    def resolve_reviewers(dataset: Row, info: Info) -> list[DatasetReviewer]:
        actor = context_of(info).actor
        # Clients ask for them whoever asks: who may not list them is told of none.
        if not may(actor, Action.LIST_REVIEWER_LINKS, dataset):
            return []
        context_of(info).tell(HISTORY)
        return [DatasetReviewer.of(link) for link in reviewer_links_of(actor, dataset)]

    @staticmethod
    def resolve_starred(dataset: Row, info: Info) -> bool:
        return context_of(info).load.starred.get(dataset) or False

    @staticmethod
    def resolve_stars(dataset: Row, info: Info) -> list[Star]:
        context_of(info).tell(dataset.star_count)
        return [Star(dataset_id=dataset_id(dataset.number)) for _ in range(dataset.star_count)]

    @staticmethod
    def resolve_analytics(dataset: Row, info: Info) -> Analytic:
        return Analytic(dataset_id=dataset_id(dataset.number), views=0, downloads=0)

    @staticmethod
    def resolve_metadata(dataset: Row, info: Info) -> Metadata:
        return Metadata.of(dataset, context_of(info))


class UpdateContributorsPayload(graphene.ObjectType):
    """The dataset whose contributors were changed."""

    dataset = graphene.Field(Dataset)
    success = graphene.Boolean(required=True)
