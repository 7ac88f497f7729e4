"""Repositories: begun when they are first asked for, given to those who clone and fetch, moved on by a push."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import transaction

from archive.accounts.policy import Action, Actor, require
from archive.assets.services import keep_files_of, restore_files
from archive.datasets.models import Dataset
from archive.datasets.queries import find_version
from archive.errors import BusyError, ConflictError, InvalidError, NotFoundError
from archive.snapshots.keeping import cache
from archive.snapshots.keeping.bundles import DamagedError
from archive.snapshots.keeping.git import GitError
from archive.snapshots.keeping.recording import MovedError
from archive.snapshots.keeping.serving import Service, advertised, fetched
from archive.snapshots.models import Repository
from archive.snapshots.pushing.answering import answered
from archive.snapshots.pushing.applying import apply_push
from archive.snapshots.pushing.receiving import receive
from archive.snapshots.queries import free_branches, require_commit_access
from archive.snapshots.work import CHECK_JOB
from archive.snapshots.writing.checks import fault_of_commit
from archive.snapshots.writing.following import begin
from archive.snapshots.writing.rewriting import RewriteError, restore
from archive.timeline.services import hold, start_job

# What is passed on of other modules of this room, beside what is below.
__all__ = ["Service"]


def repository_of(dataset: Dataset) -> Repository:
    """Return the dataset's repository, whether anything has been written into it yet or not."""
    return Repository.objects.get_or_create(dataset=dataset)[0]


def find_repository(actor: Actor, dataset: Dataset) -> Repository:
    """Return the dataset's repository, for who may read its commits: fails as `require_commit_access` does."""
    require_commit_access(actor, dataset)
    return repository_of(dataset)


@contextmanager
def opened(repository: Repository) -> Iterator[Path]:
    """Yield the folder of this machine's cache that has the repository, bare, with the references that Postgres names.

    The folder stays until the block ends; it is only to be read. Raises BusyError while a release has not begun its
    new history, while the store lacks some of it, which is then restored, and when others fill the folder for long.
    """
    try:
        if not repository.main and repository.begins_before_assets:
            repository = begin(repository.dataset, lambda: None)
        with cache.opened(repository) as folder:
            yield folder
    except DamagedError as error:
        start_job(CHECK_JOB, subject=str(repository.pk))
        raise BusyError("The repository is being restored; please try again.", retry_after=60) from error


def advertise(repository: Repository, service: Service, protocol: str) -> bytes:
    """Return git's advertisement of the repository for clients of a service, in the protocol that they speak.

    Who pushes is not told of branches that may be anything yet: git would not send what does not go on from them.
    """
    with opened(repository) as folder:
        hidden = free_branches(repository) if service is Service.RECEIVE_PACK else ()
        return advertised(folder, service, protocol, seconds=settings.GIT_SECONDS, hidden=hidden)


@contextmanager
def fetching(repository: Repository, request: IO[bytes], protocol: str) -> Iterator[Iterator[bytes]]:
    """Yield git's answer to a client's request for objects: chunks, as they come, while the block lasts.

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


def reset_draft(*, actor: Actor, dataset: Dataset, reference: str) -> None:
    """Make the files of the draft what they were at a commit of the repository, or in a version: as one change.

    Raises InvalidError if there is no such commit or version, ConflictError if not all of it is kept any more.
    """
    require(actor, Action.CHANGE_DRAFT, dataset)
    require_commit_access(actor, dataset)
    repository = repository_of(dataset)
    commit = repository.commits.filter(sha=reference.lower(), at__lte=repository.at).order_by("-at").first()
    if commit is None:
        restore_files(actor=actor, dataset=dataset, point=_point_of_version(actor, dataset, reference))
        return
    with opened(repository) as folder, transaction.atomic():
        hold(dataset.number)
        keep_files_of(dataset, commit.at)
        if fault := fault_of_commit(repository, folder, commit):
            raise ConflictError(f"Not everything of that commit is kept any more: {fault}")
        restore_files(actor=actor, dataset=dataset, point=commit.at)


def _point_of_version(actor: Actor, dataset: Dataset, name: str) -> int:
    """Return the point of the history that a version shows, of which nothing is ever collected."""
    with suppress(NotFoundError):
        if point := find_version(actor, dataset.number, name).at:
            return point
    raise InvalidError("It is neither a commit of the repository nor a version.", field="ref")


@contextmanager
def receiving(*, actor: Actor, dataset: Dataset, request: IO[bytes]) -> Iterator[Generator[bytes, None, None]]:
    """Yield git's answer to the body of a request to push into the dataset's repository: chunks, as they come.

    What is wrong with the push is told in the answer. Raises BusyError while a release has not begun its new history.
    """
    require(actor, Action.CHANGE_DRAFT, dataset)
    repository = repository_of(dataset)
    cache.require_current_history(repository)
    with closing(answered(request, _received(actor, repository, request))) as chunks:
        yield chunks


def _received(actor: Actor, repository: Repository, request: IO[bytes]) -> Generator[bytes, None, None]:
    limits = {"seconds": settings.GIT_SECONDS, "max_size": settings.GIT_PUSH_MAX_BYTES}
    with opened(repository) as folder:
        judge = partial(apply_push, actor, repository.pk)
        yield from receive(folder, request, judge, hidden=free_branches(repository), **limits)
