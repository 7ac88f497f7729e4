"""`python -m tests.bench.make_dataset --assets N`: a valid dataset of N assets, by the bulk service; prints its id.

Its blobs are rows only: no byte of them is in the store, and they are marked as already checked (and open, unless the
dataset is embargoed), as the assets are as already valid, because what is measured afterwards is the archive's work on
rows.
"""

import argparse
import hashlib
import os
import uuid
from typing import TYPE_CHECKING, Any

import django
from django.db import transaction

if TYPE_CHECKING:
    from archive.blobs.models import Blob

FILES_PER_FOLDER = 100
SUBJECTS = 50
BATCH_SIZE = 5000


def main() -> None:
    """Makes it."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.make_dataset", description=__doc__)
    parser.add_argument("--assets", type=int, default=1000)
    parser.add_argument("--embargoed", action="store_true", help="embargoed, with blobs that are not open")
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dandiapi.settings.development")
    django.setup()
    print(_make(options.assets, is_embargoed=options.embargoed))


def _make(assets: int, *, is_embargoed: bool) -> str:
    from archive.accounts.policy import Actor
    from archive.accounts.services import ensure_user
    from archive.assets.models import Asset
    from archive.assets.services import NewAsset, change_assets
    from archive.datasets.services import Embargo, create_dataset
    from archive.metadata.summary import asset_contribution
    from archive.timeline.services import nudge

    actor = Actor(user=ensure_user(email="bench@example.org", first_name="Bench", last_name="Mark", is_admin=True))
    metadata = {
        "description": "Made to be measured.",
        "license": ["spdx:CC0-1.0"],
        "schemaVersion": "0.8.0",
    }
    embargo = Embargo() if is_embargoed else None
    dataset = create_dataset(actor=actor, name=f"Benchmark of {assets} assets", metadata=metadata, embargo=embargo)
    blobs = _blobs(actor, assets, is_open=not is_embargoed)
    new = [NewAsset(_path(number), blob, _metadata(number)) for number, blob in enumerate(blobs)]
    # As one transaction: nobody is to begin with validating what is made valid here.
    with transaction.atomic():
        change_assets(actor=actor, dataset=dataset, add=new)
        for subject in range(SUBJECTS):
            of_subject = Asset.objects.filter(dataset=dataset, path__startswith=f"sub-{subject:02}/")
            contribution = asset_contribution({**_metadata(subject), "path": _path(subject), "contentSize": 1})
            of_subject.update(status=Asset.Status.VALID, contribution=contribution)
    nudge(dataset.number)
    return dataset.identifier


def _blobs(actor: Any, count: int, *, is_open: bool) -> "list[Blob]":
    from archive.blobs.models import Blob

    made: list[Blob] = []
    for start in range(0, count, BATCH_SIZE):
        numbers = range(start, min(start + BATCH_SIZE, count))
        made += Blob.objects.bulk_create(_blob(actor, number, is_open=is_open) for number in numbers)
    return made


def _blob(actor: Any, number: int, *, is_open: bool) -> "Blob":
    from archive.blobs.models import Blob

    blob_id = uuid.uuid4()
    digest = hashlib.sha256(blob_id.bytes).hexdigest()
    return Blob(
        id=blob_id, uploader=actor.user, size=1000 + number, etag=f"{digest[:32]}-1", sha256=digest, is_open=is_open
    )


def _path(number: int) -> str:
    subject = number % SUBJECTS
    session = number // SUBJECTS // FILES_PER_FOLDER
    return f"sub-{subject:02}/ses-{session:03}/sub-{subject:02}_ses-{session:03}_run-{number:06}.nwb"


def _metadata(number: int) -> dict[str, Any]:
    subject = number % SUBJECTS
    return {
        "schemaKey": "Asset",
        "schemaVersion": "0.8.0",
        "encodingFormat": "application/x-nwb",
        "dateModified": "2026-01-02T03:04:05+00:00",
        "approach": [{"schemaKey": "ApproachType", "name": "electrophysiological approach"}],
        "variableMeasured": [{"schemaKey": "PropertyValue", "value": "ElectricalSeries"}],
        "wasAttributedTo": [
            {
                "schemaKey": "Participant",
                "identifier": f"sub-{subject:02}",
                "species": {
                    "schemaKey": "SpeciesType",
                    "name": "Mus musculus - House mouse",
                    "identifier": "http://purl.obolibrary.org/obo/NCBITaxon_10090",
                },
            }
        ],
    }


if __name__ == "__main__":
    main()
