"""An upload whose process is killed at any step from the first byte to the commit: it is there whole, or not at all."""

from collections.abc import Iterator
from functools import partial
from itertools import count

import pytest

from archive.datasets.models import Dataset
from archive.storage.queries import find
from archive.timeline.models import Change
from archive.uploads.services import finish_upload, prepare_upload, receive_file
from tests.archive.crashes.dying import die_at_step
from tests.factories import make_dataset, owner_of
from tests.worker import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(300)]

FILES = {"README": b"About.", "sub-1/a.nii": b"scan"}


def upload(dataset: Dataset) -> None:
    """Send all files, and have them put into the draft, as a client does each time."""
    actor = owner_of(dataset)
    session = prepare_upload(actor=actor, dataset=dataset, upload_id="u")
    for path, content in FILES.items():
        receive_file(actor=actor, session=session, path=path, length=len(content), chunks=[content])
    finish_upload(actor=actor, session=session, naming=None)


def killed_uploads() -> Iterator[tuple[Dataset, list[str]]]:
    """A dataset for each step of an upload, which was killed before it; what had been done."""
    for number in count():
        dataset = make_dataset()
        steps = die_at_step(number, partial(upload, dataset))
        yield dataset, steps
        if len(steps) < number:
            return


def files_of(dataset: Dataset) -> dict[str, int]:
    return dict(dataset.assets.filter(retired=None).values_list("path", "size"))


def test_upload_is_whole_or_not_there_whatever_step_its_process_is_killed_at(writer: Worker) -> None:
    whole = {path: len(content) for path, content in FILES.items()}
    for dataset, steps in killed_uploads():
        assert files_of(dataset) in ({}, whole), f"killed after {steps}"
        is_there = bool(files_of(dataset))
        if not is_there:
            upload(dataset)
        assert files_of(dataset) == whole, f"killed after {steps}"
        assert Change.objects.filter(dataset_id=dataset.number, kind="change_assets").count() == 1
        for asset in dataset.assets.select_related("blob"):
            assert asset.blob
            stored = find(asset.blob.key)
            assert stored is not None
            assert stored.size == asset.size
