"""What is in a repository, as plain git tells it; and what should be, by the rows."""

import hashlib
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from archive.assets.queries import assets_of
from archive.datasets.models import Dataset, Version
from archive.git_annex.files import link_target
from archive.git_annex.keys import annex_key
from archive.snapshots.queries import references
from archive.snapshots.services import opened, repository_of
from archive.storage.queries import read_whole
from archive.zarr.queries import ZarrView, entries_of

# How the archive's own files begin.
OWN = (b"* annex.backend=SHA256E ", b'[datalad "dataset"]\n\tid = ')
CLIENTS = Path(__file__).parents[2] / "clients/.venv/bin"


@dataclass(frozen=True)
class File:
    """A file of a tree: its mode and what is in it."""

    mode: str
    content: bytes


def git(folder: Path, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> bytes:
    """What git says; nothing of whose machine this is decides about that."""
    clean = {"PATH": f"{CLIENTS}:{os.environ['PATH']}", "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    everything = {**clean, **(environment or {})}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=everything, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, (arguments, done.stderr)
    return done.stdout


def files_at(folder: Path, commit: str) -> dict[str, File]:
    """The files of a commit, but for the archive's own, by their paths."""
    lines = git(folder, "ls-tree", "-r", "-z", commit).decode().split("\0")[:-1]
    files = {}
    for line in lines:
        meta, path = line.split("\t")
        mode, _, sha = meta.split()
        files[path] = File(mode, git(folder, "cat-file", "blob", sha))
    return {path: file for path, file in files.items() if not file.content.startswith(OWN)}


def tree_of(dataset: Dataset, commit: str = "main") -> dict[str, File]:
    with opened(repository_of(dataset)) as folder:
        return files_at(folder, commit)


def history_of(dataset: Dataset) -> list[str]:
    """The subjects of the commits of `main`, oldest first, but for the one before any asset."""
    with opened(repository_of(dataset)) as folder:
        subjects = git(folder, "log", "--reverse", "--format=%s", "main").decode().splitlines()
    return [subject for subject in subjects if subject != "Begin the dataset"]


def refs_of(dataset: Dataset) -> dict[str, str]:
    """The references, as git tells them, which is as Postgres does; and the repository is sound."""
    repository = repository_of(dataset)
    with opened(repository) as folder:
        assert git(folder, "fsck", "--strict", "--no-dangling") == b""
        refs = [line.split() for line in git(folder, "for-each-ref", "--format=%(refname) %(objectname)").splitlines()]
    found = {name.decode(): sha.decode() for name, sha in refs}
    repository.refresh_from_db()
    assert found == references(repository)
    return found


def expected_of(version: Version) -> dict[str, File]:
    """What the tree of a version must be, in plain words; for datasets of which each file's bytes are in the store."""
    files = {}
    for asset in assets_of(version):
        if asset.blob:
            content = read_whole(asset.blob.key) or b""
            if asset.path.endswith((".md", ".json")):
                files[asset.path] = File("100644", content)
            else:
                key = annex_key(path=asset.path, size=asset.size, sha256=hashlib.sha256(content).hexdigest())
                files[asset.path] = File("120000", link_target(asset.path, key).encode())
        elif asset.zarr and asset.zarr_revision:
            for entry in entries_of(ZarrView(asset.zarr, asset.zarr_revision)):
                path = f"{asset.path}/{entry.path}"
                key = annex_key(path=entry.path, size=entry.size or 0, md5=entry.md5)
                files[path] = File("120000", link_target(path, key).encode())
    return files
