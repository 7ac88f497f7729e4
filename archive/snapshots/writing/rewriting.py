"""Writing a repository again from the rows, and from what of its bundles is sound: with the same commits."""

from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from pathlib import Path

from django.db import transaction

from archive.snapshots.keeping.bundles import make_bundle, store_bundle
from archive.snapshots.keeping.cache import fill, forget, scratch
from archive.snapshots.keeping.git import Beat, new_repository
from archive.snapshots.keeping.recording import update
from archive.snapshots.models import Commit, Repository
from archive.snapshots.writing.delta import Point
from archive.snapshots.writing.pushed import pushed_keys
from archive.snapshots.writing.writer import COMMITS_AT_ONCE, Plan, Writer


class RewriteError(Exception):
    """An exception for rows that make other commits now than they once made."""


def restore(repository: Repository, beat: Beat) -> None:
    """Write a repository again, with the same commits, and let one new bundle take the place of those it has.

    Raises RewriteError, DamagedError or GitError if it cannot be done, and MovedError if the repository moves on
    meanwhile; nothing is changed then.
    """
    with scratch() as space:
        folder = new_repository(space / "repository.git")
        commits = rewrite(repository, folder, beat)
        if not commits:
            return
        main, annex = commits[-1].sha, commits[-1].annex
        make_bundle(space / "bundle", folder=folder, main=main, annex=annex, without=[], beat=beat)
        stored = store_bundle(space / "bundle", beat)
        with transaction.atomic():
            written = update(repository, annex=annex, fault="")
            Commit.objects.bulk_update(commits, ["annex"], batch_size=COMMITS_AT_ONCE)
            written.bundles.all().delete()
            written.bundles.create(at=commits[-1].at, main=main, annex=annex, **stored._asdict())
    forget(repository)


def rewrite(repository: Repository, folder: Path, beat: Beat) -> list[Commit]:
    """Write all commits of a repository anew into the empty one in `folder`; return them, oldest first.

    Those that were pushed come from their bundles. The commits of `git-annex` tell of the settings too, and may be
    others than before. Raises RewriteError, DamagedError or GitError when it cannot be done.
    """
    main = annex = ""
    since: Point | None = None
    rewritten: list[Commit] = []
    is_public = repository.dataset.is_released
    for is_pushed, group in groupby(repository.commits.order_by("pk"), key=lambda commit: commit.is_pushed):
        commits = list(group)
        writer = Writer(repository, folder, beat, is_public, main, annex)
        if is_pushed:
            _take_over(writer, commits, beat)
        else:
            _write_again(writer, commits, since)
        main, annex = commits[-1].sha, writer.annex
        since = Point(commits[-1].at, frozenset(commits[-1].left_out))
        rewritten += commits
    return rewritten


def _write_again(writer: Writer, commits: Sequence[Commit], since: Point | None) -> None:
    written = writer.write(_plans(commits, since))
    for commit, new in zip_longest(commits, written):
        if commit is None or new is None or commit.sha != new.sha:
            raise RewriteError(f"The commits from change {(commit or new).at} on cannot be written again.")
        commit.annex = new.annex


def _plans(commits: Sequence[Commit], since: Point | None) -> Iterator[Plan]:
    for commit in commits:
        until = Point(commit.at, frozenset(commit.left_out))
        yield Plan(since, until, commit.author_name, commit.author_email, commit.recorded, commit.message)
        since = until


def _take_over(writer: Writer, commits: Sequence[Commit], beat: Beat) -> None:
    for commit in commits:
        holding = writer.repository.bundles.filter(at__gte=commit.at).order_by("pk").first()
        fill(writer.folder, [holding] if holding else [], beat)
        if not commit.annex:
            continue
        again = Writer(writer.repository, writer.folder, beat, writer.is_public, commit.sha, writer.annex)
        again.tell(pushed_keys(writer.folder, commit, is_public=writer.is_public), commit.recorded)
        commit.annex = writer.annex = again.annex
