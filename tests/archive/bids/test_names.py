"""A draft that nobody has named gets the name that its description has."""

import json
from typing import Any

import pytest

from archive.bids import services
from archive.bids.documents import UNNAMED
from archive.bids.services import name_draft
from archive.blobs.services import keep_contents
from archive.datasets.models import Dataset
from archive.datasets.services import update_draft
from archive.errors import InvalidError
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


def test_name_that_somebody_gives_meanwhile_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = described("Faces")
    read = services.descriptions_of_versions

    def read_slowly(versions: Any) -> Any:
        metadata = dataset.versions.get().metadata
        update_draft(actor=owner_of(dataset), dataset=dataset, name="Mice", metadata=metadata)
        return read(versions)

    monkeypatch.setattr(services, "descriptions_of_versions", read_slowly)
    name_draft(dataset)
    assert name_of(dataset) == "Mice"


def test_text_that_is_not_utf8_is_not_edited() -> None:
    dataset = make_dataset()
    [blob] = keep_contents(actor=owner_of(dataset), dataset=dataset, contents=["Müller".encode("latin-1")])
    make_asset(dataset, "README", blob=blob)
    with pytest.raises(InvalidError, match=r"^Not a file of UTF-8 text that can be edited here: README$"):
        services.update_readme(actor=owner_of(dataset), dataset=dataset, text="New")
    assert dataset.assets.live().get().blob_id == blob.pk
