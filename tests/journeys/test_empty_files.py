"""Files of no bytes, by the real clients: in by dandi, git and git-annex, and out by all of them."""

from pathlib import Path

import httpx
import pytest

from tests.journeys.client import DandiClient
from tests.journeys.git_client import GitClient
from tests.journeys.rest import create_dandiset, wait_until_valid
from tests.journeys.running import RunningArchive
from tests.journeys.test_dandi_client import download, draft_url, publish
from tests.journeys.test_repositories import wait_until_followed

TEXT = "CHANGES"
BINARY = "sub-a/sub-a_events.bin"
ZARR = "sub-a/sub-a_image.ome.zarr"
IN_ZARR = f"{ZARR}/0/empty"

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture
def owner(running_archive: RunningArchive, tmp_path: Path) -> GitClient:
    """The programs of the dataset's owner."""
    return GitClient(running_archive.url, running_archive.token, tmp_path / "owner")


@pytest.fixture
def anybody(running_archive: RunningArchive, tmp_path: Path) -> GitClient:
    """The programs of somebody without a token."""
    return GitClient(running_archive.url, "", tmp_path / "anybody")


@pytest.fixture
def dandiset(api: httpx.Client) -> str:
    return create_dandiset(api, "Empty files")


def write_empty(folder: Path, *paths: str) -> None:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()


def sizes(folder: Path, *paths: str) -> list[int]:
    """How many bytes each file has; a link counts as what it leads to, which must be there."""
    return [(folder / path).stat().st_size for path in paths]


def test_empty_files_that_dandi_uploads_are_downloaded_cloned_and_got(
    running_archive: RunningArchive, dandi: DandiClient, anybody: GitClient, api: httpx.Client, dandiset: str
) -> None:
    dandi.run("download", "--download", "dandiset.yaml", draft_url(dandi, dandiset))
    folder = dandi.folder / dandiset
    dandi.script("make_zarr", str(folder / ZARR), "1")
    write_empty(folder, TEXT, BINARY, IN_ZARR)
    # What the client itself takes for data is what its developers let it pass over.
    anything = ("--allow-any-path", "--validation", "skip")
    dandi.run("upload", "-i", dandi.api_url, *anything, within=folder, DANDI_DEVEL="1")
    wait_until_valid(api, dandiset)
    wait_until_followed(running_archive, dandiset)

    assert sizes(download(dandi, draft_url(dandi, dandiset), "again"), TEXT, BINARY, IN_ZARR) == [0, 0, 0]

    clone = anybody.clone(dandiset, "cloned")
    anybody.git("annex", "get", ".", within=clone)
    anybody.git("annex", "fsck", within=clone)
    assert sizes(clone, TEXT, BINARY, IN_ZARR) == [0, 0, 0]

    anybody.run("datalad", "clone", anybody.repository_url(dandiset), "dataset")
    dataset = anybody.folder / "dataset"
    anybody.run("datalad", "get", BINARY, IN_ZARR, within=dataset)
    assert sizes(dataset, TEXT, BINARY, IN_ZARR) == [0, 0, 0]


def test_empty_files_that_are_pushed_are_published_and_downloaded_by_dandi(
    running_archive: RunningArchive, owner: GitClient, anybody: GitClient, dandi: DandiClient, dandiset: str
) -> None:
    clone = owner.clone(dandiset, "pushed")
    owner.git("annex", "init", within=clone)
    write_empty(clone, TEXT, BINARY)
    (clone / "full.bin").write_bytes(b"full")
    owner.git("add", TEXT, within=clone)
    owner.git("-c", "annex.largefiles=anything", "annex", "add", BINARY, "full.bin", within=clone)
    owner.git("commit", "-q", "-m", "Empty files", within=clone)
    owner.git("annex", "copy", "--to", "origin", within=clone)
    owner.git("push", "origin", "main", within=clone)
    wait_until_followed(running_archive, dandiset)

    version = publish(dandi, dandiset)
    published_url = f"{dandi.api_url}/dandisets/{dandiset}/versions/{version}"
    assert sizes(download(dandi, published_url, "downloaded"), TEXT, BINARY) == [0, 0]
    owner.git("annex", "drop", within=clone)
    owner.git("annex", "get", within=clone)
    assert sizes(clone, TEXT, BINARY) == [0, 0]
    owner.git("annex", "fsck", "--from", "origin", within=clone)

    published = anybody.clone(dandiset, "published", "--branch", version)
    anybody.git("annex", "get", BINARY, within=published)
    assert sizes(published, TEXT, BINARY) == [0, 0]
