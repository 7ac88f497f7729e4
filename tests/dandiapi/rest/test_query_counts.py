"""How many questions each reading asks of the database: few, and as many for much as for little."""

from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.assets.services import change_assets
from archive.datasets.models import Dataset
from tests.dandiapi.rest.api import Api
from tests.dandiapi.rest.world import arrived_upload
from tests.factories import (
    make_asset,
    make_blob_row,
    make_dataset,
    make_user,
    new_asset,
    owner_of,
    valid_asset_metadata,
)

Count = Callable[[str], int]


def questions(api: Api, address: str) -> int:
    """The queries of a request, once what is remembered of earlier ones is there."""
    api.get(address)
    with CaptureQueriesContext(connection) as queries:
        response = api.get(address)
    assert response.status_code == 200
    return len(queries)


@pytest.fixture
def count(reader: Api) -> Count:
    """The queries of the owner's requests."""
    return partial(questions, reader)


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
    "address",
    [
        "dandisets/",
        "dandisets/?search=mouse&ordering=-modified",
        "dandisets/search/?file_type=application/x-nwb",
        "dandisets/{identifier}/",
        "dandisets/{identifier}/versions/",
        "dandisets/{identifier}/versions/draft/info/",
        "dandisets/{identifier}/versions/draft/assets/",
        "dandisets/{identifier}/versions/draft/assets/?metadata=true&glob=*.nwb",
        "dandisets/{identifier}/versions/draft/assets/paths/",
        "dandisets/{identifier}/versions/draft/diff/draft/",
        "webdav/assets/atpath/?dandiset_id={identifier}&version_id=draft&children=true",
        "search/species/",
        "search/genotypes/",
        "zarr/",
    ],
)
@pytest.mark.parametrize("who", ["stranger", "owner", "reader"])
def test_who_is_signed_in_costs_one_question_more(
    anonymous: Api, dataset: Dataset, request: pytest.FixtureRequest, address: str, who: str
) -> None:
    make_asset(dataset, "a.nwb")
    request.getfixturevalue("owner").post(f"dandisets/{dataset.identifier}/star/")
    concrete = address.format(identifier=dataset.identifier)
    assert questions(request.getfixturevalue(who), concrete) == questions(anonymous, concrete) + 1


@pytest.mark.django_db
def test_list_of_datasets_asks_twice() -> None:
    make_asset(make_dataset(), "a.nwb")
    assert questions(Api(), "dandisets/") == 2
    assert questions(Api(make_user()), "dandisets/") == 3


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
        ("dandisets/{identifier}/versions/draft/assets/{asset_id}/validation/", 4),
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


def test_blob_is_found_by_its_digest_in_one_question(anonymous: Api, dataset: Dataset) -> None:
    etag = str(make_asset(dataset, "a.nwb").checksum)
    with CaptureQueriesContext(connection) as queries:
        found = anonymous.post("blobs/digest/", {"algorithm": "dandi:dandi-etag", "value": etag})
    assert (found.status_code, len(queries)) == (200, 1)


def test_file_is_registered_in_few_statements(owner: Api, dataset: Dataset) -> None:
    make_asset(dataset, "sub-1/a.nwb")
    upload = arrived_upload(dataset, owner.user)
    digest = {"algorithm": "dandi:dandi-etag", "value": f"{'0' * 32}-1"}
    part = {"part_number": 1, "size": 16, "etag": "0" * 32}
    asset = {"blob_id": str(upload.pk), "metadata": valid_asset_metadata("sub-1/b.nwb")}
    requests = [
        ("uploads/initialize/", {"contentSize": 1, "digest": digest, "dandiset": dataset.identifier}, 5),
        (f"uploads/{upload.pk}/complete/", {"parts": [part]}, 2),
        (f"uploads/{upload.pk}/validate/", None, 5),
        (f"dandisets/{dataset.identifier}/versions/draft/assets/", asset, 12),
    ]
    owner.get("info/")
    for address, body, most in requests:
        with CaptureQueriesContext(connection) as queries:
            assert owner.post(address, body).status_code == 200
        sent = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"]]
        assert len(sent) <= most, sent
