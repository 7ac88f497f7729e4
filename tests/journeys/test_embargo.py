"""The real `dandi` client and an embargoed dataset: its owner, others, a viewer, a reviewer; its release."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.journeys.client import DandiClient
from tests.journeys.rest import VALID_METADATA, rest_client, success
from tests.journeys.running import RunningArchive, wait_for
from tests.journeys.test_dandi_client import MIB, assets_in, draft_url, upload, write_files

FILES = [("sub-a/sub-a_ses-1.nwb", 1, MIB), ("sub-b/sub-b_ses-1.nwb", 2, MIB)]

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


def client_of(archive: RunningArchive, token: str, folder: Path) -> DandiClient:
    """The `dandi` command of somebody with that token, or with none."""
    folder.mkdir()
    return DandiClient(archive.api_url, token, folder)


@contextmanager
def caller(archive: RunningArchive, token: str) -> Iterator[httpx.Client]:
    """The REST API, called by somebody with that token, or with none."""
    with rest_client(archive) as client:
        client.headers["Authorization"] = f"token {token}"
        if not token:
            del client.headers["Authorization"]
        yield client


def download(dandi: DandiClient, url: str) -> Path:
    """Downloads a draft to the client's folder; the client checks each file's digest, and fails when one differs."""
    dandi.run("download", url)
    (folder,) = (each for each in dandi.folder.iterdir() if each.is_dir() and each.name.isdigit())
    return folder


def statuses(api: httpx.Client, dandiset: str, asset: dict[str, Any]) -> list[int]:
    """What reading each kind of thing is answered with."""
    draft = f"/dandisets/{dandiset}/versions/draft/"
    paths = [
        f"/dandisets/{dandiset}/",
        draft,
        f"{draft}assets/",
        f"/assets/{asset['asset_id']}/",
        f"/assets/{asset['asset_id']}/download/",
    ]
    return [api.get(path).status_code for path in paths]


def test_from_an_embargoed_dandiset_to_a_released_one(
    running_archive: RunningArchive, dandi: DandiClient, api: httpx.Client, tmp_path: Path
) -> None:
    dandiset: str = dandi.script("create_embargoed_dandiset", "A secret journey")
    url = draft_url(dandi, dandiset)
    folder = dandi.folder / dandiset
    dandi.run("download", "--download", "dandiset.yaml", url)
    write_files(dandi, folder, FILES)
    upload(dandi, folder)
    metadata = VALID_METADATA | {"schemaVersion": api.get("/info/").json()["schema_version"]}
    success(api.put(f"/dandisets/{dandiset}/versions/draft/", json={"name": "Secret", "metadata": metadata}))

    # The owner has it back.
    owner = client_of(running_archive, running_archive.token, tmp_path / "owner")
    assert assets_in(download(owner, url)) == assets_in(folder)

    # Nobody else has, by any means.
    [asset, _] = success(api.get(f"/dandisets/{dandiset}/versions/draft/assets/?metadata=true")).json()["results"]
    [_, object_url] = asset["metadata"]["contentUrl"]
    digest = {"algorithm": "dandi:dandi-etag", "value": asset["metadata"]["digest"]["dandi:dandi-etag"]}
    stranger_token = running_archive.manage("manage.py", "create_token", "stranger@example.org").strip()
    with caller(running_archive, "") as anonymous, caller(running_archive, stranger_token) as stranger:
        assert statuses(anonymous, dandiset, asset) == [401] * 5
        assert statuses(stranger, dandiset, asset) == [403] * 5
        assert anonymous.post("/blobs/digest/", json=digest).status_code == 404
        assert stranger.post("/blobs/digest/", json=digest).status_code == 404
        assert httpx.get(f"{running_archive.url}/dandiset/{dandiset}/draft", trust_env=False).status_code == 404
        assert httpx.get(object_url, trust_env=False).status_code == 403
    with pytest.raises(AssertionError, match="failed"):
        download(client_of(running_archive, "", tmp_path / "anonymous"), url)
    with pytest.raises(AssertionError, match="failed"):
        download(client_of(running_archive, stranger_token, tmp_path / "stranger"), url)

    # A viewer reads all of it and changes nothing.
    success(api.put(f"/dandisets/{dandiset}/viewers/", json=[{"username": "stranger@example.org"}]))
    viewer = client_of(running_archive, stranger_token, tmp_path / "viewer")
    seen = download(viewer, url)
    assert assets_in(seen) == assets_in(folder)
    write_files(viewer, seen, [("sub-c/sub-c.nwb", 3, MIB)])
    with pytest.raises(AssertionError, match="failed"):
        upload(viewer, seen)
    success(api.put(f"/dandisets/{dandiset}/viewers/", json=[]))

    # A reviewer reads all of it, and does not learn whose it is.
    link = success(api.post(f"/dandisets/{dandiset}/reviewer-links/", json={"label": "Reviewer 2"})).json()
    reviewed = download(client_of(running_archive, link["secret"], tmp_path / "reviewer"), url)
    assert assets_in(reviewed) == assets_in(folder)
    told = (reviewed / "dandiset.yaml").read_text()
    assert "Sample, Person" not in told
    assert "sample@example.org" not in told
    success(api.delete(f"/dandisets/{dandiset}/reviewer-links/{link['id']}/"))
    with pytest.raises(AssertionError, match="failed"):
        download(client_of(running_archive, link["secret"], tmp_path / "late reviewer"), url)

    # Everybody has it from the release on; the objects follow.
    success(api.post(f"/dandisets/{dandiset}/unembargo/"))
    with caller(running_archive, "") as anonymous:
        assert statuses(anonymous, dandiset, asset) == [200, 200, 200, 200, 302]
    everybody = download(client_of(running_archive, "", tmp_path / "everybody"), url)
    assert assets_in(everybody) == assets_in(folder)
    wait_for(lambda: opened(api, dandiset), seconds=60)
    assert httpx.get(object_url, trust_env=False).status_code == 200
    later = download(client_of(running_archive, "", tmp_path / "later"), url)
    metadata = yaml.safe_load((later / "dandiset.yaml").read_text())
    assert metadata["access"][0]["status"] == "dandi:OpenAccess"


def opened(api: httpx.Client, dandiset: str) -> None:
    """Raises LookupError as long as the dandiset is not open."""
    if success(api.get(f"/dandisets/{dandiset}/")).json()["embargo_status"] != "OPEN":
        raise LookupError
