"""Reading what others have written into a repository: git with limits to its time and memory."""

import hashlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from threading import Timer
from typing import IO, NamedTuple

from archive.errors import InvalidError
from archive.snapshots.plumbing import ENVIRONMENT, GitError, command

READ_SIZE = 2**16
MEMORY = 2 * 2**30

# Limits of the shell's are those of the program that it turns into.
_LIMITED = ("/bin/sh", "-c", f'ulimit -c 0; ulimit -v {MEMORY // 2**10}; exec "$@"', "sh")


class ObjectInfo(NamedTuple):
    """What git says of an object without reading it; of what it does not have, the kind is `missing`."""

    name: str
    kind: str
    size: int


@dataclass(frozen=True)
class Git:
    """git in a repository folder, each run of it ended after so many seconds."""

    folder: Path
    seconds: float
    more: Mapping[str, str] = field(default_factory=dict)

    @contextmanager
    def started(
        self, *arguments: str, stdin: IO[bytes] | int = subprocess.DEVNULL, pass_fds: tuple[int, ...] = ()
    ) -> Iterator["subprocess.Popen[bytes]"]:
        """A run of git, for the block to read from; it ends with the block, or when its time is over."""
        process = subprocess.Popen(  # noqa: S603 - with arguments of ours
            [*_LIMITED, *command(*arguments)],
            cwd=self.folder,
            env={**ENVIRONMENT, **self.more},
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            pass_fds=pass_fds,
            start_new_session=True,
        )
        timer = Timer(self.seconds, _end, [process])
        timer.start()
        try:
            yield process
        finally:
            timer.cancel()
            _end(process)
            process.communicate()

    def lines(self, *arguments: str, stdin: IO[bytes] | int = subprocess.DEVNULL, end: bytes) -> Iterator[bytes]:
        """What git says, in pieces that end with `end`, which is taken off. Raises GitError."""
        with self.started(*arguments, stdin=stdin) as process:
            rest = b""
            while chunk := stdout_of(process).read(READ_SIZE):
                *pieces, rest = (rest + chunk).split(end)
                yield from pieces
            if process.wait():
                raise GitError(f"git {arguments[0]} failed ({process.returncode})")

    def line(self, *arguments: str) -> str:
        """The first line that git says, or nothing. Raises GitError."""
        lines = list(self.lines(*arguments, end=b"\n"))
        return lines[0].decode() if lines else ""

    def succeeds(self, *arguments: str) -> bool:
        """Whether git ends well."""
        with self.started(*arguments) as process:
            return process.wait() == 0

    def infos(self, names: Iterable[str]) -> Iterator[ObjectInfo]:
        """Kind and size of objects, in the order in which they are named, by id or `revision:path`. Raises GitError."""
        with _listed(names) as file:
            for line in self.lines(
                "cat-file", "--batch-check=%(objectname) %(objecttype) %(objectsize)", "--buffer", stdin=file, end=b"\n"
            ):
                name, *told = line.decode(errors="backslashreplace").rsplit(
                    " ", 2 if not line.endswith(b" missing") else 1
                )
                yield ObjectInfo(name, told[0], int(told[1]) if len(told) > 1 else 0)

    def contents(self, names: Iterable[str], *, max_size: int = sys.maxsize) -> Iterator[tuple[str, bytes]]:
        """Id and content of objects that are there, in the order in which they are named.

        Raises InvalidError for one that is larger than it may be, GitError when git fails.
        """
        with _listed(names) as file, self.started("cat-file", "--batch", "--buffer", stdin=file) as process:
            stdout = stdout_of(process)
            while header := stdout.readline():
                name, kind, *size = header.decode(errors="backslashreplace").split()
                if not size:
                    raise GitError(f"{name} is {kind}")
                if int(size[0]) > max_size:
                    raise InvalidError(f"The {kind} {name} is larger than {max_size} bytes.")
                content = stdout.read(int(size[0]) + 1)
                yield name, content[:-1]
            if process.wait():
                raise GitError(f"git cat-file failed ({process.returncode})")


def object_id(kind: str, content: bytes) -> str:
    """What git calls an object."""
    return hashlib.sha1(b"%b %d\0%b" % (kind.encode(), len(content), content), usedforsecurity=False).hexdigest()


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Kill it and its children, if it has not ended."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def stdout_of(process: "subprocess.Popen[bytes]") -> IO[bytes]:
    """What a started run says."""
    assert process.stdout is not None  # noqa: S101 - for the type: it was asked for
    return process.stdout


@contextmanager
def _listed(names: Iterable[str]) -> Iterator[IO[bytes]]:
    """A file with the names, one a line: git can read it at its leisure while its answer is read."""
    with TemporaryFile() as file:
        file.writelines(f"{name}\n".encode() for name in names)
        file.seek(0)
        yield file
