"""Repositories on this machine's disk: filled from the store when they are asked for, evicted when there are too many.

Any process may fill, use or evict any of them. Two files beside each folder are locked:

- `<folder>.lock`, shared by the processes that use the folder, exclusively by one that removes it;
- `<folder>.filling`, exclusively by a process that adds objects or references to the folder.

Git lets packs be added and replaced while others read, so only a removal waits for readers. Without a lock, any file
may be gone a moment after it was seen: the functions here never check for a file first and then rely on it.
"""

import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from django.conf import settings

from archive.errors import BusyError
from archive.git_annex.refs import PACKED_REFS, packed_refs
from archive.snapshots.keeping.bundles import fetch_bundle, unbundle
from archive.snapshots.keeping.git import Beat, Git, GitError, new_repository
from archive.snapshots.models import Bundle, Repository
from archive.snapshots.queries import references

MAX_PACKS = 50
LOCK_SECONDS = 60.0
LOCK_POLL = 0.05
ABANDONED_SECONDS = 24 * 3600
# How often the size of all repositories is looked at where none was fetched.
LOOK_SECONDS = 60.0
TEMPORARY = "tmp-"

# The configuration of a repository in the cache: it has no hooks, and clients may ask for part of it.
SERVED = """\
[core]
\tbare = true
\trepositoryformatversion = 0
[uploadpack]
\tallowFilter = true
\thideRefs = refs/next
[protocol]
\tversion = 2
"""


@contextmanager
def opened(repository: Repository, beat: Beat | None = None) -> Iterator[Path]:
    """Yield the folder of the cache that has the repository, bare, with the references that Postgres names.

    The folder stays until the block ends. Raises BusyError while a release has not begun its new history, and when
    somebody else is bringing the folder up to date for long; DamagedError when the store does not have what it should.
    """
    repository = require_current_history(repository)
    folder = _root() / repository.folder
    with _locked(folder.with_name(f"{folder.name}.lock"), fcntl.LOCK_SH):
        wanted = packed_refs(references(repository))
        if _written(folder) != wanted:
            with _locked(folder.with_name(f"{folder.name}.filling"), fcntl.LOCK_EX, beat):
                has_grown = _bring_up(repository, folder, beat)
                _write_references(folder, wanted)
            if has_grown or _is_time_to_look():
                _make_room(keep=folder)
        folder.touch()
        yield folder


def require_current_history(repository: Repository) -> Repository:
    """Return the repository's row as it is now. Raises BusyError while a release has not begun its new history."""
    now = Repository.objects.select_related("dataset").get(pk=repository.pk)
    if now.released != now.dataset.released:
        raise BusyError("The repository is being written anew after the release of its dataset.")
    return now


@contextmanager
def workspace(folder: Path) -> Iterator[Path]:
    """Yield the folder of a temporary repository that reads the objects of the one in `folder`, and adds none to it."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=_root()) as space:
        yield new_repository(Path(space, "repository.git"), objects_of=folder)


@contextmanager
def scratch() -> Iterator[Path]:
    """Yield an empty folder, which goes with the block."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=_root()) as space:
        yield Path(space)


def fill(folder: Path, bundles: list[Bundle], beat: Beat | None = None) -> None:
    """Give the repository in `folder` the objects of these bundles, oldest first."""
    with tempfile.TemporaryDirectory(prefix=TEMPORARY, dir=_root()) as space:
        file = Path(space, "bundle")
        for bundle in bundles:
            fetch_bundle(bundle, file, beat)
            unbundle(file, folder=folder, beat=beat)


def _root() -> Path:
    root = Path(settings.SNAPSHOT_CACHE)
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    return root


# --- References -------------------------------------------------------------------------------------------------------


def _written(folder: Path) -> str | None:
    try:
        return (folder / PACKED_REFS).read_text()
    except FileNotFoundError:
        return None


def _write_references(folder: Path, text: str) -> None:
    """Replace the file of references as a whole: readers see all of them or none."""
    new = folder / f"{PACKED_REFS}.new"
    new.write_text(text)
    new.replace(folder / PACKED_REFS)


# --- Objects ----------------------------------------------------------------------------------------------------------


def _bring_up(repository: Repository, folder: Path, beat: Beat | None) -> bool:
    """Bring all objects into the folder that the repository's references need.

    Returns whether there is more in the cache for it: objects that were fetched, or a folder that was not there.
    """
    is_new = not folder.exists()
    bundles = list(Bundle.objects.filter(repository=repository).order_by("pk"))
    try:
        _ensure(folder)
        fetched = _missing(folder, bundles)
        fill(folder, fetched, beat)
    except GitError:
        # The copy on this disk is damaged: discard it, and fetch all bundles again.
        with scratch() as space:
            folder.rename(space / folder.name)
        _ensure(folder)
        fetched = bundles
        fill(folder, fetched, beat)
    if len(list((folder / "objects/pack").glob("*.pack"))) > MAX_PACKS:
        _repack(folder, repository, beat)
    return is_new or bool(fetched)


def _ensure(folder: Path) -> None:
    """Make an empty repository in the folder, whole from its first moment, if there is none."""
    if folder.exists():
        return
    with scratch() as space:
        new = new_repository(space / "repository.git")
        (new / "config").write_text(SERVED)
        new.rename(folder)


def _missing(folder: Path, bundles: list[Bundle]) -> list[Bundle]:
    """Return the bundles of which the folder lacks a tip. Packs come whole: with a tip there is all that it needs."""
    tips = sorted({tip for bundle in bundles for tip in (bundle.main, bundle.annex) if tip})
    if not tips:
        return []
    asked = "".join(f"{tip}\n" for tip in tips).encode()
    answers = Git(folder).run("cat-file", "--batch-check=%(objectname)", stdin=asked).decode().splitlines()
    there = {answer for answer in answers if not answer.endswith(" missing")}
    return [bundle for bundle in bundles if {bundle.main, bundle.annex} - {""} - there]


def _repack(folder: Path, repository: Repository, beat: Beat | None) -> None:
    _write_references(folder, packed_refs(references(repository)))
    Git(folder).run("repack", "-a", "-d", "--quiet", "--write-bitmap-index", beat=beat)


def take_in(folder: Path, file: Path, beat: Beat | None = None) -> None:
    """Give an opened repository the objects of a bundle in a file, to save fetching them from the store.

    If that fails the bundle is fetched from there, when the repository is opened next.
    """
    with (
        suppress(GitError, BusyError),
        _locked(folder.with_name(f"{folder.name}.filling"), fcntl.LOCK_EX, beat),
    ):
        unbundle(file, folder=folder, beat=beat)


# --- Room -------------------------------------------------------------------------------------------------------------


def _is_time_to_look() -> bool:
    """Return whether nobody has looked for some time how much there is, and note that somebody does now.

    What is written here grows slowly, and to look takes a second where there are thousands of repositories.
    """
    marker = _root() / "looked"
    status = _status(marker)
    if status and time.time() - status.st_mtime < LOOK_SECONDS:
        return False
    marker.touch()
    return True


def _make_room(*, keep: Path) -> None:
    """Evict the repositories that were used least recently until the rest fits, and what killed processes left."""
    root = _root()
    _remove_abandoned(root)
    folders = [folder for folder in root.iterdir() if _is_repository(folder) and folder != keep]
    stale = {folder for folder in folders if folder.stem == keep.stem}
    used = {folder: (status.st_mtime, _size(folder)) for folder in folders if (status := _status(folder))}
    total = _size(keep) + sum(size for _, size in used.values())
    for folder, (_, size) in sorted(used.items(), key=lambda item: (item[0] not in stale, item[1])):
        if folder not in stale and total <= settings.SNAPSHOT_CACHE_BYTES:
            return
        if _evict(folder):
            total -= size


def _is_repository(folder: Path) -> bool:
    return folder.is_dir() and not folder.name.startswith(TEMPORARY)


def _size(folder: Path) -> int:
    """Return how many bytes the files in a folder have, as far as they are there when they are looked at."""
    statuses = (_status(Path(parent, name)) for parent, _, names in os.walk(folder) for name in names)
    return sum(status.st_size for status in statuses if status)


def _status(path: Path) -> os.stat_result | None:
    """Return what the system says of a file or folder; None if it is not there, perhaps not any more."""
    try:
        return path.lstat()
    except FileNotFoundError:
        return None


def forget(repository: Repository) -> None:
    """Remove a repository from this machine's cache, unless somebody uses it."""
    _evict(_root() / repository.folder)


def _evict(folder: Path) -> bool:
    """Remove a repository from the cache; return False if somebody uses it."""
    with open(folder.with_name(f"{folder.name}.lock"), "w") as lock:  # noqa: PTH123 - as `_locked` has it
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        with scratch() as space, suppress(FileNotFoundError):
            folder.rename(space / folder.name)
    return True


def _remove_abandoned(root: Path) -> None:
    before = time.time() - ABANDONED_SECONDS
    for folder in root.glob(f"{TEMPORARY}*"):
        status = _status(folder)
        if status and status.st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _locked(file: Path, kind: int, beat: Beat | None = None) -> Iterator[None]:
    """Hold a lock, which goes with the process; BusyError when others do not let go of it for long."""
    until = time.monotonic() + LOCK_SECONDS
    with open(file, "w") as lock:  # noqa: PTH123 - a lock is on the open file, not on its path
        while True:
            try:
                fcntl.flock(lock, kind | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > until:
                    raise BusyError("The repository is being prepared; please try again.") from None
            if beat:
                beat()
            time.sleep(LOCK_POLL)
        yield
