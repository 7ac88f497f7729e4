"""Content sent with git-annex's protocol: what is cut off goes on where it was, and the server's memory stays flat.

ARCHIVE_LONG_TESTS=1 sends 2 GiB instead of 200 MiB.
"""

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import httpx
import pytest

from archive.digests import MIB, PART_SIZE
from tests.journeys.git_client import GitClient
from tests.journeys.rest import create_dandiset
from tests.journeys.running import RunningArchive, wait_for

SIZE = 2048 * MIB if os.environ.get("ARCHIVE_LONG_TESTS") else 200 * MIB
MEMORY_LIMIT = 200 * MIB
SAMPLE_SECONDS = 0.05
OPTIONS = {"clientuuid": "00000000-0000-4000-8000-000000000001"}

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]


@pytest.fixture
def owner(running_archive: RunningArchive, tmp_path: Path) -> GitClient:
    """The programs of the datasets' owner."""
    return GitClient(running_archive.url, running_archive.token, tmp_path / "owner")


@pytest.fixture
def clone(owner: GitClient, api: httpx.Client) -> Path:
    """A clone of an empty dataset."""
    clone = owner.clone(create_dandiset(api, "To be filled"), "clone")
    owner.git("annex", "init", within=clone)
    return clone


class Annex:
    """What a clone's origin says of one key, to its owner."""

    def __init__(self, archive: RunningArchive, owner: GitClient, clone: Path, key: str) -> None:
        uuid = owner.git("config", "remote.origin.annex-uuid", within=clone).strip()
        self._url = f"{archive.url}/git-annex/{uuid}/v4"
        self._options = OPTIONS | {"key": key}
        self._client = httpx.Client(auth=("owner", archive.token), timeout=600, trust_env=False)

    def ask(self, verb: str) -> httpx.Response:
        return self._client.post(f"{self._url}/{verb}", params=self._options)

    def offset(self) -> int:
        """How much has been received; LookupError as long as that is nothing."""
        found: int = self.ask("putoffset").json()["offset"]
        if not found:
            raise LookupError("Nothing has been received.")
        return found

    def put(self, chunks: Iterator[bytes], *, offset: int, length: int) -> httpx.Response:
        return self._client.post(
            f"{self._url}/put",
            params=self._options | {"offset": str(offset)},
            headers={"X-git-annex-data-length": str(length), "Content-Type": "application/octet-stream"},
            content=chunks,
        )


# --- Memory -----------------------------------------------------------------------------------------------------------


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def _resident(pid: int) -> int:
    """How many bytes of memory a process has."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def growth_of(pids: list[int]) -> Iterator[dict[int, int]]:
    """By how many bytes each process has at most grown within the block; known at its end."""
    idle = {pid: _resident(pid) for pid in pids}
    growth = dict.fromkeys(pids, 0)
    is_over = Event()

    def watch() -> None:
        while not is_over.wait(SAMPLE_SECONDS):
            for pid in pids:
                growth[pid] = max(growth[pid], _resident(pid) - idle[pid])

    watcher = Thread(target=watch)
    watcher.start()
    try:
        yield growth
    finally:
        is_over.set()
        watcher.join()


# --- Sending ----------------------------------------------------------------------------------------------------------


def numbered(first: int, last: int) -> Iterator[bytes]:
    """Mebibytes of which each has its number, from one on and before another."""
    rest = bytes(range(256)) * 4096
    return (number.to_bytes(8, "big") + rest[8:] for number in range(first, last))


class CutError(Exception):
    """The connection of a client is cut."""


def cut_after(chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield from chunks
    raise CutError


def test_content_that_was_cut_off_goes_on_and_takes_no_memory(
    running_archive: RunningArchive, owner: GitClient, clone: Path
) -> None:
    count = SIZE // MIB
    digest = hashlib.sha256()
    for chunk in numbered(0, count):
        digest.update(chunk)
    annex = Annex(running_archive, owner, clone, f"SHA256E-s{SIZE}--{digest.hexdigest()}.bin")
    with growth_of(_children(running_archive.pid("web"))) as growth:
        with pytest.raises(CutError):
            annex.put(cut_after(numbered(0, count * 6 // 10)), offset=0, length=SIZE)
        time.sleep(1)
        offset = annex.offset()
        assert offset >= SIZE * 6 // 10 - PART_SIZE
        answer = annex.put(numbered(offset // MIB, count), offset=offset, length=SIZE - offset)
        assert answer.json()["stored"]
    assert annex.ask("checkpresent").json() == {"present": True}
    assert growth
    assert max(growth.values()) < MEMORY_LIMIT


def test_copy_that_was_interrupted_goes_on(running_archive: RunningArchive, owner: GitClient, clone: Path) -> None:
    content = clone / "large.bin"
    with content.open("wb") as file:
        file.writelines(numbered(0, 100))
    owner.git("annex", "add", "large.bin", within=clone)
    key = owner.git("annex", "lookupkey", "large.bin", within=clone).strip()
    annex = Annex(running_archive, owner, clone, key)

    with subprocess.Popen(
        ["git", "-c", "annex.bwlimit-upload=40MB", "annex", "copy", "--to", "origin", "large.bin"],
        cwd=clone,
        env=owner.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as copying:
        wait_for(annex.offset, seconds=60)
        copying.send_signal(signal.SIGINT)

    assert annex.ask("checkpresent").json() == {"present": False}
    owner.git("annex", "copy", "--to", "origin", "large.bin", within=clone)
    owner.git("annex", "fsck", "--from", "origin", "large.bin", within=clone)


def test_content_is_moved_and_got_and_dropped(owner: GitClient, clone: Path) -> None:
    (clone / "small.bin").write_bytes(bytes(range(256)) * 100)
    owner.git("annex", "add", "small.bin", within=clone)
    owner.git("commit", "-q", "-m", "A file", within=clone)
    owner.git("annex", "copy", "--to", "origin", within=clone)
    owner.git("push", "origin", "main", within=clone)

    owner.git("annex", "drop", within=clone)
    refused = owner.attempt("git", "annex", "drop", "--force", "--from", "origin", "small.bin", within=clone)
    assert refused.returncode != 0
    owner.git("annex", "get", within=clone)
    owner.git("annex", "fsck", within=clone)
    owner.git("annex", "fsck", "--fast", "--from", "origin", within=clone)
    assert "origin" in owner.git("annex", "whereis", "small.bin", within=clone)
