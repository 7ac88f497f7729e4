"""The difference of two versions, over HTTP."""

import pytest

from archive.datasets.models import Dataset
from tests.dandiapi.rest.api import Api
from tests.factories import make_asset, make_published_version
from tests.worker import Worker


@pytest.fixture
def address(dataset: Dataset, worker: Worker) -> str:
    """What has changed since the first version: two files came."""
    make_asset(dataset, "a.nwb")
    worker.run()
    version = make_published_version(worker, dataset)
    make_asset(dataset, "b.nwb")
    make_asset(dataset, "c.nwb")
    return f"dandisets/{dataset.identifier}/versions/{version.version}/diff/draft/"


def test_difference_has_sums_metadata_changelog_and_files(anonymous: Api, address: str) -> None:
    body = anonymous.get(address).json()
    assert (body["after"], body["file_count"], body["size"], body["metadata"], body["next"]) == (
        "draft",
        2,
        2,
        [],
        None,
    )
    assert body["files"]["added"] == {"count": 2, "size_before": 0, "size_after": 2}
    assert body["files"]["moved"] == {"count": 0, "size_before": 0, "size_after": 0}
    assert body["changelog"] == "Added 2 files (2 bytes):\n- b.nwb\n- c.nwb"
    first = body["results"][0]
    assert (first["change"], first["path"], first["path_before"], first["size_after"]) == ("added", "b.nwb", None, 1)


def test_difference_is_read_page_after_page(anonymous: Api, address: str) -> None:
    first = anonymous.get(f"{address}?limit=1&change=added").json()
    second = anonymous.client.get(first["next"]).json()
    assert [page["results"][0]["path"] for page in (first, second)] == ["b.nwb", "c.nwb"]
    assert second["next"] is None


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "change=renamed"])
def test_difference_is_refused_when_the_query_is_wrong(anonymous: Api, address: str, query: str) -> None:
    response = anonymous.get(f"{address}?{query}")
    assert (response.status_code, list(response.json())) == (400, [query.partition("=")[0]])


def test_difference_to_a_version_that_is_not_there_is_not_found(anonymous: Api, address: str) -> None:
    assert anonymous.get(address.replace("diff/draft", "diff/0.000000.0000")).status_code == 404
