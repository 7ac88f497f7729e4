"""Repositories: begun when they are first asked for, opened in a cache on this machine, moved on by a push."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from archive.datasets.models import Dataset
from archive.errors import BusyError, ConflictError
from archive.snapshots import cache
from archive.snapshots.bundles import DamagedError, StoredBundle, make_bundle, store_bundle
from archive.snapshots.cache import scratch, workspace
from archive.snapshots.models import Commit, Repository
from archive.snapshots.plumbing import GitError
from archive.snapshots.rewriting import RewriteError
from archive.snapshots.work import CHECK_JOB, MovedError, Progress, latest_left_out, record, restore
from archive.timeline.models import Change
from archive.timeline.services import start_job

__all__ = ["opened", "rebuild", "record_push", "repository_of", "store_push", "workspace"]


def repository_of(dataset: Dataset) -> Repository:
    """The dataset's repository, whether anything has been written into it yet or not."""
    return Repository.objects.get_or_create(dataset=dataset)[0]


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


def rebuild(repository: Repository) -> None:
    """Write the repository again from the rows, with the same commits, whatever the store has of it.

    Raises ConflictError, and changes nothing, when that cannot be done, or the repository moves on meanwhile.
    """
    try:
        restore(repository, lambda: None)
    except (RewriteError, DamagedError, GitError, MovedError) as error:
        raise ConflictError(f"{error or 'It has moved on meanwhile.'}") from error


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
