"""Repositories: begun when they are first asked for, given to those who clone and fetch, moved on by a push."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import IO

from django.conf import settings

from archive.datasets.models import Dataset
from archive.errors import ConflictError
from archive.snapshots.bundles import StoredBundle, make_bundle, store_bundle
from archive.snapshots.cache import opened, scratch, workspace
from archive.snapshots.models import Commit, Repository
from archive.snapshots.serving import Service, advertised, fetched
from archive.snapshots.work import MovedError, Progress, latest_left_out, record
from archive.timeline.models import Change

__all__ = ["opened", "record_push", "repository_of", "store_push", "workspace"]


def repository_of(dataset: Dataset) -> Repository:
    """The dataset's repository, whether anything has been written into it yet or not."""
    return Repository.objects.get_or_create(dataset=dataset)[0]


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

    Raises ConflictError unless `repository`, as the caller has read it, was as far as the change before, and still is:
    the push was then made, or is being made, upon something older.
    """
    pushed = Commit(
        repository=repository,
        at=change.number,
        sha=commit,
        author_name=change.author_name,
        author_email=f"user-{change.user_id}@users.noreply.invalid",
        recorded=change.recorded,
        message=message,
        left_out=latest_left_out(repository),
        is_pushed=True,
    )
    if repository.at != change.number - 1:
        raise ConflictError("The archive's own newest commits are not written yet; fetch in a moment, and push.")
    progress = Progress([pushed], stored, change.number, commit, repository.annex, repository.unfit)
    try:
        record(repository, progress)
    except MovedError:
        raise ConflictError("The branch has moved meanwhile; fetch, and push again.") from None
