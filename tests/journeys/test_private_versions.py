"""A private dataset gets versions with labels, is released, and goes on: by git, git-annex, DataLad and `dandi`."""

from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.journeys.client import DandiClient
from tests.journeys.git_client import GitClient
from tests.journeys.rest import VALID_METADATA, add_file, success, wait_for_version, wait_until_valid
from tests.journeys.running import RunningArchive, wait_for
from tests.journeys.test_repositories import wait_until_followed

FIRST, SECOND, THIRD = "sub-1/first.bin", "sub-1/second.bin", "sub-1/third.bin"
CONTENTS = {FIRST: b"first" * 1000, SECOND: b"second" * 1000, THIRD: b"third" * 1000}
JOB_SECONDS = 60

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


class Lab(NamedTuple):
    """Whose dataset it is, with all of their programs; and somebody who knows nobody there."""

    api: httpx.Client
    archive: RunningArchive
    owner: GitClient
    stranger: GitClient


@pytest.fixture
def lab(running_archive: RunningArchive, stranger_token: str, api: httpx.Client, tmp_path: Path) -> Lab:
    owner = GitClient(running_archive.url, running_archive.token, tmp_path / "owner")
    return Lab(api, running_archive, owner, GitClient(running_archive.url, stranger_token, tmp_path / "stranger"))


def create_private(api: httpx.Client) -> str:
    """Create a private dataset; returns its identifier."""
    body = {"name": "Private", "metadata": VALID_METADATA | {"license": ["none yet"]}}
    identifier: str = success(api.post("/dandisets/?private=true", json=body)).json()["identifier"]
    return identifier


def make_version(api: httpx.Client, dandiset: str, label: str) -> None:
    """Make a version in whatever state the draft is, and wait until it is there."""
    body = {"label": label, "rules": "bids"}
    job = success(api.post(f"/dandisets/{dandiset}/versions/", json=body)).headers["Location"]

    def ended() -> None:
        if success(api.get(job.removeprefix("/api"))).json()["state"] != "succeeded":
            raise LookupError(job)

    wait_for(ended, JOB_SECONDS)


def remove_file(api: httpx.Client, dandiset: str, path: str) -> None:
    draft = f"/dandisets/{dandiset}/versions/draft/assets/"
    (asset,) = success(api.get(draft, params={"path": path})).json()["results"]
    success(api.delete(f"{draft}{asset['asset_id']}/"))


def release(api: httpx.Client, dandiset: str) -> None:
    """Release the dataset, and wait until it is open."""
    success(api.post(f"/dandisets/{dandiset}/unembargo/"))

    def opened() -> None:
        if success(api.get(f"/dandisets/{dandiset}/")).json()["embargo_status"] != "OPEN":
            raise LookupError(dandiset)

    wait_for(opened, JOB_SECONDS)


def commits(git: GitClient, clone: Path) -> dict[str, str]:
    """The commits of the tags in a clone, by the tags."""
    lines = git.git("for-each-ref", "--format=%(refname:short) %(objectname)", "refs/tags", within=clone).splitlines()
    return dict(line.split() for line in lines)


def test_private_versions_keep_their_commits_when_the_dataset_is_released(lab: Lab, dandi: DandiClient) -> None:
    dandiset = create_private(lab.api)
    add_file(lab.api, dandiset, FIRST, CONTENTS[FIRST])
    make_version(lab.api, dandiset, "1.0.0")
    remove_file(lab.api, dandiset, FIRST)
    add_file(lab.api, dandiset, SECOND, CONTENTS[SECOND])
    make_version(lab.api, dandiset, "1.1.0")
    wait_until_followed(lab.archive, dandiset)

    # Only who is inside reads it, whole or by version.
    assert lab.stranger.attempt("git", "clone", lab.stranger.repository_url(dandiset)).returncode != 0
    with httpx.Client(base_url=lab.archive.api_url, trust_env=False) as nobody:
        assert nobody.get(f"/dandisets/{dandiset}/versions/1.0.0/").status_code == 401
    clone = lab.owner.clone(dandiset, "before")
    before = commits(lab.owner, clone)
    assert sorted(before) == ["1.0.0", "1.1.0"]
    assert lab.owner.files(clone, "1.0.0") == {FIRST}

    told = success(lab.api.get(f"/dandisets/{dandiset}/unembargo/")).json()
    assert told == {
        "keeps_history": True,
        "versions": ["1.0.0", "1.1.0"],
        "removed_paths": [FIRST],
        "people": [],
    }
    release(lab.api, dandiset)
    add_file(lab.api, dandiset, THIRD, CONTENTS[THIRD])
    wait_until_followed(lab.archive, dandiset)

    # The clone of before goes on, and has what it had.
    lab.owner.git("pull", "--ff-only", within=clone)
    assert lab.owner.files(clone) == {SECOND, THIRD}
    lab.owner.git("fetch", "--tags", within=clone)
    assert commits(lab.owner, clone) == before
    lab.owner.git("annex", "sync", "--only-annex", "--no-content", "--no-push", within=clone)
    lab.owner.git("annex", "get", ".", within=clone)
    assert (clone / THIRD).read_bytes() == CONTENTS[THIRD]

    # Everybody clones a version by its label, and gets a file that only it has.
    theirs = lab.stranger.clone(dandiset, "version", "--branch", "1.0.0")
    assert commits(lab.stranger, theirs) == before
    lab.stranger.git("annex", "get", FIRST, within=theirs)
    assert (theirs / FIRST).read_bytes() == CONTENTS[FIRST]
    lab.stranger.run("datalad", "clone", lab.stranger.repository_url(dandiset), "datalad")
    lab.stranger.run("datalad", "get", SECOND, within=lab.stranger.folder / "datalad")

    # Once it is what DANDI publishes, it gets a version of DANDI's too.
    metadata = VALID_METADATA | {"name": "Private no more"}
    body = {"name": "Private no more", "metadata": metadata}
    success(lab.api.put(f"/dandisets/{dandiset}/versions/draft/", json=body))
    wait_until_valid(lab.api, dandiset)
    success(lab.api.post(f"/dandisets/{dandiset}/versions/draft/publish/"))
    name = wait_for_version(lab.api, dandiset)
    listed = success(lab.api.get(f"/dandisets/{dandiset}/versions/")).json()["results"]
    assert [(row["label"], row["status"]) for row in listed] == [
        (None, "Published"),
        ("1.0.0", "Invalid"),
        ("1.1.0", "Invalid"),
        (None, "Valid"),
    ]
    for version, files in {"1.0.0": [FIRST], "1.1.0": [SECOND], name: [SECOND, THIRD]}.items():
        folder = dandi.folder / version
        folder.mkdir()
        dandi.run(
            "download",
            "--download",
            "assets",
            "--output-dir",
            str(folder),
            f"{dandi.api_url}/dandisets/{dandiset}/versions/{version}",
        )
        found = {path.relative_to(folder / dandiset).as_posix(): path.read_bytes() for path in folder.rglob("*.bin")}
        assert found == {path: CONTENTS[path] for path in files}
