"""Writing commits: one stream into one `git fast-import`, for however many files."""

import hashlib
import tempfile
from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import IO

from archive.git_annex import fast_import as stream
from archive.git_annex.attributes import is_sound_in_git
from archive.git_annex.files import FILE, LINK, link_target
from archive.git_annex.logs import location_log
from archive.git_annex.refs import ANNEX, MAIN
from archive.paths import ancestors
from archive.snapshots.keeping.git import Beat, Git
from archive.snapshots.models import ARCHIVE, Commit, Repository
from archive.snapshots.pushing.uniting import first_logs
from archive.snapshots.writing.delta import Delta, Placed, Point, Removed
from archive.snapshots.writing.logs import Logs
from archive.storage.queries import read_whole

# How many files are read from the store at once, and held in memory until they are written.
READING_THREADS = 16
SPOOLED_IN_MEMORY = 2**20
# How many commits are written, kept and recorded together.
COMMITS_AT_ONCE = 1000


@dataclass(frozen=True)
class Plan:
    """A commit to write: the points it leads from and to, and its author, time and message."""

    since: Point | None
    until: Point
    author_name: str
    author_email: str
    recorded: datetime
    message: str


@dataclass
class Writer:
    """A writer of commits on top of those that a repository has, into the one in `folder`, which reads its objects.

    Keeps what it comes by: the tips, and the paths that git cannot have.
    """

    repository: Repository
    folder: Path
    beat: Beat
    is_public: bool
    main: str = ""
    annex: str = ""
    unfit: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        files = self.repository.own_files.items()
        self._own_files = {path: stream.file(FILE, path, content) for path, content in files}
        self._parents = {MAIN: self.main, ANNEX: self.annex}
        self._has_main, self._has_annex = bool(self.main), bool(self.annex)
        self._marks = 0
        self._pushed_into = self.annex if self.repository.annex_pushes.exists() else ""

    def write(self, plans: Iterable[Plan]) -> list[Commit]:
        """Write the planned commits, and return them; a plan that would change nothing makes none."""
        drafts: list[tuple[Plan, int, int]] = []
        with ThreadPoolExecutor(READING_THREADS) as threads:
            shas = self._import(self._commits(plans, drafts, threads))
        return [self._commit(plan, shas[main], shas.get(annex, "")) for plan, main, annex in drafts]

    def tell(self, files: Iterable[Placed], recorded: datetime) -> None:
        """Write into `git-annex` these files, which are in `main` already."""
        shas = self._import(self._telling(files, recorded))
        # The commit of `git-annex` has the last mark, if one was made.
        self.annex = shas.get(self._marks, self.annex)

    def _import(self, chunks: Iterable[bytes]) -> dict[int, str]:
        """Import the stream, and return the ids of commits by their marks."""
        with tempfile.NamedTemporaryFile(dir=self.folder) as marks:
            options = ("--quiet", "--done", "--date-format=raw", f"--export-marks={marks.name}")
            Git(self.folder).feed("fast-import", *options, chunks=chain(chunks, [stream.DONE]), beat=self.beat)
            pairs = [line.split() for line in Path(marks.name).read_text().splitlines()]
        return {int(mark.removeprefix(":")): sha for mark, sha in pairs}

    def _commit(self, plan: Plan, main: str, annex: str) -> Commit:
        self.main, self.annex = main, annex or self.annex
        return Commit(
            repository=self.repository,
            at=plan.until.at,
            sha=main,
            annex=self.annex,
            author_name=plan.author_name,
            author_email=plan.author_email,
            recorded=plan.recorded,
            message=plan.message,
            left_out=sorted(plan.until.left_out),
        )

    # --- The stream ---------------------------------------------------------------------------------------------------

    def _commits(
        self, plans: Iterable[Plan], drafts: list[tuple[Plan, int, int]], threads: ThreadPoolExecutor
    ) -> Iterator[bytes]:
        for plan in plans:
            delta = self._delta(plan)
            steps = _with_content(delta.steps(), threads)
            first = next(steps, None)
            if first is None and (self._has_main or not self.repository.begins_before_assets):
                continue
            with tempfile.SpooledTemporaryFile(SPOOLED_IN_MEMORY, dir=str(self.folder)) as file:
                main = self._next_mark()
                logs = self._logs(file, plan.recorded)
                author = stream.person(plan.author_name, plan.author_email)
                yield self._head(MAIN, main, author, plan.recorded, plan.message)
                yield from self._tree(chain([first] if first else [], steps), logs)
                annex = yield from self._annex_commit(logs)
            drafts.append((plan, main, annex))

    def _delta(self, plan: Plan) -> Delta:
        number, rules = self.repository.dataset_id, self.repository.rules
        return Delta(number, rules, plan.since, plan.until, self.is_public, self.beat, self.unfit)

    def _telling(self, files: Iterable[Placed], recorded: datetime) -> Iterator[bytes]:
        with tempfile.SpooledTemporaryFile(SPOOLED_IN_MEMORY, dir=str(self.folder)) as file:
            logs = self._logs(file, recorded)
            for placed in files:
                self.beat()
                logs.add(placed)
            yield from self._annex_commit(logs)

    def _logs(self, file: IO[bytes], recorded: datetime) -> Logs:
        # The location log is the same for all keys of a commit: `_annex_commit` gives it the next mark.
        location = location_log(self.repository.places, recorded, is_public=self.is_public)
        return Logs(file, recorded, location, self._marks + 1, Git(self.folder), self._pushed_into)

    def _next_mark(self) -> int:
        self._marks += 1
        return self._marks

    def _head(self, branch: str, mark: int, author: str, recorded: datetime, message: str) -> bytes:
        parent = self._parents.pop(branch, "")
        return stream.commit(
            branch, mark, author=author, committer=ARCHIVE, recorded=recorded, message=message, parent=parent
        )

    def _tree(self, steps: Iterable[tuple[Removed | Placed, bytes | None]], logs: Logs) -> Iterator[bytes]:
        """Yield what the steps do to `main`, and write into `logs` what they add to `git-annex`."""
        if not self._has_main:
            self._has_main = True
            yield from self._own_files.values()
        for step, content in steps:
            self.beat()
            if isinstance(step, Removed):
                yield stream.removal(step.path)
                yield from (file for path, file in self._own_files.items() if step.path in {path, *ancestors(path)})
            elif content is not None:
                yield stream.file(FILE, step.path, content)
            else:
                yield stream.file(LINK, step.path, link_target(step.path, step.key).encode())
                logs.add(step)

    def _annex_commit(self, logs: Logs) -> Generator[bytes, None, int]:
        """Yield a commit of `git-annex` with these logs, if there is anything to say; return its mark, or 0."""
        logs.flush()
        if self._has_annex and not logs.file.tell():
            return 0
        recorded = logs.recorded
        yield stream.blob(self._next_mark(), logs.location)
        mark = self._next_mark()
        yield self._head(ANNEX, mark, ARCHIVE, recorded, "update")
        if not self._has_annex:
            self._has_annex = True
            yield from (stream.file(FILE, *log) for log in first_logs(self.repository, recorded).items())
        logs.file.seek(0)
        yield from iter(lambda: logs.file.read(SPOOLED_IN_MEMORY), b"")
        return mark


def _with_content(
    steps: Iterable[Removed | Placed], threads: ThreadPoolExecutor
) -> Iterator[tuple[Removed | Placed, bytes | None]]:
    """Yield the steps in their order, with the content of what is to be in git: some files are read ahead."""
    waiting: deque[tuple[Removed | Placed, Future[bytes | None] | None]] = deque()
    reading = 0
    for step in steps:
        future = threads.submit(_read, step) if isinstance(step, Placed) and step.text else None
        waiting.append((step, future))
        reading += future is not None
        while waiting and (waiting[0][1] is None or reading >= READING_THREADS):
            ready, future = waiting.popleft()
            reading -= future is not None
            yield ready, future.result() if future else None
    for ready, future in waiting:
        yield ready, future.result() if future else None


def _read(placed: Placed) -> bytes | None:
    """Return a file's content, if the store has it and git takes it; None for a file that is linked to instead."""
    content = read_whole(placed.text)
    if content is None or hashlib.sha256(content).hexdigest() != placed.key.digest:
        return None
    return content if is_sound_in_git(placed.path, content) else None
