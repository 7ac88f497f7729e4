"""The real `dandi` library and command line, with no more metadata than a script's author has to say."""

from typing import Any

import httpx
import pytest

from tests.journeys.client import DandiClient
from tests.journeys.rest import success

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture
def written(dandi: DandiClient) -> Any:
    """What the library says of a draft that it has written with bare metadata."""
    (dandi.folder / "table.tsv").write_text("a\tb\n")
    dandi.script("make_zarr", str(dandi.folder / "image.zarr"), "1")
    return dandi.script("bare_metadata", str(dandi.folder))


def test_library_writes_with_bare_metadata(dandi: DandiClient, api: httpx.Client, written: Any) -> None:
    assert written["notes"] == {
        "image.zarr": None,
        "raw/image.zarr": "edited",
        "raw/renamed.tsv": "edited",
        "raw/table.tsv": "again",
        "table.tsv": None,
    }
    current = success(api.get("/info/")).json()["schema_version"]
    assert (written["metadata"]["name"], written["metadata"]["schemaVersion"]) == ("A new name", current)


def test_command_line_writes_a_bare_dandiset_yaml(dandi: DandiClient, api: httpx.Client) -> None:
    identifier = dandi.script("create_dandiset", "A journey of a file")
    folder = dandi.folder / identifier
    folder.mkdir()
    description = f"identifier: DANDI:{identifier}\nname: By the command line\ndescription: Numbers.\n"
    (folder / "dandiset.yaml").write_text(description)

    command = ["upload", "-i", dandi.api_url, "--upload-dandiset-metadata", "dandiset.yaml"]
    said = dandi.run(*command, within=folder, DANDI_DEVEL="1")

    metadata = success(api.get(f"/dandisets/{identifier}/versions/draft/")).json()
    assert (metadata["name"], metadata["description"]) == ("By the command line", "Numbers."), said
