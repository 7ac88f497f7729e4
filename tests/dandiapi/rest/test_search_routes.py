"""Searching datasets by their files, and what there is to choose from (docs/dialects/dandi.md#file-filters)."""

from typing import Any

import pytest

from archive.datasets.models import Dataset
from tests.dandiapi.rest import shapes
from tests.dandiapi.rest.api import Api
from tests.dandiapi.rest.world import embargo
from tests.factories import make_asset, make_dataset
from tests.worker import Worker

MOUSE = "Mus musculus - House mouse"


def _animal(species: str, genotype: str) -> dict[str, Any]:
    return {
        "schemaKey": "Participant",
        "identifier": "sub-1",
        "genotype": genotype,
        "species": {"schemaKey": "SpeciesType", "name": species},
    }


@pytest.fixture
def mice(dataset: Dataset, worker: Worker) -> str:
    """The identifier of a dataset with two files, one of them of a mouse; there is another dataset."""
    make_asset(dataset, "a.nwb", wasAttributedTo=[_animal(MOUSE, "Cre")])
    make_asset(dataset, "b.txt", encodingFormat="text/plain")
    make_asset(make_dataset(), "c.nwb", wasAttributedTo=[_animal("Rattus", "wild")])
    worker.run()
    return dataset.identifier


@pytest.mark.parametrize("address", ["dandisets/search/", "dandisets/search"])
def test_search_answers_the_list_with_counts(anonymous: Api, mice: str, address: str) -> None:
    page = anonymous.get(address, {"species": MOUSE, "file_type": ["text/", "application/x-nwb"]}).json()
    assert set(page) == shapes.PAGE
    [row] = page["results"]
    assert set(row) == shapes.DATASET_DETAIL | {"asset_counts"}
    assert (row["identifier"], row["asset_counts"]) == (mice, {"species": 1, "file_type": 2})


def test_search_counts_nothing_without_a_filter(anonymous: Api, mice: str) -> None:
    page = anonymous.get("dandisets/search", {"page_size": 8, "page": 1}).json()
    assert [row["asset_counts"] for row in page["results"]] == [{}, {}]


def test_search_takes_the_filters_of_the_list(anonymous: Api, mice: str) -> None:
    query = {"file_size_min": 1, "file_size_max": 1, "search": "species:mus", "ordering": "-id"}
    assert [row["identifier"] for row in anonymous.get("dandisets/search/", query).json()["results"]] == [mice]


def test_search_hides_what_is_embargoed(anonymous: Api, owner: Api, dataset: Dataset, mice: str) -> None:
    embargo(dataset)
    assert anonymous.get("dandisets/search/", {"genotype": "Cre"}).json()["count"] == 0
    assert anonymous.get("dandisets/search/", {"species": MOUSE}).status_code == 400
    assert anonymous.get("search/species/").json()["results"] == ["Rattus"]
    assert owner.get("dandisets/search/", {"genotype": "Cre", "embargoed": True}).json()["count"] == 1


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("file_type=audio/", "file_type"),
        ("file_type=", "file_type"),
        ("file_size_min=-1", "file_size_min"),
        ("file_size_max=x", "file_size_max"),
        ("file_size_min=2&file_size_max=1", "file_size_max"),
        ("measurement_technique=guessing", "measurement_technique"),
        ("species=Unicorn", "species"),
        ("search=speices:mouse", "search"),
        ("&".join(["genotype=a"] * 101), "genotype"),
    ],
)
def test_search_is_refused_when_a_filter_is_wrong(anonymous: Api, mice: str, query: str, field: str) -> None:
    response = anonymous.get(f"dandisets/search/?{query}")
    assert (response.status_code, list(response.json())) == (400, [field])


def test_search_takes_every_technique_of_the_dialect(anonymous: Api, mice: str) -> None:
    query = {"measurement_technique": ["spike sorting technique", "analytical technique"]}
    assert anonymous.get("dandisets/search/", query).json()["results"] == []


@pytest.mark.parametrize("address", ["search/species/", "search/species"])
def test_species_are_a_page_of_names(anonymous: Api, mice: str, address: str) -> None:
    page = {"count": 2, "next": None, "previous": None, "results": [MOUSE, "Rattus"]}
    assert anonymous.get(address, {"species": ""}).json() == page
    assert anonymous.get(address, {"species": "ratt"}).json()["results"] == ["Rattus"]


@pytest.mark.parametrize("address", ["search/genotypes/", "search/genotypes"])
def test_genotypes_are_a_bare_list(anonymous: Api, mice: str, address: str) -> None:
    assert anonymous.get(address, {"genotype": "C"}).json() == ["Cre"]
    assert anonymous.get(address).json() == ["Cre", "wild"]
