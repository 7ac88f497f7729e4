"""The real `dandi` client and an embargoed dataset: its owner, others, a viewer, a reviewer; its release."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.journeys.client import DandiClient
from tests.journeys.rest import VALID_METADATA, rest_client, success
from tests.journeys.running import RunningArchive, wait_for
from tests.journeys.test_dandi_client import MIB, assets_in, upload, write_files
from tests.journeys.test_zarr import PATH, change_a_chunk_and_delete_another, digests, zarr_of
from tests.journeys.test_zarr import upload as upload_image

UNSENT = "sub-c/sub-c.nwb"
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


@dataclass(frozen=True)
class Secret:
    """An embargoed dandiset with what the journey needs to know of it."""

    archive: RunningArchive
    api: httpx.Client
    dandiset: str
    folder: Path
    homes: Path

    @property
    def url(self) -> str:
        return f"{self.archive.api_url}/dandisets/{self.dandiset}/versions/draft"

    def client(self, name: str, token: str) -> DandiClient:
        """The `dandi` command of somebody with that token, in a folder of that name."""
        return client_of(self.archive, token, self.homes / name)

    def downloaded_by(self, name: str, token: str = "") -> Path:
        """What somebody gets; all of it, or the client fails."""
        folder = download(self.client(name, token), self.url)
        assert assets_in(folder) == assets_in(self.folder)
        return folder

    def refused_to(self, name: str, token: str = "") -> None:
        """Sees that somebody gets nothing."""
        with pytest.raises(AssertionError, match="failed"):
            download(self.client(name, token), self.url)


def test_from_an_embargoed_dandiset_to_a_released_one(
    running_archive: RunningArchive, stranger_token: str, dandi: DandiClient, api: httpx.Client, tmp_path: Path
) -> None:
    dandiset: str = dandi.script("create_embargoed_dandiset", "A secret journey")
    secret = Secret(running_archive, api, dandiset, dandi.folder / dandiset, tmp_path)
    dandi.run("download", "--download", "dandiset.yaml", secret.url)
    write_files(dandi, secret.folder, [*FILES, (UNSENT, 3, MIB)])
    (secret.folder / UNSENT).rename(tmp_path / "unsent.nwb")
    upload(dandi, secret.folder)
    metadata = VALID_METADATA | {"schemaVersion": api.get("/info/").json()["schema_version"]}
    success(api.put(f"/dandisets/{dandiset}/versions/draft/", json={"name": "Secret", "metadata": metadata}))

    secret.downloaded_by("owner", running_archive.token)
    nobody_else_reads_it(secret, stranger_token)
    a_viewer_reads_it(secret, stranger_token)
    a_reviewer_reads_it(secret)
    everybody_reads_it_once_released(secret)


def nobody_else_reads_it(secret: Secret, stranger: str) -> None:
    """By no means: API, client, digest, page, or the object's own address."""
    asset = first_asset(secret)
    digest = {"algorithm": "dandi:dandi-etag", "value": asset["metadata"]["digest"]["dandi:dandi-etag"]}
    page = f"{secret.archive.url}/dandiset/{secret.dandiset}/draft"
    with caller(secret.archive, "") as anonymous, caller(secret.archive, stranger) as known:
        assert statuses(anonymous, secret.dandiset, asset) == [401] * 5
        assert statuses(known, secret.dandiset, asset) == [403] * 5
        assert anonymous.post("/blobs/digest/", json=digest).status_code == 404
        assert known.post("/blobs/digest/", json=digest).status_code == 404
        assert anonymous.get(page).status_code == 404
    assert httpx.get(asset["metadata"]["contentUrl"][1], trust_env=False).status_code == 403
    secret.refused_to("nobody")
    secret.refused_to("stranger", stranger)


def a_viewer_reads_it(secret: Secret, stranger: str) -> None:
    """All of it, and changes nothing."""
    viewers = f"/dandisets/{secret.dandiset}/viewers/"
    success(secret.api.put(viewers, json=[{"username": "stranger@example.org"}]))
    seen = secret.downloaded_by("viewer", stranger)
    viewer = secret.client("uploading viewer", stranger)
    (seen / UNSENT).parent.mkdir()
    (secret.homes / "unsent.nwb").rename(seen / UNSENT)
    with pytest.raises(AssertionError, match="failed"):
        upload(viewer, seen)
    success(secret.api.put(viewers, json=[]))


def a_reviewer_reads_it(secret: Secret) -> None:
    """All of it, and does not learn whose it is."""
    links = f"/dandisets/{secret.dandiset}/reviewer-links/"
    link = success(secret.api.post(links, json={"label": "Reviewer 2"})).json()
    told = (secret.downloaded_by("reviewer", link["secret"]) / "dandiset.yaml").read_text()
    assert "Sample, Person" not in told
    assert "sample@example.org" not in told
    success(secret.api.delete(f"{links}{link['id']}/"))
    secret.refused_to("late reviewer", link["secret"])


def everybody_reads_it_once_released(secret: Secret) -> None:
    """At once; the objects, and the metadata, follow."""
    asset = first_asset(secret)
    success(secret.api.post(f"/dandisets/{secret.dandiset}/unembargo/"))
    with caller(secret.archive, "") as anonymous:
        assert statuses(anonymous, secret.dandiset, asset) == [200, 200, 200, 200, 302]
    secret.downloaded_by("everybody")
    wait_for(lambda: opened(secret.api, secret.dandiset), seconds=60)
    assert httpx.get(asset["metadata"]["contentUrl"][1], trust_env=False).status_code == 200
    metadata = yaml.safe_load((secret.downloaded_by("later") / "dandiset.yaml").read_text())
    assert metadata["access"][0]["status"] == "dandi:OpenAccess"


def test_an_embargoed_image_is_read_by_its_owner_and_once_released_by_everybody(
    running_archive: RunningArchive, stranger_token: str, dandi: DandiClient, api: httpx.Client, tmp_path: Path
) -> None:
    dandiset: str = dandi.script("create_embargoed_dandiset", "A secret image")
    secret = Secret(running_archive, api, dandiset, dandi.folder / dandiset, tmp_path)
    dandi.run("download", "--download", "dandiset.yaml", secret.url)
    (secret.folder / PATH).parent.mkdir()
    dandi.script("make_zarr", str(secret.folder / PATH), "1")
    upload_image(dandi, secret.folder)
    change_a_chunk_and_delete_another(secret.folder)
    upload_image(dandi, secret.folder)

    image = digests(secret.folder / PATH)
    assert image_downloaded_by(secret, "owner", running_archive.token) == image
    with caller(running_archive, "") as anonymous, caller(running_archive, stranger_token) as known:
        assert image_statuses(anonymous, secret) == [404, 401, 401, 403]
        assert image_statuses(known, secret) == [404, 404, 404, 403]
    secret.refused_to("nobody")

    success(api.post(f"/dandisets/{dandiset}/unembargo/"))
    with caller(running_archive, "") as anonymous:
        assert image_statuses(anonymous, secret)[:3] == [200, 200, 302]
        assert image_downloaded_by(secret, "everybody") == image
        wait_for(lambda: opened(api, dandiset), seconds=60)
        assert image_statuses(anonymous, secret) == [200, 200, 302, 200]


def image_downloaded_by(secret: Secret, name: str, token: str = "") -> dict[str, str]:
    """The digests of the image's files as somebody gets them."""
    return digests(download(secret.client(name, token), secret.url) / PATH)


def image_statuses(api: httpx.Client, secret: Secret) -> list[int]:
    """What reading the image, the list of its files, one of them, and that one's object, unsigned, is answered with."""
    archive = zarr_of(secret.api, secret.dandiset, "draft")["zarr_id"]
    signed = secret.api.get(f"/zarr/{archive}/files/", params={"prefix": ".zattrs", "download": "true"})
    paths = [f"/zarr/{archive}/", f"/zarr/{archive}/files/", f"/zarr/{archive}/content/.zattrs"]
    unsigned = httpx.get(signed.headers["Location"].partition("?")[0], trust_env=False)
    return [*(api.get(path).status_code for path in paths), unsigned.status_code]


def first_asset(secret: Secret) -> dict[str, Any]:
    """An asset, with its metadata, as its owner sees it."""
    page = success(secret.api.get(f"/dandisets/{secret.dandiset}/versions/draft/assets/?metadata=true")).json()
    asset: dict[str, Any] = page["results"][0]
    return asset


def opened(api: httpx.Client, dandiset: str) -> None:
    """Raises LookupError as long as the dandiset is not open."""
    if success(api.get(f"/dandisets/{dandiset}/")).json()["embargo_status"] != "OPEN":
        raise LookupError
