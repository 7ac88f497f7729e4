"""`python -m tests.bench.make_many --datasets N`: many described datasets of a few files each; prints how many.

What they say of themselves is made of common words, as people's descriptions are, at a length that is usual in DANDI.
Their blobs are rows only, and their assets marked as already valid, because what is measured is searching.
"""

import argparse
import hashlib
import os
import random
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from archive.accounts.models import User
    from archive.blobs.models import Blob
    from archive.datasets.models import Dataset

# Far from the numbers that the archive itself hands out.
FIRST = 100_001
PEOPLE = 100

FILES = 12
WORDS_OF_DESCRIPTION = 250
CONTRIBUTORS = 12

SPECIES = {
    "Mus musculus - House mouse": 10090,
    "Rattus norvegicus - Norway rat": 10116,
    "Homo sapiens - Human": 9606,
    "Macaca mulatta - Rhesus monkey": 9544,
    "Danio rerio - Zebra fish": 7955,
    "Drosophila melanogaster - Fruit fly": 7227,
}
APPROACHES = ["electrophysiological approach", "behavioral approach", "microscopy approach; cell population imaging"]
TECHNIQUES = ["spike sorting technique", "surgical technique", "patch clamp technique", "behavioral technique"]
FORMATS = ["application/x-nwb", "image/tiff", "text/tab-separated-values", "video/mp4"]
GENOTYPES = ["wild type", "Pvalb-IRES-Cre", "Sst-IRES-Cre;Ai32", "C57BL/6J", "Vgat-ChR2-EYFP"]
# fmt: off
COMMON = [
    "neurons", "recorded", "cortex", "visual", "auditory", "motor", "hippocampus", "during", "task", "stimulus",
    "response", "trials", "mice", "awake", "behaving", "spiking", "activity", "units", "probes", "neuropixels",
    "imaging", "calcium", "two-photon", "sessions", "decision", "choice", "reward", "learning", "memory",
    "navigation", "sleep", "theta", "gamma", "oscillations", "field", "potentials", "intracranial", "epilepsy",
    "patients", "electrodes", "optogenetic", "stimulation", "inhibition", "interneurons", "pyramidal", "layer",
    "thalamus", "striatum", "dopamine", "cerebellum", "retina", "whisker", "barrel", "somatosensory", "place",
    "cells", "grid", "head", "direction", "velocity", "running", "wheel", "licking", "odor", "olfactory", "bulb",
]
# fmt: on
RARE_WORDS = 40_000


def main() -> None:
    """Makes them."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.make_many", description=__doc__)
    parser.add_argument("--datasets", type=int, default=2000)
    datasets: int = parser.parse_args().datasets
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dandiapi.settings.development")
    django.setup()
    _make(datasets, random.Random(7))
    print(datasets)


def _make(count: int, chance: random.Random) -> None:
    from archive.datasets.models import Dataset
    from archive.search.work import index_files, index_versions
    from archive.timeline.models import Projection, Timeline
    from archive.timeline.work.leases import Heartbeat
    from archive.timeline.work.projections import PROJECTIONS, Span

    people = _people()
    for number in range(FIRST, FIRST + count):
        dataset = Dataset.objects.create(number=number)
        _describe(dataset, people[number % PEOPLE], chance)
        Timeline.objects.create(dataset_id=number, number=1)
        # Nothing is left for the workers to do.
        rows = Projection.objects.bulk_create(
            Projection(dataset_id=number, name=name, cursor=1) for name in PROJECTIONS
        )
        span = Span(number, since=0, target=1, heartbeat=Heartbeat(rows[0]))
        index_versions(span)
        index_files(span)


def _people() -> "list[User]":
    from archive.accounts.services import ensure_user

    return [
        ensure_user(email=f"lab-{number}@example.org", first_name="Lab", last_name=f"Head{number}")
        for number in range(PEOPLE)
    ]


def _describe(dataset: "Dataset", owner: "User", chance: random.Random) -> None:
    from archive.accounts.models import Grant
    from archive.assets.queries import contributions
    from archive.datasets.models import Version
    from archive.datasets.work import computed_metadata
    from archive.metadata.summary import assets_summary

    Grant.objects.create(dataset=dataset, user=owner, role=Grant.Role.OWNER)
    draft = Version(dataset=dataset, version=Version.DRAFT, name=_title(chance), status=Version.Status.VALID)
    draft.metadata = computed_metadata(draft, _described(chance))
    _add_files(dataset, owner, chance)
    parts = contributions(dataset.number)
    draft.metadata["assetsSummary"] = assets_summary(parts, number_of_files=FILES, number_of_bytes=FILES)
    draft.file_count = draft.size = FILES
    draft.save()


def _add_files(dataset: "Dataset", owner: "User", chance: random.Random) -> None:
    """Adds the dataset's files."""
    from archive.assets.models import Asset
    from archive.blobs.models import Blob

    now = datetime.now(UTC)
    animal = _participant(chance)
    blobs = Blob.objects.bulk_create(_blob(owner, chance) for _ in range(FILES))
    files = [_file(index, animal, chance) for index in range(FILES)]
    Asset.objects.bulk_create(
        Asset(
            dataset=dataset,
            path=f"sub-1/file-{index}",
            folder="sub-1",
            blob=blob,
            size=blob.size,
            metadata=metadata,
            introduced=1,
            status=Asset.Status.VALID,
            # A summary has the names that its files have.
            contribution={
                "species": [animal["species"]],
                "approach": metadata["approach"],
                "measurementTechnique": metadata["measurementTechnique"],
            },
            created=now,
            modified=now,
        )
        for index, (blob, metadata) in enumerate(zip(blobs, files, strict=True))
    )


def _blob(owner: "User", chance: random.Random) -> "Blob":
    from archive.blobs.models import Blob

    blob_id = uuid.uuid4()
    digest = hashlib.sha256(blob_id.bytes).hexdigest()
    size = int(10 ** chance.uniform(3, 11))
    return Blob(id=blob_id, uploader=owner, size=size, etag=f"{digest[:32]}-1", sha256=digest, is_open=True)


def _title(chance: random.Random) -> str:
    return " ".join(chance.choices(COMMON, k=8)).capitalize()


def _described(chance: random.Random) -> dict[str, Any]:
    words = [_word(chance) for _ in range(WORDS_OF_DESCRIPTION)]
    return {
        "description": " ".join(words),
        "license": ["spdx:CC-BY-4.0"],
        "schemaVersion": "0.8.0",
        "keywords": chance.choices(COMMON, k=6),
        "contributor": [_person(index, chance) for index in range(CONTRIBUTORS)],
    }


def _word(chance: random.Random) -> str:
    """Mostly a common word, now and then one of many that are rare."""
    return chance.choice(COMMON) if chance.random() < 0.8 else f"w{chance.randrange(RARE_WORDS):05}x"


def _person(index: int, chance: random.Random) -> dict[str, Any]:
    number = chance.randrange(20_000)
    return {
        "schemaKey": "Person",
        "name": f"Family{number}, Given{number % 300}",
        "email": f"given{number}@example.org",
        "identifier": f"0000-0002-{number:04}-{chance.randrange(10_000):04}",
        "roleName": ["dcite:ContactPerson", "dcite:Author"] if index == 0 else ["dcite:Author", "dcite:DataCurator"],
        "includeInCitation": True,
        "affiliation": [
            {
                "schemaKey": "Affiliation",
                "name": f"University of Town {number % 400}",
                "identifier": f"https://ror.org/0{number % 400:07}",
            }
        ],
    }


def _participant(chance: random.Random) -> dict[str, Any]:
    name = chance.choices(list(SPECIES), weights=[50, 20, 15, 8, 4, 3])[0]
    return {
        "schemaKey": "Participant",
        "identifier": f"sub-{chance.randrange(1000)}",
        "genotype": chance.choice(GENOTYPES),
        "species": {
            "schemaKey": "SpeciesType",
            "name": name,
            "identifier": f"http://purl.obolibrary.org/obo/NCBITaxon_{SPECIES[name]}",
        },
    }


def _file(index: int, animal: dict[str, Any], chance: random.Random) -> dict[str, Any]:
    return {
        "schemaKey": "Asset",
        "schemaVersion": "0.8.0",
        "encodingFormat": FORMATS[index % len(FORMATS)],
        "dateModified": "2026-01-02T03:04:05+00:00",
        "approach": [{"schemaKey": "ApproachType", "name": chance.choice(APPROACHES)}],
        "measurementTechnique": [{"schemaKey": "MeasurementTechniqueType", "name": TECHNIQUES[index % 2]}],
        "wasAttributedTo": [animal],
    }


if __name__ == "__main__":
    main()
