"""Running git. Every child has the same few lines of environment, no other configuration, and limits that end it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import IO, NamedTuple

from archive.errors import InvalidError

GIT = shutil.which("git") or "git"
HOUR = 3600.0
MEMORY = 2 * 2**30
POLL_SECONDS = 1.0
READ_SIZE = 2**16
LAST_WORDS = 2000

# git depends on no setting of the user who started this program, nor of the machine.
ENVIRONMENT = {
    "PATH": os.defpath,
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ADVICE": "0",
}
# No hooks, no housekeeping in the background, and a bound on what packs may use.
CONFIGURATION = {
    "core.hooksPath": os.devnull,
    "gc.auto": "0",
    "maintenance.auto": "false",
    "pack.threads": "1",
    "pack.windowMemory": "64m",
    "core.deltaBaseCacheLimit": "64m",
    "core.packedGitLimit": "512m",
    "core.packedGitWindowSize": "64m",
    "safe.directory": "*",
}
# The shell sets limits for itself, and keeps them when it becomes git by `exec`.
_LIMITED = ("/bin/sh", "-c", f'ulimit -c 0; ulimit -v {MEMORY // 2**10}; exec "$@"', "sh")

Beat = Callable[[], None]


class GitError(Exception):
    """An error for a git process that failed, or took too long; the message holds its last output."""


class ObjectInfo(NamedTuple):
    """The name, kind and size of an object; the kind is `missing` if git does not have it."""

    name: str
    kind: str
    size: int


class Child(NamedTuple):
    """A running git process, and the file that its errors go to."""

    process: "subprocess.Popen[bytes]"
    errors: IO[bytes]

    @property
    def output(self) -> IO[bytes]:
        """Return its standard output."""
        assert self.process.stdout is not None  # noqa: S101 - it is a pipe, see `Git.started`
        return self.process.stdout

    def require_success(self, name: str, beat: Beat | None = None) -> None:
        """Wait for the process, and call `beat` about every second. Raises GitError unless it succeeds."""
        while self.process.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(POLL_SECONDS)
                break
            if beat:
                beat()
        if self.process.returncode == 0:
            return
        said = self.errors.fileno()
        words = os.pread(said, LAST_WORDS, max(0, os.fstat(said).st_size - LAST_WORDS)).decode(errors="replace")
        raise GitError(f"git {name} failed with code {self.process.returncode}: {words.strip()}")


@dataclass(frozen=True)
class Git:
    """The git command in the repository `folder`, with a time limit for each run and `more` environment."""

    folder: Path
    seconds: float = HOUR
    more: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def started(
        self, *arguments: str, stdin: IO[bytes] | int = subprocess.DEVNULL, pass_fds: tuple[int, ...] = ()
    ) -> Iterator[Child]:
        """Yield a running git in a session of its own, killed with its children when the block, or its time, ends."""
        settings = [part for name, value in CONFIGURATION.items() for part in ("-c", f"{name}={value}")]
        with TemporaryFile() as errors:
            process = subprocess.Popen(  # noqa: S603 - the arguments are this program's own
                [*_LIMITED, GIT, *settings, *arguments],
                cwd=self.folder,
                env={**ENVIRONMENT, "GIT_DIR": str(self.folder), **self.more},
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=errors,
                pass_fds=pass_fds,
                start_new_session=True,
            )
            timer = Timer(self.seconds, _end, [process])
            timer.start()
            try:
                yield Child(process, errors)
            finally:
                timer.cancel()
                _end(process)
                for pipe in (process.stdin, process.stdout):
                    with suppress(BrokenPipeError):
                        if pipe:
                            pipe.close()
                process.wait()

    def run(self, *arguments: str, stdin: bytes = b"", beat: Beat | None = None) -> bytes:
        """Run git and return its output, calling `beat` about every second; GitError if it fails or takes too long."""
        with self.started(*arguments, stdin=subprocess.PIPE) as child:
            pending: bytes | None = stdin
            while True:
                try:
                    answer, _ = child.process.communicate(pending, timeout=POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    pending = None
                    if child.process.poll() is not None:
                        # git has ended, but a child of it still holds the pipe of its output open: end that too.
                        _kill(child.process)
                    if beat:
                        beat()
                else:
                    break
            child.require_success(arguments[0])
            return answer

    def feed(self, *arguments: str, chunks: Iterable[bytes], beat: Beat | None = None) -> None:
        """Run git with `chunks` as its input, written as they come; it prints nothing itself.

        Whatever is raised by `chunks` ends git at once, and goes on. When they are all written, `beat` is called about
        every second. Raises GitError when git fails.
        """
        with self.started(*arguments, stdin=subprocess.PIPE) as child:
            assert child.process.stdin is not None  # noqa: S101 - it is a pipe
            # If git ends before it has read all, `require_success` raises what it printed.
            with suppress(BrokenPipeError):
                for chunk in chunks:
                    child.process.stdin.write(chunk)
                child.process.stdin.close()
            child.require_success(arguments[0], beat)

    def lines(
        self, *arguments: str, stdin: IO[bytes] | int = subprocess.DEVNULL, separator: bytes = b"\n"
    ) -> Iterator[bytes]:
        """Yield the lines of git's output as they come; raise GitError when git fails."""
        with self.started(*arguments, stdin=stdin) as child:
            rest = b""
            while chunk := child.output.read(READ_SIZE):
                *whole, rest = (rest + chunk).split(separator)
                yield from whole
            child.require_success(arguments[0])

    def succeeds(self, *arguments: str) -> bool:
        """Return whether git ends well."""
        with self.started(*arguments) as child:
            return child.process.wait() == 0

    def infos(self, names: Iterable[str]) -> Iterator[ObjectInfo]:
        """Yield the kind and size of each object, in the order of the given ids; raise GitError when git fails."""
        told = "--batch-check=%(objectname) %(objecttype) %(objectsize)"
        with _listed(names) as file:
            for line in self.lines("cat-file", told, "--buffer", stdin=file):
                name, kind, *size = line.decode().split()
                yield ObjectInfo(name, kind, int(size[0]) if size else 0)

    def contents(self, names: Iterable[str], *, max_size: int = sys.maxsize) -> Iterator[tuple[str, bytes]]:
        """Yield the id and content of each object, in the order of the given ids.

        Raises InvalidError for one that is larger than it may be, GitError when git fails.
        """
        with _listed(names) as file, self.started("cat-file", "--batch", "--buffer", stdin=file) as child:
            while header := child.output.readline():
                name, kind, *size = header.decode(errors="backslashreplace").split()
                if not size:
                    raise GitError(f"{name} is {kind}")
                if int(size[0]) > max_size:
                    raise InvalidError(f"The {kind} {name} is larger than {max_size} bytes.")
                content = child.output.read(int(size[0]) + 1)
                yield name, content[:-1]
            child.require_success("cat-file")


def new_repository(folder: Path, *, objects_of: Path | None = None) -> Path:
    """Make a bare, empty repository in `folder`, which reads the objects of another one too, if one is given."""
    folder.mkdir(parents=True, exist_ok=True)
    Git(folder).run("init", "--quiet", "--bare", "--template=", "--initial-branch=main")
    if objects_of is not None:
        alternates = folder / "objects/info/alternates"
        alternates.parent.mkdir(exist_ok=True)
        alternates.write_text(f"{objects_of / 'objects'}\n")
    return folder


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill the process and its children, if it has not ended."""
    if process.poll() is None:
        _kill(process)


def _kill(process: "subprocess.Popen[bytes]") -> None:
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def _listed(names: Iterable[str]) -> Iterator[IO[bytes]]:
    """Yield a file with the names, one a line, which git reads at its own pace while its answer is read."""
    with TemporaryFile() as file:
        file.writelines(f"{name}\n".encode() for name in names)
        file.seek(0)
        yield file
