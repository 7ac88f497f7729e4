"""Objects of open datasets become readable by anybody, by themselves (docs/architecture.md#embargo)."""

import httpx
import pytest
from django.utils import timezone

from archive.blobs.models import Blob
from archive.embargo import work
from archive.storage import services as storage
from archive.storage.queries import public_url
from archive.timeline.models import Projection
from archive.timeline.work.projections import advance_projection
from tests.factories import (
    make_asset,
    make_blob,
    make_dataset,
    make_embargoed_dataset,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def _projection(name: str) -> Projection:
    return Projection.objects.get(name=name)


def test_objects_of_an_open_dataset_become_readable_by_anybody(worker: Worker) -> None:
    dataset = make_dataset()
    blob = make_blob(dataset, b"content")
    make_asset(dataset, blob=blob)
    assert httpx.get(public_url(blob.key)).status_code == 403
    worker.run()
    assert httpx.get(public_url(blob.key)).content == b"content"
    assert Blob.objects.get().is_open


def test_objects_that_are_in_no_dataset_stay_closed(worker: Worker) -> None:
    blob = make_blob(make_dataset())
    worker.run()
    assert httpx.get(public_url(blob.key)).status_code == 403
    assert not Blob.objects.get().is_open


def test_objects_of_an_embargoed_dataset_stay_closed(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    blob = make_blob(dataset)
    make_asset(dataset, blob=blob)
    worker.run()
    assert httpx.get(public_url(blob.key)).status_code == 403
    assert not Blob.objects.get().is_open


def test_objects_are_opened_batch_by_batch(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "OPENING_BATCH", 2)
    dataset = make_dataset()
    for name in "abcde":
        make_asset(dataset, name, blob=make_blob(dataset))
    worker.run()
    assert Blob.objects.filter(is_open=True).count() == 5


def test_opening_that_fails_is_tried_again(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(key: str) -> None:
        raise ConnectionError("The store is away.")

    dataset = make_dataset()
    make_asset(dataset, blob=make_blob(dataset))
    with monkeypatch.context() as patch:
        patch.setattr(storage, "open_to_all", away)
        advance_projection(dataset.number, "access")
    assert _projection("access").state == "failing"
    assert _projection("access").reason == "ConnectionError: The store is away."
    Projection.objects.update(next_attempt=timezone.now())
    worker.run()
    assert _projection("access").state == "following"
    assert Blob.objects.get().is_open


def test_opening_lets_other_work_have_its_turn(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "OPENING_BATCH", 2)
    monkeypatch.setattr(work, "SLICE_SECONDS", 0)
    dataset = make_dataset()
    for name in "abcde":
        make_asset(dataset, name, blob=make_blob(dataset))
    advance_projection(dataset.number, "access")
    assert Blob.objects.filter(is_open=True).count() == 2
    assert (_projection("access").state, _projection("access").reason) == ("waiting", "Objects are being opened.")
    worker.run()
    assert Blob.objects.filter(is_open=True).count() == 5
