"""The real `openneuro-py` downloads what is private with a key, goes on after a cut, and gets a version just opened."""

import json
import os
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.journeys.client import COMMAND_SECONDS, PROGRAMS, SCRIPTS
from tests.journeys.rest import DIRECTLY, add_file, success
from tests.journeys.running import RunningArchive
from tests.journeys.test_private_versions import create_private, make_version, release

LARGE = "sub-1/anat/sub-1_T1w.bin"
Contents = dict[str, bytes]

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


class OpenNeuroPy:
    """The client, in a folder where nothing of this machine's user is seen; with a key, if it has one."""

    def __init__(self, archive_url: str, home: Path, key: str = "") -> None:
        self.archive_url = archive_url
        home.mkdir()
        self.environment = {"PATH": str(PROGRAMS), "HOME": str(home), "XDG_CONFIG_HOME": str(home), "NO_PROXY": "*"}
        if key:
            folder = home / "openneuro-py"
            folder.mkdir()
            (folder / "config.json").write_text(json.dumps({"endpoint": archive_url, "apikey": key}))

    def download(self, folder: Path, dataset: str, *tag: str) -> "subprocess.CompletedProcess[str]":
        """Downloads a dataset; returns how that ended."""
        command = [PROGRAMS / "python", SCRIPTS / "openneuro_download.py", self.archive_url, folder, dataset, *tag]
        return subprocess.run(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )


@pytest.fixture
def owner(running_archive: RunningArchive, tmp_path: Path) -> OpenNeuroPy:
    headers = {"Authorization": f"Bearer {running_archive.token}"}
    made = success(httpx.post(f"{running_archive.url}/crn/keygen", headers=headers, **DIRECTLY))
    return OpenNeuroPy(running_archive.url, tmp_path / "owner", made.json()["key"])


@pytest.fixture
def anybody(running_archive: RunningArchive, tmp_path: Path) -> OpenNeuroPy:
    return OpenNeuroPy(running_archive.url, tmp_path / "anybody")


def make_private(api: httpx.Client) -> tuple[str, Contents]:
    """Create a private dataset of files that nobody has sent before; returns its identifier, and what is in them."""
    contents = {
        path: os.urandom(size) for path, size in {"README": 7, LARGE: 500_000, "sub-2/a b (1)+ü.tsv": 99}.items()
    }
    dandiset = create_private(api)
    for path, content in contents.items():
        add_file(api, dandiset, path, content)
    return dandiset, contents


def contents_of(folder: Path) -> Contents:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def assert_downloaded(ended: "subprocess.CompletedProcess[str]", folder: Path, contents: Contents) -> None:
    assert ended.returncode == 0, ended.stdout
    assert contents_of(folder) == contents, ended.stdout


def test_private_draft_is_downloaded_with_a_key_and_goes_on_after_a_cut(
    api: httpx.Client, owner: OpenNeuroPy, anybody: OpenNeuroPy, tmp_path: Path
) -> None:
    dandiset, contents = make_private(api)
    dataset, folder = f"ds{dandiset}", tmp_path / "private"
    refused = anybody.download(tmp_path / "nothing", dataset)
    assert refused.returncode != 0
    assert "restricted dataset" in " ".join(refused.stdout.split())
    assert_downloaded(owner.download(folder, dataset), folder, contents)
    (folder / LARGE).write_bytes(contents[LARGE][:100_000])
    resumed = owner.download(folder, dataset)
    assert_downloaded(resumed, folder, contents)
    assert "downloaded 1 file and 390.6 kB" in " ".join(resumed.stdout.split())


def test_version_that_has_just_been_opened_is_downloaded_by_everybody(
    api: httpx.Client, anybody: OpenNeuroPy, tmp_path: Path
) -> None:
    dandiset, contents = make_private(api)
    make_version(api, dandiset, "1.0.0")
    release(api, dandiset)
    for folder, tag in ((tmp_path / "version", ["1.0.0"]), (tmp_path / "latest", [])):
        assert_downloaded(anybody.download(folder, f"ds{dandiset}", *tag), folder, contents)
