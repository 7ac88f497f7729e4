"""How many questions each reading asks of the database: few, and as many for much as for little."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.assets.services import change_assets
from archive.datasets.models import Dataset
from tests.dandiapi.rest.api import Api
from tests.factories import make_asset, make_blob_row, make_dataset, new_asset, owner_of

Count = Callable[[str], int]


@pytest.fixture
def count(reader: Api) -> Count:
    """The queries of a request, once what is remembered of earlier ones is there."""

    def counted(address: str) -> int:
        reader.get(address)
        with CaptureQueriesContext(connection) as queries:
            response = reader.get(address)
        assert response.status_code == 200
        return len(queries)

    return counted


def fill(dataset: Dataset, number: int) -> None:
    """Add that many assets, ten to a folder."""
    actor = owner_of(dataset)
    blob = make_blob_row(actor.user)
    change_assets(
        actor=actor, dataset=dataset, add=[new_asset(f"sub-{each // 10}/{each}.nwb", blob) for each in range(number)]
    )


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("dandisets/", 5),
        ("dandisets/?ordering=-modified&search=mouse", 5),
        ("dandisets/?starred=true&user=me", 5),
    ],
)
def test_list_of_datasets_asks_as_often_for_many(owner: Api, count: Count, address: str, most: int) -> None:
    make_asset(make_dataset(owner.user), "a.nwb")
    owner.post("dandisets/000001/star/")
    few = count(address)
    for _ in range(99):
        make_dataset(owner.user)
    assert len(owner.get("dandisets/").json()["results"]) == 100
    assert count(address) == few
    assert few <= most


@pytest.mark.parametrize(
    ("address", "most"),
    [
        ("dandisets/{identifier}/", 5),
        ("dandisets/{identifier}/users/", 3),
        ("dandisets/{identifier}/versions/", 6),
        ("dandisets/{identifier}/versions/draft/", 2),
        ("dandisets/{identifier}/versions/draft/info/", 6),
        ("dandisets/{identifier}/versions/draft/assets/", 3),
        ("dandisets/{identifier}/versions/draft/assets/?metadata=true", 4),
        ("dandisets/{identifier}/versions/draft/assets/?path=sub-0/&metadata=true", 7),
        ("dandisets/{identifier}/versions/draft/assets/?glob=*.nwb&order=path", 4),
        ("dandisets/{identifier}/versions/draft/assets/paths/?path_prefix=sub-0", 4),
        ("dandisets/{identifier}/versions/draft/assets/{asset_id}/", 4),
        ("dandisets/{identifier}/versions/draft/assets/{asset_id}/info/", 4),
        ("dandisets/{identifier}/versions/draft/assets/{asset_id}/validation/", 3),
        ("assets/{asset_id}/", 3),
        ("assets/{asset_id}/info/", 3),
    ],
)
def test_dataset_asks_as_often_when_it_is_large(dataset: Dataset, count: Count, address: str, most: int) -> None:
    asset = make_asset(dataset, "a.nwb")
    fill(dataset, 5)
    concrete = address.format(identifier=dataset.identifier, asset_id=asset.asset_id)
    few = count(concrete)
    fill_more(dataset)
    assert count(concrete) == few
    assert few <= most


def fill_more(dataset: Dataset) -> None:
    """Add two hundred more."""
    actor = owner_of(dataset)
    blob = make_blob_row(actor.user)
    add = [new_asset(f"sub-{each // 50}/more/{each}.nwb", blob) for each in range(200)]
    change_assets(actor=actor, dataset=dataset, add=add)
