"""Finding repositories that the asker may know of: their branches and tags, and the content of their files."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import Exists, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce

from archive.accounts.policy import Action, Actor, may, require
from archive.assets.models import Asset
from archive.blobs.models import Blob
from archive.blobs.queries import find_annex_content
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import unclosed_versions
from archive.errors import ForbiddenError, NotFoundError
from archive.git_annex.keys import AnnexKey
from archive.git_annex.refs import ANNEX, MAIN, TAGS, tag_of
from archive.git_annex.serverless import CLONE_FILE
from archive.snapshots.models import Commit, Repository
from archive.storage.queries import public_url
from archive.timeline.models import Change, Projection
from archive.timeline.queries import position
from archive.zarr.models import ZarrEntry, entry_key

PROJECTION = "snapshot"
EXPORTS = "clones/"
CHECKED_AT_ONCE = 20
COMMITS_NAME_PEOPLE = "Commits name people, so reviewer links do not open repositories; use `dandi download`."
# The changes that may change a tree; a release is none of them, because it begins a new history.
RELEVANT = (
    Change.Kind.ADD_ASSET,
    Change.Kind.UPDATE_ASSET,
    Change.Kind.REMOVE_ASSET,
    Change.Kind.CHANGE_ASSETS,
    Change.Kind.INGEST_ZARR,
)
# The changes that a push must not miss: those of a tree, and a release, which begins a new history.
NOT_TO_MISS = (*RELEVANT, Change.Kind.RELEASE)
# A number greater than those of all changes.
NEVER = Value(2**63 - 1)


class Content(NamedTuple):
    """The content of an annexed file: the key of its object, and its size."""

    object_key: str
    size: int
    # None for an entry of a Zarr archive.
    blob: Blob | None = None


def find_annexed(actor: Actor, annex_uuid: uuid.UUID) -> Dataset:
    """Return the dataset whose repository clones know by that UUID; NotFoundError if the actor may not read it."""
    repository = Repository.objects.select_related("dataset").filter(annex_uuid=annex_uuid).first()
    if repository is None:
        raise NotFoundError
    require(actor, Action.READ, repository.dataset, hidden=True)
    return repository.dataset


def references(repository: Repository) -> dict[str, str]:
    """Return the commits of the repository's branches and tags by the full names of these, which are in byte order."""
    branches = {ANNEX: repository.annex, MAIN: repository.main}
    there = {name: sha for name, sha in branches.items() if sha}
    shown = unclosed_versions().filter(dataset=repository.dataset_id, at__isnull=False, at__lte=repository.at)
    tagged = {version.pk: version.tag for version in shown.only("version", "label")}
    commits = commits_of_versions(repository, tagged)
    tags = {tag_of(tag): commits[pk] for pk, tag in tagged.items() if pk in commits}
    return dict(sorted({**there, **tags}.items()))


def free_branches(repository: Repository) -> frozenset[str]:
    """Return the branches that may be pushed whatever they are at, because nothing has ever been in the dataset."""
    first = repository.commits.order_by("pk").first()
    since = first.at if first else repository.at
    changes = Change.objects.filter(dataset_id=repository.pk, number__gte=since, kind__in=NOT_TO_MISS)
    if changes.exists():
        return frozenset()
    return frozenset({MAIN} if repository.annex_pushes.exists() else {MAIN, ANNEX})


def require_commit_access(actor: Actor, dataset: Dataset) -> None:
    """Raise ForbiddenError unless the actor, who may read the dataset, may know whose it is, as its commits tell."""
    # Forbidden rather than "sign in first": a reviewer who signs in sees no more.
    if not may(actor, Action.KNOW_PEOPLE, dataset):
        raise ForbiddenError(COMMITS_NAME_PEOPLE)


def commits_of_versions(repository: Repository, versions: Iterable[int]) -> dict[int, str]:
    """Return the commit that shows each of the versions, by their primary keys, but for those that none shows yet."""
    shows = Commit.objects.filter(repository=repository, at__lte=OuterRef("at")).order_by("-at", "-pk")
    rows = Version.objects.filter(pk__in=list(versions), at__lte=repository.at)
    found = rows.annotate(commit=Subquery(shows.values("sha")[:1])).values_list("pk", "commit")
    return {pk: sha for pk, sha in found if sha}


@dataclass(frozen=True)
class CloneState:
    """The state of a dataset's repository: the draft's commit, and why it is not further.

    `serverless_url` is where it is cloned from without this server; None as long as it is not laid out for everybody.
    """

    repository: Repository | None
    commit: str
    is_current: bool
    state: str
    reason: str
    serverless_url: str | None


def clone_state(actor: Actor, dataset: Dataset) -> CloneState:
    """Return how far the repository of a dataset has followed it; fails as `require_commit_access` does."""
    require_commit_access(actor, dataset)
    repository = Repository.objects.filter(dataset=dataset).first()
    row = Projection.objects.filter(dataset_id=dataset.number, name=PROJECTION).first()
    target = position(dataset.number)
    if repository is None or repository.released != dataset.released:
        reason = "It is being written."
        return CloneState(repository, "", is_current=False, state="following", reason=reason, serverless_url=None)
    return CloneState(
        repository,
        repository.main,
        is_current=repository.at >= target,
        state=row.state if row else Projection.State.FOLLOWING,
        reason=" ".join(filter(None, [row.reason if row else "", unfit_reason(repository), repository.fault])),
        serverless_url=serverless_clone_url(dataset),
    )


@dataclass(frozen=True)
class VersionCommit:
    """A published version, and the commit that shows it: None until the repository has followed."""

    version: str
    commit: str | None


def page_of_version_commits(actor: Actor, dataset: Dataset, *, offset: int, limit: int) -> list[VersionCommit]:
    """Return published versions with their commits, the oldest first; fails as `require_commit_access` does."""
    require_commit_access(actor, dataset)
    versions = _published(dataset).order_by("created", "pk")
    names = dict(versions.values_list("pk", "version")[offset : offset + limit])
    repository = Repository.objects.filter(dataset=dataset).first()
    commits = commits_of_versions(repository, names) if repository else {}
    return [VersionCommit(name, commits.get(pk)) for pk, name in names.items()]


@dataclass(frozen=True)
class LoggedCommit:
    """A commit of `main`, as a log tells it: `author_email` is "" for who may not know it."""

    sha: str
    author_name: str
    author_email: str
    recorded: datetime
    message: str
    tags: list[str]


def newest_commits(actor: Actor, dataset: Dataset, *, limit: int) -> list[LoggedCommit]:
    """Return the last commits of a dataset's repository, the newest first; fails as `require_commit_access` does."""
    require_commit_access(actor, dataset)
    repository = Repository.objects.filter(dataset=dataset).first()
    if repository is None:
        return []
    tags = defaultdict(list)
    for name, sha in references(repository).items():
        if name.startswith(TAGS):
            tags[sha].append(name.removeprefix(TAGS))
    commits = repository.commits.filter(at__lte=repository.at).order_by("-at", "-pk")[:limit]
    return [_logged(actor, commit, tags[commit.sha]) for commit in commits]


def _logged(actor: Actor, commit: Commit, tags: list[str]) -> LoggedCommit:
    email = commit.author_email if actor.is_authenticated else ""
    return LoggedCommit(commit.sha, commit.author_name, email, commit.recorded, commit.message, tags)


def find_commit(actor: Actor, dataset: Dataset, sha: str) -> LoggedCommit:
    """Return a commit of `main`, without its tags; NotFoundError if there is none, fails as `require_commit_access`."""
    require_commit_access(actor, dataset)
    commit = Commit.objects.filter(repository=dataset.pk, sha=sha.lower()).first()
    if commit is None:
        raise NotFoundError("There is no such commit in the repository: push it first.", field="commit")
    return _logged(actor, commit, [])


def count_version_commits(actor: Actor, dataset: Dataset) -> int:
    """Return how many versions `page_of_version_commits` has."""
    require_commit_access(actor, dataset)
    return _published(dataset).count()


def _published(dataset: Dataset) -> QuerySet[Version]:
    return unclosed_versions().filter(dataset=dataset, at__isnull=False)


def export_prefix(repository: Repository) -> str:
    """Return what the keys of all begin with that is laid out of a repository for everybody."""
    return f"{EXPORTS}{repository.folder}/"


def serverless_clone_url(dataset: Dataset) -> str | None:
    """Return the URL to clone from without this server; None while the repository is not laid out for everybody."""
    repository = Repository.objects.filter(dataset=dataset, released=dataset.released).first()
    if repository is None or not repository.exported:
        return None
    return public_url(f"{export_prefix(repository)}{CLONE_FILE}")


def unfit_reason(repository: Repository) -> str:
    """Return a sentence about the files that are not in the repository because git cannot have them; "" if none."""
    return f"Git cannot have {', '.join(map(repr, repository.unfit))}." if repository.unfit else ""


def repositories_to_check() -> Iterator[int]:
    """Yield the datasets of some repositories: those whose bundles were not checked for longest."""
    written = Repository.objects.exclude(main="").order_by("checked", "pk")
    # Postgres sorts NULL last, and what was never checked is to come first.
    unchecked = written.filter(checked=None).values_list("pk", flat=True)[:CHECKED_AT_ONCE]
    numbers = [*unchecked, *written.exclude(checked=None).values_list("pk", flat=True)[:CHECKED_AT_ONCE]]
    return iter(numbers[:CHECKED_AT_ONCE])


# --- Content ----------------------------------------------------------------------------------------------------------


def find_content(actor: Actor, dataset: Dataset, key: AnnexKey) -> Content | None:
    """Return what git-annex knows by `key` in a dataset that the actor may read; None if there is no such content."""
    blob = find_annex_content(actor, dataset, key)
    if blob:
        return Content(blob.key, blob.size, blob)
    entry = _find_entry(actor, dataset, key) if key.hash_name == "MD5" else None
    return Content(entry_key(entry.zarr_id, entry.md5), key.size) if entry else None


def _find_entry(actor: Actor, dataset: Dataset, key: AnnexKey) -> ZarrEntry | None:
    """Return an entry with that content that any asset of the dataset, now or once, shows the actor; None if none."""
    shown = Asset.objects.visible_to(actor).filter(
        dataset=dataset,
        zarr=OuterRef("zarr"),
        zarr_revision__number__gte=OuterRef("introduced"),
        zarr_revision__number__lt=Coalesce(OuterRef("retired"), NEVER),
    )
    entries = ZarrEntry.objects.filter(
        Exists(shown), md5=key.digest, size=key.size, introduced__isnull=False, zarr__dataset=dataset
    )
    return entries.first()


def is_retained(content: Content) -> bool:
    """Return whether the archive keeps the content: any asset has it, or had it. What was only sent may go."""
    return content.blob is None or Asset.objects.filter(blob=content.blob).exists()


def database_timestamp() -> int:
    """Return the seconds since 1970 by the clock of the database, which is the same to all processes."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT floor(extract(epoch FROM clock_timestamp()))::bigint")
        return int(cursor.fetchone()[0])
