"""The real `dandi` client and a Zarr archive: uploaded, changed in part, published, and changed again."""

import hashlib
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.journeys.client import DandiClient
from tests.journeys.rest import VALID_METADATA, success

PATH = "sub-a/sub-a_image.ome.zarr"
CHANGED = "0/0/1"
DELETED = "1/1/1"

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture
def folder(dandi: DandiClient) -> Path:
    """A new dandiset's folder, with an image in it."""
    return folder_with_an_image(dandi)


@pytest.fixture(scope="module")
def uploaded(lasting_dandi: DandiClient) -> Path:
    """A dandiset's folder, with an image in it that has been uploaded; each test that changes it uploads it again."""
    folder = folder_with_an_image(lasting_dandi)
    upload(lasting_dandi, folder)
    return folder


def folder_with_an_image(dandi: DandiClient) -> Path:
    """Creates a dandiset, and an image in its folder."""
    identifier: str = dandi.script("create_dandiset", "A journey of an image")
    dandi.run("download", "--download", "dandiset.yaml", draft_url(dandi, identifier))
    found = dandi.folder / identifier
    (found / PATH).parent.mkdir()
    dandi.script("make_zarr", str(found / PATH), "1")
    return found


def test_an_image_is_uploaded_changed_in_part_published_and_changed_again(
    dandi: DandiClient, api: httpx.Client, folder: Path
) -> None:
    dandiset = folder.name
    upload(dandi, folder)
    assert download(dandi, draft_url(dandi, dandiset), "first") == digests(folder / PATH)

    before = zarr_files(api, dandiset, "draft")
    change_a_chunk_and_delete_another(folder)
    upload(dandi, folder)
    after = zarr_files(api, dandiset, "draft")
    assert before.keys() - after.keys() == {DELETED}
    assert [path for path in after if after[path] != before[path]] == [CHANGED]
    assert download(dandi, draft_url(dandi, dandiset), "second") == digests(folder / PATH)

    version: str = dandi.script("publish", dandiset, json.dumps(VALID_METADATA))
    published = digests(folder / PATH)
    dandi.script("make_zarr", str(folder / PATH), "2")
    upload(dandi, folder)

    assert download(dandi, draft_url(dandi, dandiset), "draft") == digests(folder / PATH)
    assert download(dandi, f"{dandi.api_url}/dandisets/{dandiset}/versions/{version}", "published") == published
    assert published != digests(folder / PATH)
    second: str = dandi.script("publish", dandiset, json.dumps(VALID_METADATA))
    latest = f"{dandi.api_url}/dandisets/{dandiset}/versions/{second}"
    assert download(dandi, latest, "latest") == digests(folder / PATH)


def test_an_image_is_read_over_http_by_version(lasting_dandi: DandiClient, uploaded: Path) -> None:
    version: str = lasting_dandi.script("publish", uploaded.name, json.dumps(VALID_METADATA))
    first = lasting_dandi.script("read_zarr", uploaded.name, version, PATH)
    lasting_dandi.script("make_zarr", str(uploaded / PATH), "2")
    upload(lasting_dandi, uploaded)

    assert lasting_dandi.script("read_zarr", uploaded.name, version, PATH) == first
    assert lasting_dandi.script("read_zarr", uploaded.name, "draft", PATH) != first


def test_uploading_again_what_has_not_changed_does_nothing(
    lasting_dandi: DandiClient, api: httpx.Client, uploaded: Path
) -> None:
    before = zarr_of(api, uploaded.name, "draft")
    upload(lasting_dandi, uploaded)
    assert zarr_of(api, uploaded.name, "draft") == before


def change_a_chunk_and_delete_another(folder: Path) -> None:
    """Changes and deletes files as a program that computes would."""
    (folder / PATH / CHANGED).write_bytes(b"other content")
    (folder / PATH / DELETED).unlink()


def upload(dandi: DandiClient, folder: Path) -> None:
    """Runs `dandi upload`."""
    dandi.run("upload", "-i", dandi.api_url, "--existing", "refresh", "--validation", "skip", within=folder)


def draft_url(dandi: DandiClient, dandiset: str) -> str:
    """The URL of a draft, as the client takes it."""
    return f"{dandi.api_url}/dandisets/{dandiset}/versions/draft"


def download(dandi: DandiClient, url: str, name: str) -> dict[str, str]:
    """Downloads a version by the client, which compares checksums; returns the digests of the image's files."""
    target = dandi.folder / name
    target.mkdir()
    dandi.run("download", "-o", str(target), url)
    (folder,) = target.iterdir()
    return digests(folder / PATH)


def digests(folder: Path) -> dict[str, str]:
    """Path -> SHA-256 of every file in a folder."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return {str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def zarr_of(api: httpx.Client, dandiset: str, version: str) -> Any:
    """The archive, as the API tells of it."""
    (asset,) = success(api.get(f"/dandisets/{dandiset}/versions/{version}/assets/?zarr=true")).json()["results"]
    return success(api.get(f"/zarr/{asset['zarr']}/")).json()


def zarr_files(api: httpx.Client, dandiset: str, version: str) -> dict[str, str]:
    """Path -> MD5 of the archive's files."""
    zarr_id = zarr_of(api, dandiset, version)["zarr_id"]
    listed = success(api.get(f"/zarr/{zarr_id}/files/")).json()["results"]
    return {file["Key"]: file["ETag"] for file in listed}
