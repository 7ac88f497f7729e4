"""The sample data of a new archive."""

import subprocess
import sys
from typing import Any

import httpx
import pytest

from embedded.home import PROJECT
from tests.journeys.rest import success
from tests.journeys.running import RunningArchive

pytestmark = [pytest.mark.journey, pytest.mark.timeout(120)]


def test_samples_are_completed_and_never_doubled(running_archive: RunningArchive, api: httpx.Client) -> None:
    load(running_archive)
    nwb, bids = samples(api)
    assert nwb["most_recent_published_version"]["asset_count"] == nwb["draft_version"]["asset_count"] == 4
    assert bids["most_recent_published_version"] is None
    before = assets(api, bids)

    lost = before["README.md"]
    success(api.delete(f"/dandisets/{bids['identifier']}/versions/draft/assets/{lost}/"))
    load(running_archive)

    assert [sample["identifier"] for sample in samples(api)] == [nwb["identifier"], bids["identifier"]]
    assert assets(api, bids).keys() == before.keys()


def load(archive: RunningArchive) -> None:
    """Does what the first start does."""
    door = [sys.executable, "-m", "embedded.samples"]
    subprocess.run([*door, "--api-url", archive.api_url, "--token", archive.token], cwd=PROJECT, check=True)


def samples(api: httpx.Client) -> list[dict[str, Any]]:
    """The sample dandisets, oldest first."""
    dandisets = success(api.get("/dandisets/", params={"user": "me", "page_size": 1000})).json()["results"]
    return [dandiset for dandiset in dandisets if dandiset["draft_version"]["name"].startswith("Sample: ")]


def assets(api: httpx.Client, dandiset: dict[str, Any]) -> dict[str, str]:
    """Path -> asset id in a draft."""
    page = success(api.get(f"/dandisets/{dandiset['identifier']}/versions/draft/assets/")).json()
    return {asset["path"]: asset["asset_id"] for asset in page["results"]}
