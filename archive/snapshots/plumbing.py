"""Running git. Every child has the same few lines of environment and no other configuration, and comes to an end."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic

GIT = shutil.which("git") or "git"
HOUR = 3600.0
POLL_SECONDS = 1.0
LAST_WORDS = 2000

# Nothing of who started this program, nor of the machine, is to decide what git does.
ENVIRONMENT = {
    "PATH": os.defpath,
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "TZ": "UTC",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ADVICE": "0",
}
# No hooks, no housekeeping in the background, and a bound on what packing may use.
CONFIGURATION = {
    "core.hooksPath": os.devnull,
    "gc.auto": "0",
    "maintenance.auto": "false",
    "pack.threads": "1",
    "pack.windowMemory": "64m",
    "core.deltaBaseCacheLimit": "64m",
    "safe.directory": "*",
}

Beat = Callable[[], None]


class GitError(Exception):
    """A git child failed, or took too long; the message holds its last words."""


def command(*arguments: str) -> list[str]:
    """The command line of a git child with these arguments; to be run with ENVIRONMENT."""
    settings = [part for name, value in CONFIGURATION.items() for part in ("-c", f"{name}={value}")]
    return [GIT, *settings, *arguments]


def run(*arguments: str, folder: Path, stdin: bytes = b"", beat: Beat | None = None, seconds: float = HOUR) -> bytes:
    """What git says on its standard output, when it is run in the repository `folder`.

    `beat` is called about every second. Raises GitError when git fails, or is not done in so many seconds.
    """
    with tempfile.TemporaryFile() as said, _child(arguments, folder, said.fileno()) as child:
        until = monotonic() + seconds
        pending: bytes | None = stdin
        while True:
            try:
                answer, _ = child.communicate(pending, timeout=POLL_SECONDS)
            except subprocess.TimeoutExpired:
                pending = None
                if monotonic() > until:
                    raise GitError(f"git {arguments[0]} was not done in {seconds:.0f} seconds.") from None
                if beat:
                    beat()
            else:
                break
        _require_success(arguments, child, said.fileno())
        return answer


def feed(*arguments: str, folder: Path, chunks: Iterable[bytes], beat: Beat | None = None) -> None:
    """Run git in the repository `folder` with `chunks` as its standard input, written as they come.

    Whatever is raised by `chunks` ends git at once, and goes on. When they are all written, `beat` is called about
    every second. Raises GitError when git fails.
    """
    with tempfile.TemporaryFile() as said, _child(arguments, folder, said.fileno(), stdout=said.fileno()) as child:
        assert child.stdin is not None  # noqa: S101 - it is a pipe, see `_child`
        # When git has ended before its time, its last words say why.
        with suppress(BrokenPipeError):
            for chunk in chunks:
                child.stdin.write(chunk)
            child.stdin.close()
        _wait(arguments, child, beat)
        _require_success(arguments, child, said.fileno())


def lines(*arguments: str, folder: Path, separator: bytes = b"\n") -> Iterator[bytes]:
    """What git says on its standard output, line by line, as it comes. Raises GitError when git fails."""
    with tempfile.TemporaryFile() as said, _child(arguments, folder, said.fileno()) as child:
        assert child.stdin is not None  # noqa: S101 - they are pipes, see `_child`
        assert child.stdout is not None  # noqa: S101
        child.stdin.close()
        rest = b""
        while chunk := child.stdout.read(2**16):
            *whole, rest = (rest + chunk).split(separator)
            yield from whole
        _wait(arguments, child)
        _require_success(arguments, child, said.fileno())


@contextmanager
def _child(
    arguments: Sequence[str], folder: Path, stderr: int, *, stdout: int = subprocess.PIPE
) -> Iterator["subprocess.Popen[bytes]"]:
    """A running git child in a session of its own; it and its own children are gone when the block ends."""
    child = subprocess.Popen(  # noqa: S603 - the arguments are this program's own, and no shell reads them
        command(*arguments),
        cwd=folder,
        env={**ENVIRONMENT, "GIT_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        if child.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
        for pipe in (child.stdin, child.stdout):
            with suppress(BrokenPipeError):
                if pipe:
                    pipe.close()
        child.wait()


def _wait(arguments: Sequence[str], child: "subprocess.Popen[bytes]", beat: Beat | None = None) -> None:
    until = monotonic() + HOUR
    while monotonic() < until:
        with suppress(subprocess.TimeoutExpired):
            child.wait(timeout=POLL_SECONDS)
            return
        if beat:
            beat()
    raise GitError(f"git {arguments[0]} does not end.")


def _require_success(arguments: Sequence[str], child: "subprocess.Popen[bytes]", said: int) -> None:
    if child.returncode == 0:
        return
    size = os.fstat(said).st_size
    words = os.pread(said, LAST_WORDS, max(0, size - LAST_WORDS)).decode(errors="replace").strip()
    raise GitError(f"git {arguments[0]} failed with code {child.returncode}: {words}")


def new_repository(folder: Path, *, objects_of: Path | None = None) -> Path:
    """Make a bare, empty repository in `folder`, which reads the objects of another one too, if one is given."""
    folder.mkdir(parents=True, exist_ok=True)
    run("init", "--quiet", "--bare", "--template=", "--initial-branch=main", folder=folder)
    if objects_of is not None:
        alternates = folder / "objects/info/alternates"
        alternates.parent.mkdir(exist_ok=True)
        alternates.write_text(f"{objects_of / 'objects'}\n")
    return folder
