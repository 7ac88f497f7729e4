"""Applying a push: once the archive has written all that came before, `main` moves to what was pushed."""

from collections.abc import Generator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import monotonic, sleep

from django.conf import settings
from django.utils import timezone

from archive.accounts.policy import Actor
from archive.errors import BusyError, ConflictError
from archive.git_annex.objects import object_id
from archive.snapshots.keeping.bundles import StoredBundle, make_bundle, store_bundle
from archive.snapshots.keeping.cache import opened, scratch
from archive.snapshots.keeping.recording import MovedError, Progress, latest_left_out, record
from archive.snapshots.models import Commit, Repository
from archive.snapshots.pushing.judging import Wanted, judge_and_apply
from archive.snapshots.pushing.receiving import Push
from archive.snapshots.pushing.uniting import unite
from archive.snapshots.queries import NOT_TO_MISS, PROJECTION, free_branches
from archive.timeline.models import Change
from archive.timeline.queries import position
from archive.timeline.services import nudge

CATCH_UP_SECONDS = 0.5
CHANGED_MEANWHILE = "The draft has been changed meanwhile: fetch first, merge, and push again."


def apply_push(actor: Actor, dataset_id: int, push: Push) -> Generator[str, None, None]:
    """Judge a push and, if nothing is wrong with it, make it true of the draft; yield what to tell the pusher.

    Raises RefusedError or ArchiveError if the push is not to be taken.
    """
    yield from _caught_up(dataset_id)
    repository = Repository.objects.select_related("dataset").get(pk=dataset_id)
    # The folder that the push reads may have been filled before what is judged by now.
    with opened(repository):
        yield from judge_and_apply(actor, repository.dataset, PushedRepository(repository), push)


def _caught_up(dataset_id: int) -> Generator[str, None, None]:
    """Wait until the archive has written what came before; yields what to say, raises BusyError if it takes long."""
    target, until = position(dataset_id), monotonic() + settings.GIT_PUSH_PATIENCE
    while Repository.objects.filter(pk=dataset_id, at__lt=target).exists():
        if monotonic() > until:
            raise BusyError("The archive is still writing what came before this; please try again in a while.")
        nudge(dataset_id, PROJECTION)
        yield "Waiting for the archive to write what came before this..."
        sleep(CATCH_UP_SECONDS)


@dataclass
class PushedRepository:
    """The repository that was pushed to, as it was when the push was looked at."""

    repository: Repository
    stored: StoredBundle | None = None

    annexed: "AnnexMove | None" = None

    @property
    def main(self) -> str:
        return self.repository.main

    @property
    def annex(self) -> str:
        return self.repository.annex

    @property
    def own_files(self) -> dict[str, str]:
        return {path: object_id("blob", content) for path, content in self.repository.own_files.items()}

    @property
    def free(self) -> frozenset[str]:
        return free_branches(self.repository)

    def prepare(self, push: Push, wanted: Wanted) -> None:
        if wanted.annex:
            self.repository = self._with_annex_of_now()
            recorded = timezone.now()
            united = unite(push.git, self.repository, self.annex, wanted.annex, recorded)
            self.annexed = AnnexMove(wanted.annex, united, recorded)
        annex = self.annexed.united if self.annexed else ""
        self.stored = store_push(
            self.repository, quarantine=push.git.folder, commit=wanted.main or self.main, annex=annex
        )

    def _with_annex_of_now(self) -> Repository:
        """Return the repository, whose `git-annex` may have moved, but not `main`, and have its objects here."""
        now = Repository.objects.select_related("dataset").get(pk=self.repository.pk)
        if (now.history, now.main) != (self.repository.history, self.repository.main):
            raise ConflictError(CHANGED_MEANWHILE)
        with opened(now):
            return now

    def move(self, wanted: Wanted, actor: Actor, change: Change | None) -> None:
        if self.stored is None:
            return
        before, message = self.repository, f"Push {wanted.main}"
        if change:
            record_push(before, self.stored, commit=wanted.main, message=message, change=change, annexed=self.annexed)
        elif self.annexed:
            now = _unmoved(before, is_annexed=True)
            record(now, Progress([], self.stored, now.at, now.main, self.annexed.united, now.unfit))
        if self.annexed:
            record_annex_push(before, self.annexed, actor)


@dataclass(frozen=True)
class AnnexMove:
    """A move of `git-annex`: to a commit that was pushed, `united` with what the archive itself says."""

    pushed: str
    united: str
    recorded: datetime


def store_push(repository: Repository, *, quarantine: Path, commit: str, annex: str = "") -> StoredBundle:
    """Put what a push brought into the store: what the commits of the branches have, and the repository has not.

    `quarantine` is a repository that reads the objects of the opened one. As long as no row tells of the bundle nobody
    reads it, and what is never told of is swept away.
    """
    with scratch() as folder:
        file = folder / "bundle"
        make_bundle(file, folder=quarantine, main=commit, annex=annex, without=[repository.main, repository.annex])
        return store_bundle(file)


def record_push(
    repository: Repository,
    stored: StoredBundle,
    *,
    commit: str,
    message: str,
    change: Change,
    annexed: AnnexMove | None = None,
) -> None:
    """Move `main` to a commit that was pushed and made true of the assets by `change`, in the caller's transaction.

    Raises ConflictError unless `main` still is where `repository`, as the caller has read it, has it, and has all that
    was changed before: the push was then made, or is being made, upon something older.
    """
    now = _unmoved(repository, is_annexed=annexed is not None)
    if not _has_all_before(now, change):
        raise ConflictError(CHANGED_MEANWHILE)
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
    annex = annexed.united if annexed else now.annex
    record(now, Progress([pushed], stored, change.number, commit, annex, now.unfit))


def record_annex_push(repository: Repository, annexed: AnnexMove, actor: Actor) -> None:
    """Remember what was pushed as `git-annex`, and after which commit of `main` it came."""
    told = repository.commits.exclude(annex="").order_by("pk").last()
    repository.annex_pushes.create(sha=annexed.pushed, follows=told, author_name=actor.name, recorded=annexed.recorded)


def _unmoved(repository: Repository, *, is_annexed: bool) -> Repository:
    """Return the repository's row, locked; ConflictError if `main` has moved, MovedError if `git-annex` alone has."""
    now = Repository.objects.select_for_update().get(pk=repository.pk)
    has_moved = (now.history, now.main) != (repository.history, repository.main)
    if has_moved:
        raise ConflictError(CHANGED_MEANWHILE)
    if is_annexed and now.annex != repository.annex:
        raise MovedError
    return now


def _has_all_before(repository: Repository, change: Change) -> bool:
    """Return whether nothing that belongs into a tree was changed between what the repository has and `change`."""
    changes = Change.objects.filter(dataset_id=change.dataset_id, kind__in=NOT_TO_MISS)
    return not changes.filter(number__gt=repository.at, number__lt=change.number).exists()
