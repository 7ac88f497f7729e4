"""A draft that nobody has named gets the name that its description has."""

import json

import pytest

from archive.bids.documents import UNNAMED
from archive.bids.services import name_draft
from archive.blobs.services import keep_contents
from archive.datasets.models import Dataset
from archive.timeline.models import Change
from tests.factories import make_asset, make_dataset, owner_of

pytestmark = pytest.mark.django_db


def described(name: object, *, called: str = UNNAMED) -> Dataset:
    dataset = make_dataset(name=called)
    content = json.dumps({"Name": name, "BIDSVersion": "1.9.0"}).encode()
    [blob] = keep_contents(actor=owner_of(dataset), dataset=dataset, contents=[content])
    make_asset(dataset, "dataset_description.json", blob=blob)
    return dataset


def name_of(dataset: Dataset) -> str:
    return dataset.versions.get().name


def test_draft_without_a_name_gets_that_of_its_description_once() -> None:
    dataset = described("Faces")
    name_draft(dataset)
    assert name_of(dataset) == "Faces"
    assert dataset.versions.get().metadata["name"] == "Faces"
    changes = Change.objects.count()
    name_draft(dataset)
    assert Change.objects.count() == changes


def test_draft_keeps_the_name_that_somebody_gave_it() -> None:
    dataset = described("Faces", called="Mice")
    name_draft(dataset)
    assert name_of(dataset) == "Mice"


@pytest.mark.parametrize("name", ["", "  ", None, UNNAMED])
def test_draft_stays_without_a_name_if_its_description_has_none(name: object) -> None:
    dataset = described(name)
    name_draft(dataset)
    assert name_of(dataset) == UNNAMED


def test_name_that_is_too_long_is_cut() -> None:
    dataset = described("F" * 1000)
    name_draft(dataset)
    assert name_of(dataset) == "F" * 300
