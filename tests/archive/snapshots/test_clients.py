"""What git-annex itself says of a clone: it knows every file, finds its content, and has nothing to repair."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from archive.datasets.models import Dataset
from archive.snapshots.services import opened, repository_of
from tests.archive.snapshots.state import CLIENTS, git
from tests.factories import make_asset, make_blob, make_dataset, make_zarr, make_zarr_asset, upload_zarr
from tests.factories.zarr import FILES
from tests.machine import require_protocols
from tests.worker import Worker

pytestmark = pytest.mark.django_db(transaction=True)

WITH_ANNEX = {"PATH": f"{CLIENTS}:{os.environ['PATH']}"}
LINKS = {"a.nwb", "deep/er/b.nii.gz", *(f"sub-1/a.ome.zarr/{path}" for path in FILES)}


@pytest.fixture
def dataset(worker: Worker) -> Dataset:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    make_asset(dataset, "deep/er/b.nii.gz", blob=make_blob(dataset))
    make_asset(dataset, "README.md", blob=make_blob(dataset, b"Mice.\n"))
    make_zarr_asset(upload_zarr(worker, make_zarr(dataset)))
    worker.run()
    return dataset


@pytest.fixture
def clone(dataset: Dataset, tmp_path: Path) -> Path:
    """A clone whose git-annex may ask this machine's store, and has been told of nothing but the repository."""
    with opened(repository_of(dataset)) as folder:
        git(tmp_path, "clone", "--quiet", f"file://{folder}", "clone")
    clone = tmp_path / "clone"
    settings = {
        "user.name": "Ann",
        "user.email": "ann@example.org",
        "annex.security.allowed-ip-addresses": "127.0.0.1",
        "remote.origin.annex-ignore": "true",
    }
    for name, value in settings.items():
        git(clone, "config", name, value)
    annex(clone, "init", "--quiet")
    return clone


def annex(folder: Path, *arguments: str) -> str:
    environment = {**WITH_ANNEX, "HOME": str(folder.parent), "LC_ALL": "C.UTF-8"}
    done = subprocess.run(
        ["git-annex", *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_annex_knows_where_every_file_is(dataset: Dataset, clone: Path) -> None:
    found = [json.loads(line) for line in annex(clone, "whereis", "--json").splitlines()]
    archive = str(repository_of(dataset).annex_uuid)
    assert {each["file"] for each in found} == LINKS
    assert all(archive in {place["uuid"] for place in each["whereis"]} for each in found)
    assert all(any(place["urls"] for place in each["whereis"]) for each in found)


def test_annex_gets_every_file_and_finds_nothing_to_repair(clone: Path) -> None:
    require_protocols()
    annex(clone, "get", "--quiet", ".")
    before = git(clone, "rev-parse", "HEAD")
    annex(clone, "fsck", "--quiet")
    annex(clone, "fsck", "--quiet", "--fast", "--from", "web")
    assert git(clone, "status", "--porcelain", environment=WITH_ANNEX) == b""
    assert git(clone, "rev-parse", "HEAD") == before
    assert (clone / "sub-1/a.ome.zarr/0/0/0").read_bytes() == FILES["0/0/0"]
    assert (clone / "README.md").read_bytes() == b"Mice.\n"


def test_annex_keeps_the_rules_of_the_archive_in_a_clone(clone: Path) -> None:
    for name in ("new.nwb", "CHANGES", "large.json"):
        (clone / name).write_bytes(b"x" * (2**20 + 1 if name == "large.json" else 10))
    annex(clone, "add", "--quiet", ".")
    assert {name for name in ("new.nwb", "CHANGES", "large.json") if (clone / name).is_symlink()} == {
        "new.nwb",
        "large.json",
    }
    assert "SHA256E" in str((clone / "new.nwb").readlink())
