"""Uniting what people push as `git-annex` with what the archive itself says there of the content that it has."""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain, islice
from typing import NamedTuple

from archive.errors import InvalidError
from archive.git_annex import fast_import as stream
from archive.git_annex.files import EXECUTABLE, FILE
from archive.git_annex.logs import (
    REMOTE_LOG,
    UUID_LOG,
    added_lines,
    is_location_log,
    is_url_log,
    remote_log,
    replaced_lines,
    subject_of,
    united_lines,
    uuid_log,
)
from archive.paths import printable
from archive.snapshots.keeping.git import Git
from archive.snapshots.models import ARCHIVE, ARCHIVE_NAME, Repository
from archive.snapshots.pushing.entries import Faults
from archive.snapshots.pushing.trees import unsafe_paths_in_history
from archive.storage.queries import public_url

# Git's name of a tree without entries.
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
# The reference in the working folder that the united commit is written to.
UNITED = "refs/united"
MAX_CHANGED = 1_000_000
MAX_LOG = 2**20
MAX_FOLDERS = 4
BATCH = 1000


class ChangedLog(NamedTuple):
    """A file of `git-annex` that a push changes: its path and mode, and its content before and after; "" for none."""

    path: bytes
    mode: str
    before: str
    after: str


def log_faults(git: Git, ours: str, pushed: str) -> Faults:
    """Return what must not be in a commit that is pushed as `git-annex` upon `ours`, which may be "".

    Raises InvalidError when it changes more than anybody's does.
    """
    faults = Faults()
    for path in unsafe_paths_in_history(git, ours or None, pushed):
        faults.add(path, "some systems take a name in it for another, such as .git; no commit is to have it")
    logs = changed_logs(git, ours, pushed)
    while batch := list(islice(logs, BATCH)):
        there = [log for log in batch if log.after]
        sizes = {info.name: info.size for info in git.infos(log.after for log in there)}
        for log in there:
            if fault := _log_fault(log, sizes[log.after]):
                faults.add(log.path, fault)
    return faults


def _log_fault(log: ChangedLog, size: int) -> str | None:
    if log.mode not in (FILE, EXECUTABLE):
        return f"its mode is {log.mode}, and logs are regular files"
    if log.path.count(b"/") > MAX_FOLDERS:
        return f"it is in more than {MAX_FOLDERS} folders, and logs are not"
    return f"it has {size} bytes, and a log has at most {MAX_LOG}" if size > MAX_LOG else None


def changed_logs(git: Git, ours: str, pushed: str) -> Iterator[ChangedLog]:
    """Yield what a commit of `git-annex` changes of another, or of nothing; InvalidError when that is too much."""
    options = ("-r", "-z", "--raw", "--no-renames", "--no-abbrev")
    words = git.lines("diff-tree", *options, ours or EMPTY_TREE, pushed, separator=b"\0")
    for count, (said, path) in enumerate(zip(words, words, strict=True)):
        if count == MAX_CHANGED:
            raise InvalidError(f"More than {MAX_CHANGED} logs are changed; push the branch git-annex in several steps.")
        _, mode, before, after, _ = said.decode().split()
        yield ChangedLog(path, mode, before if before.strip("0") else "", after if after.strip("0") else "")


def unite(git: Git, repository: Repository, ours: str, pushed: str, recorded: datetime) -> str:
    """Return the commit with which `git-annex` goes on from what was pushed: that itself, if it gainsays nothing.

    Lines of people stay as they are pushed, with those of `ours` that were not known to who pushed; `ours` is "" if
    there is nothing yet. Where the archive has content only `ours` says.
    """
    is_upon_ours = bool(ours) and git.succeeds("merge-base", "--is-ancestor", ours, pushed)
    fixes = _fixes(git, repository, ours, pushed, is_upon_ours=is_upon_ours)
    if not ours:
        fixes = chain(_first_logs(git, repository, pushed, recorded), fixes)
    first = next(fixes, None)
    if first is None:
        return pushed
    merged = "" if is_upon_ours else ours
    head = stream.commit(
        UNITED, 1, author=ARCHIVE, committer=ARCHIVE, recorded=recorded, message="update", parent=pushed, merged=merged
    )
    chunks = chain([head, first], fixes, [stream.DONE])
    git.feed("fast-import", "--quiet", "--done", "--force", "--date-format=raw", chunks=chunks)
    return git.run("rev-parse", UNITED).decode().strip()


def _fixes(git: Git, repository: Repository, ours: str, pushed: str, *, is_upon_ours: bool) -> Iterator[bytes]:
    """Yield, as changes of the pushed tree, what else is to be in it, and what the archive says otherwise."""
    logs = (log for log in changed_logs(git, ours, pushed) if not is_upon_ours or _has_own_lines(log.path))
    while batch := list(islice(logs, BATCH)):
        ids = {each for log in batch for each in (log.before, log.after) if each}
        contents = {"": b"", **dict(git.contents(ids))}
        for log in batch:
            said, after = contents[log.before], contents[log.after]
            right = after if is_upon_ours else united_lines(after, said)
            if _has_own_lines(log.path):
                right = _with_own_lines(right, said, repository, is_url=is_url_log(log.path))
            if right != after:
                path = printable(log.path)
                yield stream.file(FILE, path, right) if right else stream.removal(path)


def _has_own_lines(path: bytes) -> bool:
    return is_location_log(path) or is_url_log(path)


def _first_logs(git: Git, repository: Repository, pushed: str, recorded: datetime) -> Iterator[bytes]:
    """Yield what a branch that the archive has not begun lacks of what the archive begins it with."""
    for path, lines in first_logs(repository, recorded).items():
        [info] = git.infos([f"{pushed}:{path}"])
        there = b"" if info.kind == "missing" else dict(git.contents([info.name]))[info.name]
        yield stream.file(FILE, path, added_lines(there, lines))


def first_logs(repository: Repository, recorded: datetime) -> dict[str, bytes]:
    """Return the logs that the archive begins `git-annex` with, by their paths."""
    own = uuid_log(repository.annex_uuid, ARCHIVE_NAME, recorded)
    if not repository.special_remote:
        return {UUID_LOG: own}
    remote = repository.special_uuid
    identifier = repository.dataset.identifier
    configuration = {key: each.replace("{identifier}", identifier) for key, each in repository.special_remote.items()}
    # What people read of it; programs know it by its name.
    description = configuration.pop("description", configuration["name"])
    return {
        UUID_LOG: own + uuid_log(remote, description, recorded),
        REMOTE_LOG: remote_log(remote, configuration, recorded),
    }


def _with_own_lines(log: bytes, ours: bytes, repository: Repository, *, is_url: bool) -> bytes:
    """Return a log with the archive's own lines as `ours` has them."""
    places = {str(place) for place in repository.places}

    def mine(line: bytes) -> bool:
        subject = subject_of(line).decode(errors="replace")
        return subject.startswith(public_url("")) if is_url else subject in places

    return replaced_lines(log, mine, [line for line in ours.splitlines(keepends=True) if mine(line)])
