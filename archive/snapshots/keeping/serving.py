"""Serving a repository to those who clone and fetch: git answers them itself, from a folder that is only read."""

import os
import re
from collections.abc import Collection, Generator
from enum import StrEnum
from pathlib import Path
from typing import IO

from archive.errors import BusyError, InvalidError
from archive.snapshots.keeping.git import READ_SIZE, Git
from archive.snapshots.keeping.packets import FLUSH, packet

# Clients may leave out blobs and trees, and fetch them later one by one. With other filters git would look at every
# path of every commit.
_FILTERS = ("blob:none", "blob:limit", "tree")
_OPTIONS = (
    "uploadpack.allowFilter=true",
    "uploadpackfilter.allow=false",
    *(f"uploadpackfilter.{name}.allow=true" for name in _FILTERS),
    # git gives a sign of life after so many seconds of silence: some clients give up after five.
    "uploadpack.keepAlive=1",
    "pack.threads=1",
    "pack.windowMemory=64m",
)
_SETTINGS = tuple(word for option in _OPTIONS for word in ("-c", option))
VERSION_2 = "version=2"
_PROTOCOL = re.compile(r"version=[0-2]")


class Service(StrEnum):
    """A service of git's for clients: one gives objects, the other takes them."""

    UPLOAD_PACK = "git-upload-pack"
    RECEIVE_PACK = "git-receive-pack"

    @property
    def command(self) -> str:
        return self.removeprefix("git-")


def advertised(folder: Path, service: Service, protocol: str, *, seconds: float, hidden: Collection[str] = ()) -> bytes:
    """Return git's advertisement of the repository for clients of a service, in the protocol that they speak.

    Branches that are `hidden` are not told to those who push.
    """
    git = _git(folder, protocol, seconds)
    settings = (*_SETTINGS, *(word for name in hidden for word in ("-c", f"receive.hideRefs={name}")))
    with git.started(*settings, service.command, "--stateless-rpc", "--http-backend-info-refs", ".") as child:
        said = child.output.read()
        child.require_success(service.command)
    return said if protocol == VERSION_2 else packet(f"# service={service}\n".encode()) + FLUSH + said


def fetched(folder: Path, request: IO[bytes], protocol: str, *, seconds: float) -> Generator[bytes, None, None]:
    """Yield git's answer to a client that wants objects: chunks, as they come.

    Raises InvalidError if git has no answer, and BusyError if it was broken off: no client is to take what it has for
    the whole. To most requests that make no sense git says so in its answer.
    """
    git = _git(folder, protocol, seconds)
    with git.started(*_SETTINGS, "upload-pack", "--stateless-rpc", ".", stdin=request) as child:
        has_answered = False
        while chunk := os.read(child.output.fileno(), READ_SIZE):
            has_answered = True
            yield chunk
        code = child.process.wait()
        if code < 0:
            raise BusyError("This took too long to answer; please try again, or ask for less.")
        if code and not has_answered:
            raise InvalidError("This is not a request that git understands.")


def _git(folder: Path, protocol: str, seconds: float) -> Git:
    more = {"GIT_PROTOCOL": protocol} if _PROTOCOL.fullmatch(protocol) else {}
    return Git(folder, seconds, more)
