"""A pusher's own repository, which holds what no git would make, and the place where their pushes land."""

import hashlib
import os
import subprocess
import zlib
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

from django.conf import settings

from archive.accounts.policy import Actor
from archive.blobs.models import Blob, Upload
from archive.datasets.models import Dataset
from archive.git_annex.files import link_target
from archive.git_annex.keys import annex_key
from archive.snapshots.pushing.judging import Wanted, judge_and_apply
from archive.snapshots.pushing.receiving import Push, receive
from archive.storage.queries import list_objects
from archive.timeline.models import Change, Timeline
from tests.archive.assets.state import everything
from tests.factories import make_blob_row, owner_of

MAX_PACK = 2**20
NONE = "0" * 40
MAIN = "refs/heads/main"
ANNEX = "refs/heads/git-annex"
FILE, EXECUTABLE, LINK, FOLDER = "100644", "100755", "120000", "40000"
PERSON = "Jane Doe <jane@example.org> 1700000000 +0000"
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}

Tree = Mapping[str | bytes, "bytes | str | Tree | tuple[str, str] | tuple[str, bytes]"]


def run_git(folder: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    return subprocess.run(
        ["git", *arguments], cwd=folder, input=stdin, env=ENVIRONMENT, capture_output=True, check=True
    ).stdout


def new_repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    run_git(folder, "init", "--quiet", "--bare", "--template=", "--initial-branch=main")
    return folder


@dataclass
class Pusher:
    """Makes commits in a repository of their own."""

    folder: Path

    def git(self, *arguments: str, stdin: bytes = b"") -> str:
        return run_git(self.folder, *arguments, stdin=stdin).decode().strip()

    def object(self, kind: str, content: bytes) -> str:
        """Write an object as `git hash-object -w --literally` would, and return its name."""
        whole = b"%b %d\0%b" % (kind.encode(), len(content), content)
        name = hashlib.sha1(whole, usedforsecurity=False).hexdigest()
        file = self.folder / "objects" / name[:2] / name[2:]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(zlib.compress(whole))
        return name

    def blob(self, content: bytes) -> str:
        return self.object("blob", content)

    def tree(self, entries: Tree) -> str:
        """A tree of files (bytes), links (text), folders (mappings), and what is given as mode and id or content."""
        found = [(_raw(name), *self._entry(entry)) for name, entry in entries.items()]
        return self.raw_tree(sorted(found, key=lambda each: each[0] + b"/" * (each[1] == FOLDER)))

    def raw_tree(self, entries: list[tuple[bytes, str, str]]) -> str:
        """A tree of names, modes and ids, in that order, whatever they are."""
        return self.object("tree", b"".join(b"%b %b\0%b" % (m.encode(), n, bytes.fromhex(i)) for n, m, i in entries))

    def _entry(self, entry: "bytes | str | Tree | tuple[str, str] | tuple[str, bytes]") -> tuple[str, str]:
        if isinstance(entry, bytes):
            return FILE, self.blob(entry)
        if isinstance(entry, str):
            return LINK, self.blob(entry.encode())
        if isinstance(entry, tuple):
            mode, content = entry
            return mode, content if isinstance(content, str) else self.blob(content)
        return FOLDER, self.tree(entry)

    def commit(self, tree: Tree | str, *parents: str, message: str = "Change it") -> str:
        root = tree if isinstance(tree, str) else self.tree(tree)
        heads = "".join(f"parent {parent}\n" for parent in parents)
        return self.object("commit", f"tree {root}\n{heads}author {PERSON}\ncommitter {PERSON}\n\n{message}\n".encode())

    def pack(self) -> bytes:
        """All there is."""
        ids = self.git("cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
        return run_git(self.folder, "pack-objects", "--stdout", "--quiet", stdin=ids.encode() + b"\n")

    def request(self, *commands: tuple[str, str, str], pack: bytes | None = None) -> bytes:
        """The body of a request to move refs (from, to, name), with everything there is."""
        lines = [" ".join(command) for command in commands]
        lines[0] += "\0 report-status side-band-64k atomic agent=tests"
        packets = b"".join(b"%04x%b" % (len(line.encode()) + 4, line.encode()) for line in lines)
        only_deletes = all(new == NONE for _, new, _ in commands)
        return packets + b"0000" + (b"" if only_deletes else self.pack() if pack is None else pack)


def _raw(name: str | bytes) -> bytes:
    return name if isinstance(name, bytes) else name.encode()


@dataclass
class Answer:
    """What became of a push: what git says of the refs, and what it shows its user as `remote:`."""

    report: list[str] = field(default_factory=list)
    remote: str = ""

    @property
    def is_accepted(self) -> bool:
        return self.report[:1] == ["unpack ok"] and all(line.startswith("ok ") for line in self.report[1:])


def answer_of(body: bytes) -> Answer:
    answer, report = Answer(), b""
    for packet in _packets(body):
        if packet[:1] == b"\1":
            report += packet[1:]
        elif packet:
            answer.remote += packet[1:].decode()
    answer.report = [packet.decode().strip() for packet in _packets(report) if packet]
    return answer


def _packets(body: bytes) -> list[bytes]:
    file, packets = BytesIO(body), []
    while head := file.read(4):
        packets.append(file.read(max(0, int(head, 16) - 4)))
    return packets


@contextmanager
def spooled(body: bytes) -> Iterator[IO[bytes]]:
    with TemporaryFile() as file:
        file.write(body)
        file.seek(0)
        yield file


@dataclass
class Place:
    """Where a dataset's pushes land: a repository in a folder."""

    dataset: Dataset
    folder: Path
    own_files: Mapping[str, str] = field(default_factory=dict)
    free: Collection[str] = ()

    @property
    def main(self) -> str:
        return run_git(self.folder, "for-each-ref", "--format=%(objectname)", MAIN).decode().strip()

    @property
    def annex(self) -> str:
        return run_git(self.folder, "for-each-ref", "--format=%(objectname)", ANNEX).decode().strip()

    def prepare(self, push: Push, wanted: Wanted) -> None:
        run_git(self.folder, "fetch", "--quiet", str(push.git.folder), *filter(None, wanted))

    def move(self, wanted: Wanted, actor: Actor, change: Change | None) -> None:
        for name, commit in zip((MAIN, ANNEX), wanted, strict=True):
            if commit:
                run_git(self.folder, "update-ref", name, commit)

    def set_main(self, pusher: Pusher, commit: str) -> None:
        """The archive itself has written a commit."""
        run_git(self.folder, "fetch", "--quiet", str(pusher.folder), commit)
        run_git(self.folder, "update-ref", MAIN, commit)

    def push(self, request: bytes, actor: Actor | None = None) -> Answer:
        """What becomes of a push by the dataset's owner, or somebody else."""
        judging = partial(judge_and_apply, actor or owner_of(self.dataset), self.dataset, self)
        with spooled(request) as body:
            said = receive(self.folder, body, judging, seconds=60, max_size=MAX_PACK)
            return answer_of(b"".join(said))


# --- A draft, and what a push must not change of it ------------------------------------------------------------------

CONTENT = b"What a mouse saw.\n"
KEY = annex_key(path="a.txt", size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest())
GOOD: dict[str | bytes, Any] = {
    "README.md": b"# Mice\n",
    "a.txt": link_target("a.txt", KEY),
    "sub-1": {"notes.txt": b"One.\n"},
}


def first_push(place: Place, pusher: Pusher) -> str:
    """Push the draft of GOOD, and return the commit that `main` is at then."""
    uploader = owner_of(place.dataset).user
    assert uploader
    make_blob_row(uploader, size=len(CONTENT), sha256=KEY.digest)
    commit = pusher.commit(GOOD)
    assert place.push(pusher.request((NONE, commit, MAIN))).is_accepted
    return commit


def traces(place: Place) -> dict[str, Any]:
    """All that a push could leave behind."""
    return {
        **everything(place.dataset),
        "timeline": list(Timeline.objects.values_list("dataset_id", "number")),
        "blobs": sorted(Blob.objects.values_list("pk", flat=True)),
        "uploads": Upload.objects.count(),
        "objects": [found.key for page in list_objects("") for found in page],
        "refs": run_git(place.folder, "for-each-ref"),
        "git": sorted(path.name for path in (place.folder / "objects").rglob("*")),
        "scratch": sorted(Path(settings.SNAPSHOT_CACHE).glob("*")),
    }


def refused(place: Place, request: bytes, actor: Actor | None = None) -> str:
    """What the pusher is told when a push is refused that leaves no trace."""
    before = traces(place)
    answer = place.push(request, actor)
    assert not any(line.startswith("ok ") for line in answer.report)
    assert traces(place) == before
    return answer.remote + "\n".join(answer.report)
