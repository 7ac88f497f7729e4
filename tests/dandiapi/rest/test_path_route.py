"""What is in a folder (docs/dialects/dandi.md#folders)."""

from typing import Any

import pytest

from archive.datasets.models import Dataset
from tests.dandiapi.rest import shapes
from tests.dandiapi.rest.api import Api
from tests.factories import make_asset


@pytest.fixture
def paths(dataset: Dataset, draft: str) -> str:
    """Where the folders of a filled draft are."""
    for path in ("sub-1/a.nwb", "sub-1/deep/b.nwb", "Zebra.txt", "apple.txt", "sub-1.txt"):
        make_asset(dataset, path)
    return f"{draft}assets/paths/"


def rows(caller: Api, paths: str, prefix: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = caller.get(paths, {"path_prefix": prefix}).json()["results"]
    return found


def test_folder_has_its_children_in_the_order_of_their_bytes(anonymous: Api, paths: str) -> None:
    assert [row["path"] for row in rows(anonymous, paths)] == ["Zebra.txt", "apple.txt", "sub-1", "sub-1.txt"]


@pytest.mark.parametrize("prefix", ["sub-1", "sub-1/"])
def test_folder_has_only_its_own_children(anonymous: Api, paths: str, prefix: str) -> None:
    assert [row["path"] for row in rows(anonymous, paths, prefix)] == ["sub-1/a.nwb", "sub-1/deep"]


@pytest.mark.parametrize("prefix", ["\u00e9t\u00e9", "e\u0301te\u0301"])
def test_folder_is_found_in_whatever_form_its_name_comes(
    anonymous: Api, dataset: Dataset, paths: str, prefix: str
) -> None:
    make_asset(dataset, "\u00e9t\u00e9/a.nwb")
    assert [row["path"] for row in rows(anonymous, paths, prefix)] == ["\u00e9t\u00e9/a.nwb"]


def test_entry_has_exactly_the_fields_of_the_dialect(anonymous: Api, paths: str) -> None:
    page = anonymous.get(paths).json()
    file, folder = page["results"][0], page["results"][2]
    assert set(page) == shapes.PAGE
    assert (set(file), set(file["asset"])) == (shapes.PATH, {"asset_id", "url"})
    assert (file["aggregate_files"], file["aggregate_size"]) == (1, 1)
    assert (folder["asset"], folder["aggregate_files"], folder["aggregate_size"]) == (None, 2, 2)
    assert isinstance(folder["version"], int)


def test_folder_is_not_found_when_there_is_none(anonymous: Api, paths: str) -> None:
    response = anonymous.get(paths, {"path_prefix": "sub-9"})
    assert (response.status_code, response.json()) == (404, {"detail": "Specified path not found."})


@pytest.mark.parametrize("prefix", ["..", "sub-1/..", "sub", "sub-1/a", "%", "x" * 1024])
def test_folder_is_not_found_when_its_name_is_not_whole(anonymous: Api, paths: str, prefix: str) -> None:
    assert anonymous.get(paths, {"path_prefix": prefix}).status_code == 404


def test_root_is_empty_when_nothing_is_in_it(anonymous: Api, draft: str) -> None:
    assert anonymous.get(f"{draft}assets/paths/").json() == {"count": 0, "next": None, "previous": None, "results": []}
