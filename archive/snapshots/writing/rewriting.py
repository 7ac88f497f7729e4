"""Writing a repository again from the rows, and from what of its bundles is sound: with the same commits."""

from collections.abc import Iterator, Sequence
from itertools import groupby, zip_longest
from pathlib import Path

from archive.datasets.models import Dataset
from archive.snapshots.keeping.cache import fill
from archive.snapshots.keeping.git import Beat
from archive.snapshots.models import Commit, Repository
from archive.snapshots.writing.delta import Point
from archive.snapshots.writing.pushed import pushed_keys
from archive.snapshots.writing.writer import Plan, Writer


class RewriteError(Exception):
    """What the rows say now makes other commits than they once made, so these cannot be had again."""


def rewrite(repository: Repository, folder: Path, beat: Beat) -> list[Commit]:
    """Write all commits of a repository anew into the empty one in `folder`; returns them, oldest first.

    Those that were pushed come from their bundles. The commits of `git-annex` tell of the settings too, and may be
    others than before. Raises RewriteError, DamagedError or GitError when it cannot be done.
    """
    main = annex = ""
    since: Point | None = None
    rewritten: list[Commit] = []
    is_public = repository.dataset.access != Dataset.Access.EMBARGOED
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
