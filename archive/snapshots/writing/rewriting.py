"""Writing a repository again from the rows, and from what of its bundles is sound: with the same commits."""

from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from django.db import transaction

from archive.snapshots.keeping.bundles import DamagedError, make_bundle, store_bundle
from archive.snapshots.keeping.cache import fill, forget, scratch
from archive.snapshots.keeping.git import Beat, Git, GitError, new_repository
from archive.snapshots.keeping.recording import update
from archive.snapshots.models import AnnexPush, Bundle, Commit, Repository
from archive.snapshots.pushing.uniting import unite
from archive.snapshots.writing.delta import Point
from archive.snapshots.writing.pushed import keys_of_pushed_commit
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
        commits, annex = rewrite(repository, folder, beat)
        if not annex:
            return
        main, at = (commits[-1].sha, commits[-1].at) if commits else ("", repository.at)
        make_bundle(space / "bundle", folder=folder, main=main, annex=annex, without=[], beat=beat)
        stored = store_bundle(space / "bundle", beat)
        with transaction.atomic():
            written = update(repository, annex=annex, fault="")
            Commit.objects.bulk_update(commits, ["annex"], batch_size=COMMITS_AT_ONCE)
            written.bundles.all().delete()
            written.bundles.create(at=at, main=main, annex=annex, **stored._asdict())
    forget(repository)


def rewrite(repository: Repository, folder: Path, beat: Beat) -> tuple[list[Commit], str]:
    """Write all commits of a repository anew into the empty one in `folder`.

    Returns those of `main`, oldest first, and the commit that `git-annex` is at then.

    Those that were pushed come from their bundles. The commits of `git-annex` tell of the settings too, and may be
    others than before. Raises RewriteError, DamagedError or GitError when it cannot be done.
    """
    main, since = "", None
    rewritten: list[Commit] = []
    pushes: dict[int | None, list[AnnexPush]] = {}
    for push in repository.annex_pushes.order_by("pk"):
        pushes.setdefault(push.follows_id, []).append(push)
    bundled = _Bundled(repository, folder, beat)
    annex = _united_again(bundled, "", pushes.get(None, []))
    for commits in _runs(repository.commits.order_by("pk"), pushes):
        writer = Writer(repository, folder, beat, repository.dataset.is_released, main, annex)
        if commits[0].is_pushed:
            _take_over(writer, commits, bundled)
        else:
            _write_again(writer, commits, since)
        main, annex = commits[-1].sha, _united_again(bundled, writer.annex, pushes.get(commits[-1].pk, []))
        since = Point(commits[-1].at, frozenset(commits[-1].left_out))
        rewritten += commits
    return rewritten, annex


def _runs(commits: Iterable[Commit], pushes: Container[int | None]) -> Iterator[list[Commit]]:
    """Yield the commits in runs: all pushed or none, and of none but the last something was pushed as `git-annex`."""
    run: list[Commit] = []
    for commit in commits:
        if run and (run[-1].is_pushed != commit.is_pushed or run[-1].pk in pushes):
            yield run
            run = []
        run.append(commit)
    if run:
        yield run


class _Bundled:
    """The bundles of a repository, unpacked as far as they can be had: nothing else has what people have pushed."""

    def __init__(self, repository: Repository, folder: Path, beat: Beat) -> None:
        self.git = Git(folder)
        self.repository = repository
        self._beat = beat
        self._left = list(repository.bundles.order_by("pk"))

    def require(self, sha: str) -> None:
        """Unpack what can be unpacked by now, and raise DamagedError unless the commit is there."""
        self._left = [bundle for bundle in self._left if not self._unpacks(bundle)]
        [info] = self.git.infos([sha])
        if info.kind != "commit":
            raise DamagedError(f"The store has lost the bundle with {sha}, which was pushed.")

    def _unpacks(self, bundle: Bundle) -> bool:
        # A bundle is built upon those before it, or upon what is written again in their place.
        try:
            fill(self.git.folder, [bundle], self._beat)
        except (DamagedError, GitError):
            return False
        return True


def _united_again(bundled: _Bundled, annex: str, pushes: Sequence[AnnexPush]) -> str:
    """Return the commit of `git-annex` that follows one, and what was pushed after it."""
    for push in pushes:
        bundled.require(push.sha)
        annex = unite(bundled.git, bundled.repository, annex, push.sha, push.recorded)
    return annex


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


def _take_over(writer: Writer, commits: Sequence[Commit], bundled: _Bundled) -> None:
    for commit in commits:
        bundled.require(commit.sha)
        if not commit.annex:
            continue
        again = Writer(writer.repository, writer.folder, writer.beat, writer.is_public, commit.sha, writer.annex)
        again.tell(keys_of_pushed_commit(writer.folder, commit, is_public=writer.is_public), commit.recorded)
        commit.annex = writer.annex = again.annex
