"""`python -m tests.bench.make_bids --datasets N --files M`: open BIDS datasets, each with a version; prints their ids.

Their documents are in the store; of their images there are rows alone, because what is measured is telling of them.
"""

import argparse
import json
import os
import uuid
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from archive.accounts.policy import Actor
    from archive.blobs.models import Blob

OWNERS = 20
METADATA = {"license": ["spdx:CC0-1.0"], "description": "Made to be measured."}
SUBJECTS = 100


def main() -> None:
    """Makes them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.make_bids", description=__doc__)
    parser.add_argument("--datasets", type=int, default=1)
    parser.add_argument("--files", type=int, default=3)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dandiapi.settings.development")
    django.setup()
    print(*(_make(number, options.files) for number in range(options.datasets)))


def _make(number: int, files: int) -> str:
    from archive.accounts.policy import Actor
    from archive.accounts.services import ensure_user
    from archive.assets.services import NewAsset, change_assets
    from archive.blobs.services import keep_contents
    from archive.datasets.models import Version
    from archive.datasets.services import create_dataset
    from archive.identifiers.names import openneuro_identifier
    from archive.publishing.services import publish

    owner = ensure_user(email=f"bids-{number % OWNERS}@example.org", first_name="Bids", last_name=f"Owner{number}")
    actor = Actor(user=owner)
    dataset = create_dataset(actor=actor, name=f"Faces {number}", metadata=METADATA)
    texts = _texts(number)
    blobs = keep_contents(actor=actor, dataset=dataset, contents=[text.encode() for text in texts.values()])
    new = [NewAsset(path, blob, _metadata()) for path, blob in zip(texts, blobs, strict=True)]
    images = [_image(place) for place in range(files)]
    new += [NewAsset(path, blob, _metadata()) for path, blob in zip(images, _rows(actor, files), strict=True)]
    change_assets(actor=actor, dataset=dataset, add=new)
    publish(actor=actor, dataset=dataset, label="1.0.0", rules=Version.Rules.BIDS)
    return openneuro_identifier(dataset.number)


def _texts(number: int) -> dict[str, str]:
    people = [f"Person {number % 7}", f"Person {number % 11}"]
    description = {"Name": f"Faces {number}", "BIDSVersion": "1.9.0", "Authors": people, "License": "CC0"}
    return {
        "dataset_description.json": json.dumps(description),
        "README": f"What was seen by those who took part in study {number}. " * 20,
        "CHANGES": "1.0.0 2026-01-01\n  - First.\n",
    }


def _image(place: int) -> str:
    subject = f"sub-{place % SUBJECTS:02}"
    return f"{subject}/anat/{subject}_run-{place // SUBJECTS}_T1w.nii.gz"


def _metadata() -> dict[str, Any]:
    return {"schemaVersion": "0.8.0", "encodingFormat": "application/octet-stream"}


def _rows(actor: "Actor", count: int) -> "list[Blob]":
    """Blobs of which nothing is in the store."""
    from archive.blobs.models import Blob

    ids = [uuid.uuid4() for _ in range(count)]
    return Blob.objects.bulk_create(
        Blob(id=each, uploader=actor.user, size=1, etag=f"{each.hex}-1", sha256=2 * each.hex, is_open=True)
        for each in ids
    )


if __name__ == "__main__":
    main()
