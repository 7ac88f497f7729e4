"""Repositories: begun when they are first asked for, given to those who clone and fetch, moved on by a push."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import chain
from pathlib import Path
from time import monotonic, sleep
from typing import IO

from django.conf import settings

from archive.accounts.policy import Action, Actor, require
from archive.datasets.models import Dataset
from archive.errors import BusyError, ConflictError
from archive.snapshots.keeping import cache
from archive.snapshots.keeping.bundles import DamagedError, StoredBundle, make_bundle, store_bundle
from archive.snapshots.keeping.cache import scratch, workspace
from archive.snapshots.keeping.git import GitError, object_id
from archive.snapshots.keeping.serving import Service, advertised, fetched
from archive.snapshots.models import Commit, Repository
from archive.snapshots.pushing.judging import judge
from archive.snapshots.pushing.receiving import Push, receive
from archive.snapshots.queries import PROJECTION, require_commits
from archive.snapshots.work import CHECK_JOB, MovedError, Progress, latest_left_out, record, restore
from archive.snapshots.writing.plans import RELEVANT
from archive.snapshots.writing.rewriting import RewriteError
from archive.snapshots.writing.writer import rules_of
from archive.timeline.models import Change
from archive.timeline.queries import position
from archive.timeline.services import nudge, start_job

__all__ = [
    "Service",
    "find_repository",
    "opened",
    "rebuild",
    "receiving",
    "record_push",
    "repository_of",
    "store_push",
    "workspace",
]

CATCH_UP_SECONDS = 0.5
# What changes a tree, and what lets it be written anew.
BEGINS_ANEW = (*RELEVANT, Change.Kind.RELEASE)


def repository_of(dataset: Dataset) -> Repository:
    """The dataset's repository, whether anything has been written into it yet or not."""
    return Repository.objects.get_or_create(dataset=dataset)[0]


def find_repository(actor: Actor, dataset: Dataset) -> Repository:
    """Return the dataset's repository, for who may read its commits: fails as `require_commits` does."""
    require_commits(actor, dataset)
    return repository_of(dataset)


@contextmanager
def opened(repository: Repository) -> Iterator[Path]:
    """The repository as a bare one in a folder of this machine's cache, as Postgres says its references are.

    The folder stays until the block ends; it is only to be read. Raises BusyError while a release has not begun its
    new history, while the store lacks some of it, which is then restored, and when others fill the folder for long.
    """
    try:
        with cache.opened(repository) as folder:
            yield folder
    except DamagedError as error:
        start_job(CHECK_JOB, subject=str(repository.pk))
        raise BusyError("The repository is being restored; please try again.", retry_after=60) from error


def advertise(repository: Repository, service: Service, protocol: str) -> bytes:
    """What the repository has, as git tells it to clients of a service that speak a version of its protocol."""
    with opened(repository) as folder:
        return advertised(folder, service, protocol, seconds=settings.GIT_SECONDS)


@contextmanager
def fetching(repository: Repository, request: IO[bytes], protocol: str) -> Iterator[Iterator[bytes]]:
    """What git answers to a client's request for objects, as it comes, while the block lasts.

    Raises InvalidError if git has no answer to it.
    """
    with (
        opened(repository) as folder,
        closing(fetched(folder, request, protocol, seconds=settings.GIT_SECONDS)) as chunks,
    ):
        first = next(chunks, b"")
        yield chain((first,), chunks)


def rebuild(repository: Repository) -> None:
    """Write the repository again from the rows, with the same commits, whatever the store has of it.

    Raises ConflictError, and changes nothing, when that cannot be done, or the repository moves on meanwhile.
    """
    try:
        restore(repository, lambda: None)
    except (RewriteError, DamagedError, GitError, MovedError) as error:
        raise ConflictError(f"{error or 'It has moved on meanwhile.'}") from error


@contextmanager
def receiving(*, actor: Actor, dataset: Dataset, request: IO[bytes]) -> Iterator[Generator[bytes, None, None]]:
    """What git answers to the body of a request to push into the dataset's repository, as it comes.

    What is wrong with the push is told in the answer. Raises BusyError if nothing can be pushed just now.
    """
    require(actor, Action.CHANGE_DRAFT, dataset)
    repository = repository_of(dataset)
    limits = {"seconds": settings.GIT_SECONDS, "max_size": settings.GIT_PUSH_MAX_BYTES}
    with (
        opened(repository) as folder,
        closing(receive(folder, request, partial(_judged, actor, repository.pk), **limits)) as chunks,
    ):
        yield chunks


def _judged(actor: Actor, dataset_id: int, push: Push) -> Generator[str, None, None]:
    yield from _caught_up(dataset_id)
    repository = Repository.objects.select_related("dataset").get(pk=dataset_id)
    yield from judge(actor, repository.dataset, _Landing(repository), push)


def _caught_up(dataset_id: int) -> Generator[str, None, None]:
    """Wait until the archive itself has written what came before. Raises BusyError if that takes long."""
    target, until = position(dataset_id), monotonic() + settings.GIT_PUSH_PATIENCE
    while Repository.objects.filter(pk=dataset_id, at__lt=target).exists():
        if monotonic() > until:
            raise BusyError("The archive is still writing what came before this; please try again in a while.")
        nudge(dataset_id, PROJECTION)
        yield "Waiting for the archive to write what came before this..."
        sleep(CATCH_UP_SECONDS)


@dataclass
class _Landing:
    """Where a push lands: this repository, as it was when the push was looked at."""

    repository: Repository
    stored: StoredBundle | None = None

    @property
    def main(self) -> str:
        return self.repository.main

    @property
    def own_attributes(self) -> str:
        return object_id("blob", rules_of(self.repository).attributes())

    def prepare(self, push: Push, commit: str) -> None:
        self.stored = store_push(self.repository, quarantine=push.git.folder, commit=commit)

    def move(self, commit: str, change: Change) -> None:
        if self.stored:
            record_push(self.repository, self.stored, commit=commit, message=f"Push {commit}", change=change)


def store_push(repository: Repository, *, quarantine: Path, commit: str) -> StoredBundle:
    """Put what a push brought into the store: what `commit` has, and the repository has not.

    `quarantine` is a repository that reads the objects of the opened one. As long as `record_push` has not told of the
    bundle nobody reads it, and what is never told of is swept away.
    """
    with scratch() as folder:
        file = folder / "bundle"
        make_bundle(file, folder=quarantine, main=commit, annex="", without=[repository.main, repository.annex])
        return store_bundle(file)


def record_push(repository: Repository, stored: StoredBundle, *, commit: str, message: str, change: Change) -> None:
    """Move `main` to a commit that was pushed and made true of the assets by `change`, in the caller's transaction.

    Raises ConflictError unless `main` still is where `repository`, as the caller has read it, has it, and has all that
    was changed before: the push was then made, or is being made, upon something older.
    """
    now = Repository.objects.select_for_update().get(pk=repository.pk)
    if (now.history, now.main) != (repository.history, repository.main) or not _has_all_before(now, change):
        raise ConflictError("The draft has been changed meanwhile: fetch first, merge, and push again.")
    pushed = Commit(
        repository=now,
        at=change.number,
        sha=commit,
        author_name=change.author_name,
        author_email=f"user-{change.user_id}@users.noreply.invalid",
        recorded=change.recorded,
        message=message,
        left_out=latest_left_out(now),
        is_pushed=True,
    )
    record(now, Progress([pushed], stored, change.number, commit, now.annex, now.unfit))


def _has_all_before(repository: Repository, change: Change) -> bool:
    """Whether nothing that belongs into a tree was changed between what the repository has and `change`."""
    changes = Change.objects.filter(dataset_id=change.dataset_id, kind__in=BEGINS_ANEW)
    return not changes.filter(number__gt=repository.at, number__lt=change.number).exists()
