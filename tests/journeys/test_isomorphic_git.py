"""A program with isomorphic-git pushes from one clone again and again, while the dataset changes by other doors too."""

import json
import subprocess
from pathlib import Path

import httpx
import pytest
from playwright._impl._driver import compute_driver_executable

from tests.journeys.client import SCRIPTS
from tests.journeys.git_client import GitClient
from tests.journeys.openneuro_cli import PACKAGES, require_npm_clients
from tests.journeys.rest import Json, add_file
from tests.journeys.running import RunningArchive
from tests.journeys.test_private_versions import create_private, make_version, release
from tests.journeys.test_repositories import wait_until_followed

SECONDS = 60
WORDS = 2000
THEIRS = "6b8e2bd0-74a5-4a3a-a1c9-7a1a2a0d1f4e"

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


class Uploader:
    """The program, with a clone that it keeps."""

    def __init__(self, url: str, token: str, folder: Path) -> None:
        self._asked = {"packages": str(PACKAGES), "url": url, "token": token, "folder": str(folder)}
        self.logs: dict[str, str] = {}
        self.commits: list[Json] = []

    def upload(self, number: int) -> None:
        """Push a file, and a line about a key of its own."""
        log, line = f"abc/{number:03}/MD5E-s{number}--{number:032}.log", f"176430000{number}s 1 {THEIRS}\n"
        asked = self._asked | {"path": f"pushed-{number}.txt", "log": log, "line": line}
        node, _ = compute_driver_executable()
        command = [node, SCRIPTS / "isomorphic.cjs", json.dumps(asked)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        assert done.returncode == 0, done.stderr[-WORDS:]
        self.commits.append(json.loads(done.stdout))
        self.logs[log] = line


@pytest.fixture
def dandiset(api: httpx.Client) -> str:
    return create_private(api)


@pytest.fixture
def uploader(running_archive: RunningArchive, dandiset: str, tmp_path: Path) -> Uploader:
    require_npm_clients()
    return Uploader(f"{running_archive.url}/git/{dandiset}", running_archive.token, tmp_path / "clone")


def test_one_clone_pushes_both_branches_through_an_upload_a_version_and_a_release(
    running_archive: RunningArchive, api: httpx.Client, dandiset: str, uploader: Uploader, tmp_path: Path
) -> None:
    uploader.upload(1)
    add_file(api, dandiset, "uploaded.bin", b"uploaded" * 1000)
    wait_until_followed(running_archive, dandiset)
    uploader.upload(2)
    make_version(api, dandiset, "1.0.0")
    wait_until_followed(running_archive, dandiset)
    release(api, dandiset)
    wait_until_followed(running_archive, dandiset)
    uploader.upload(3)
    wait_until_followed(running_archive, dandiset)

    assert [pushed["isClean"] for pushed in uploader.commits] == [True, True, True]
    reader = GitClient(running_archive.url, "", tmp_path / "reader")
    clone = reader.clone(dandiset, "clone")
    assert reader.files(clone) == {"pushed-1.txt", "pushed-2.txt", "pushed-3.txt", "uploaded.bin"}
    assert reader.files(clone, "1.0.0") == {"pushed-1.txt", "pushed-2.txt", "uploaded.bin"}
    for pushed in uploader.commits:
        reader.git("merge-base", "--is-ancestor", pushed["main"], "HEAD", within=clone)
        reader.git("merge-base", "--is-ancestor", pushed["annex"], "origin/git-annex", within=clone)
    told = {log: reader.git("show", f"origin/git-annex:{log}", within=clone) for log in uploader.logs}
    assert told == uploader.logs
    reader.git("annex", "init", within=clone)
    reader.git("annex", "get", "uploaded.bin", within=clone)
    listed = api.get(f"/dandisets/{dandiset}/versions/draft/assets/").json()["results"]
    assert {row["path"] for row in listed} == reader.files(clone)
