"""The real `dandi` client, from an empty dandiset to a published version, while workers die."""

import hashlib
import json
import time
from pathlib import Path

import pytest

from tests.journeys.client import DandiClient
from tests.journeys.disturbance import WorkerKiller
from tests.journeys.rest import VALID_METADATA
from tests.journeys.running import RunningArchive

MIB = 2**20
FIRST = "sub-a/sub-a_ses-1.nwb"
SECOND = "sub-a/sub-a_ses-2.nwb"
RENAMED = "sub-b/sub-b_ses-2.nwb"
COPY = "sub-b/sub-b_ses-1.nwb"
DOOMED = "sub-c/sub-c.nwb"
LARGE = "sub-d/sub-d.nwb"
# More than one part of 64 MiB.
LARGE_SIZE = 66 * MIB

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture
def folder(dandi: DandiClient) -> Path:
    """A new dandiset's folder."""
    return new_folder(dandi)


@pytest.fixture(scope="module")
def uploaded(lasting_dandi: DandiClient) -> Path:
    """A dandiset's folder, all of which has been uploaded at once: two files, and a copy of the first."""
    folder = new_folder(lasting_dandi)
    write_files(lasting_dandi, folder, [(FIRST, 1, MIB), (SECOND, 2, MIB)])
    (folder / COPY).parent.mkdir()
    (folder / COPY).write_bytes((folder / FIRST).read_bytes())
    upload(lasting_dandi, folder)
    return folder


def test_from_an_empty_dandiset_to_a_published_version_while_workers_are_killed_three_times(
    running_archive: RunningArchive, dandi: DandiClient, folder: Path
) -> None:
    killer = WorkerKiller(running_archive)
    travel(dandi, folder, killer)
    assert len(set(killer.killed)) == 3


def test_uploading_again_sends_only_what_has_changed(lasting_dandi: DandiClient, uploaded: Path) -> None:
    before = lasting_dandi.script("list_assets", uploaded.name)

    assert "3 file exists" in upload(lasting_dandi, uploaded)
    assert lasting_dandi.script("list_assets", uploaded.name) == before

    write_files(lasting_dandi, uploaded, [(FIRST, 3, MIB)])
    upload(lasting_dandi, uploaded)
    after = lasting_dandi.script("list_assets", uploaded.name)
    assert after.keys() == before.keys()
    assert [path for path in after if after[path] != before[path]] == [FIRST]


def test_two_files_of_the_same_content(lasting_dandi: DandiClient, uploaded: Path) -> None:
    assert list(lasting_dandi.script("list_assets", uploaded.name)) == [FIRST, SECOND, COPY]


def travel(dandi: DandiClient, folder: Path, killer: WorkerKiller) -> None:
    """Uploads, changes, moves, deletes and publishes, and sees that a published version stays what it is."""
    dandiset = folder.name
    write_files(dandi, folder, [(FIRST, 1, MIB), (SECOND, 2, MIB), (DOOMED, 3, MIB), (LARGE, 4, LARGE_SIZE)])
    killer.strike_soon()
    upload(dandi, folder)
    dandi.run("move", "-i", dandi.api_url, SECOND, RENAMED, within=folder)
    dandi.run("delete", "-i", dandi.api_url, "--force", str(folder / DOOMED))
    assert list_paths(dandi, draft_url(dandi, dandiset)) == [FIRST, RENAMED, LARGE]

    (folder / DOOMED).unlink()
    killer.strike_soon()
    version = publish(dandi, dandiset)
    published = download(dandi, f"{dandi.api_url}/dandisets/{dandiset}/versions/{version}", "published")
    assert assets_in(published) == assets_in(folder)

    killer.strike_soon()
    edit_the_draft(dandi, folder)
    killer.end()
    draft = download(dandi, draft_url(dandi, dandiset), "draft")
    assert assets_in(draft) == assets_in(folder)
    assert assets_in(draft) != assets_in(published)
    again = download(dandi, f"{dandi.api_url}/dandisets/{dandiset}/versions/{version}", "again")
    assert digests(again) == digests(published)

    second = publish(dandi, dandiset)
    assert second > version
    latest = download(dandi, f"{dandi.api_url}/dandisets/{dandiset}/versions/{second}", "latest")
    assert assets_in(latest) == assets_in(draft)


def edit_the_draft(dandi: DandiClient, folder: Path) -> None:
    """Changes a file, and removes another, of what was just published."""
    write_files(dandi, folder, [(FIRST, 5, MIB)])
    upload(dandi, folder)
    dandi.run("delete", "-i", dandi.api_url, "--force", str(folder / LARGE))
    (folder / LARGE).unlink()


# --- Steps ------------------------------------------------------------------------------------------------------------


def new_folder(dandi: DandiClient) -> Path:
    """Creates a dandiset and downloads it by its identifier: a folder with nothing in it but its dandiset.yaml."""
    identifier: str = dandi.script("create_dandiset", "A journey")
    dandi.run("download", "--download", "dandiset.yaml", draft_url(dandi, identifier))
    return dandi.folder / identifier


def draft_url(dandi: DandiClient, dandiset: str) -> str:
    """The URL of a draft, as the client takes it."""
    return f"{dandi.api_url}/dandisets/{dandiset}/versions/draft"


def write_files(dandi: DandiClient, folder: Path, files: list[tuple[str, int, int]]) -> None:
    """Writes NWB files: path, seed, bytes."""
    # The client takes a file whose time is no later than that of its asset for unchanged.
    time.sleep(0.01)
    dandi.script("make_nwb", str(folder), json.dumps(files))


def upload(dandi: DandiClient, folder: Path) -> str:
    """Runs `dandi upload`; returns what it said."""
    return dandi.run("upload", "-i", dandi.api_url, within=folder)


def publish(dandi: DandiClient, dandiset: str) -> str:
    """Publishes the draft by the client's library; returns the version."""
    version: str = dandi.script("publish", dandiset, json.dumps(VALID_METADATA))
    return version


def download(dandi: DandiClient, url: str, name: str) -> Path:
    """Downloads a version to a new folder; the client checks each file's digest, and fails when one differs."""
    target = dandi.folder / name
    target.mkdir()
    dandi.run("download", "-o", str(target), url)
    (folder,) = target.iterdir()
    return folder


def list_paths(dandi: DandiClient, url: str) -> list[str]:
    """The paths of a version's assets as `dandi ls` tells them."""
    lines = dandi.run("ls", "-r", "-f", "json_lines", url).splitlines()
    records = [json.loads(line) for line in lines if line.startswith("{")]
    return sorted(record["path"] for record in records if "asset_id" in record)


def digests(folder: Path) -> dict[str, str]:
    """Path -> SHA-256 of every file in a folder."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def assets_in(folder: Path) -> dict[str, str]:
    """Path -> SHA-256 of every NWB file in a folder."""
    return {path: digest for path, digest in digests(folder).items() if path.endswith(".nwb")}
