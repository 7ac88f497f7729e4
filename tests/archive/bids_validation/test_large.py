"""A large dataset is validated within the limits, and an edit of one file lays out one file.

It has 205 files, or with ARCHIVE_LONG_TESTS=1 10,005.
"""

import gzip
import os
import struct
from typing import Any

import pytest

from archive.assets.services import change_assets
from archive.bids_validation.layout import laid_out
from archive.bids_validation.models import BidsVerdict
from archive.bids_validation.tree import TreeFile, tree_of
from archive.blobs.services import keep_contents
from archive.datasets.models import Dataset
from archive.datasets.queries import find_draft
from tests.archive.bids_validation.conftest import VALID, put
from tests.factories import make_dataset, new_asset, owner_of
from tests.worker import Worker

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(600)]

SUBJECTS = 5000 if os.environ.get("ARCHIVE_LONG_TESTS") else 100


def scan() -> bytes:
    """An image with the header that NIfTI has (https://nifti.nimh.nih.gov/nifti-1/)."""
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, 2, 2, 2, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, 2, 8)
    struct.pack_into("<f", header, 108, 352)
    header[344:348] = b"n+1\0"
    return gzip.compress(bytes(header) + bytes(8))


@pytest.fixture
def large(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """A dataset of as many scans of one content, each with its sidecar, that has been validated."""
    monkeypatch.setattr("archive.timeline.work.projections._wait_for_quiet", lambda *_: None)
    dataset = make_dataset()
    put(dataset, VALID)
    image, sidecar = keep_contents(
        actor=owner_of(dataset), dataset=dataset, contents=[scan(), b'{"RepetitionTime": 2, "FlipAngle": 9}']
    )
    names = [f"sub-{number:04}/anat/sub-{number:04}_T1w" for number in range(SUBJECTS)]
    new = [new_asset(f"{name}.nii.gz", image) for name in names] + [
        new_asset(f"{name}.json", sidecar) for name in names
    ]
    change_assets(actor=owner_of(dataset), dataset=dataset, add=new)
    worker.run()
    return dataset


def tree_of_draft(dataset: Dataset) -> list[TreeFile]:
    draft = find_draft(dataset.number)
    assert draft
    tree = tree_of(draft)
    assert tree
    return tree


def test_large_dataset_is_validated_within_the_limits_and_an_edit_lays_out_one_file(
    large: Dataset, settings: Any
) -> None:
    assert (settings.BIDS_VALIDATION_SECONDS, settings.BIDS_VALIDATION_BYTES) == (120, 1500 * 2**20)
    verdict = BidsVerdict.objects.get(trees__version__dataset=large)
    assert (verdict.state, verdict.reason) == ("done", "")
    assert verdict.summary["totalFiles"] == len(VALID) + 2 * SUBJECTS
    assert len(verdict.issues) == min(verdict.errors + verdict.warnings, 50_000)
    errors = [issue["severity"] for issue in verdict.issues].count("error")
    assert errors == verdict.errors
    # The sidecar says less than it might: once for each subject.
    assert verdict.warnings > SUBJECTS

    # An edit of one file.
    put(large, {"README": b"Another text."}, remove=["README"])
    tree = tree_of_draft(large)
    assert len(tree) == len(VALID) + 2 * SUBJECTS
    with laid_out(large.number, tree, lambda: None) as laid:
        assert laid.changed == 1
        assert (laid.folder / "README").read_bytes() == b"Another text."
