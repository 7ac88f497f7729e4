"""Datasets and files of which something is said that a search finds them by."""

from typing import Any

from archive.datasets.models import Dataset
from archive.datasets.services import update_draft
from archive.timeline.models import Projection
from tests.factories import make_asset, make_blob_row, owner_of, valid_dandiset_metadata
from tests.worker import Worker

MOUSE = "Mus musculus - House mouse"
RAT = "Rattus norvegicus - Norway rat"
SPIKES = "spike sorting technique"


def describe(dataset: Dataset, **metadata: Any) -> Dataset:
    update_draft(
        actor=owner_of(dataset), dataset=dataset, name=metadata.pop("name", "Untitled"),
        metadata={**valid_dandiset_metadata(), **metadata},
    )  # fmt: skip
    return dataset


def animal(species: str = MOUSE, **said: Any) -> dict[str, Any]:
    return {
        "schemaKey": "Participant",
        "identifier": "sub-1",
        "species": {"schemaKey": "SpeciesType", "name": species},
        **said,
    }


def technique(name: str = SPIKES) -> dict[str, str]:
    return {"schemaKey": "MeasurementTechniqueType", "name": name}


def add_file(dataset: Dataset, path: str = "a.nwb", *, size: int = 1, **metadata: Any) -> None:
    user = owner_of(dataset).user
    assert user
    make_asset(dataset, path, blob=make_blob_row(user, size=size), **metadata)


def finish(worker: Worker) -> None:
    """Have all work done that a search waits for."""
    worker.run()
    # The draft was being validated, or published, when it was looked at; that is over now.
    Projection.objects.filter(state=Projection.State.WAITING).update(next_attempt=None)
    worker.run()
