"""Publishing that fails or is done twice ends as one that was not, or leaves no version and says why.

What becomes of it when its worker is killed, `tests/archive/crashes` says.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from archive.datasets.models import Dataset, Version
from archive.errors import BusyError, InvalidError
from archive.metadata.problems import Problem
from archive.publishing import work
from archive.publishing.services import publish
from archive.publishing.work import PUBLISH_JOB
from archive.timeline.models import Job
from archive.timeline.tasks import sweep_jobs_task
from archive.timeline.work.jobs import drain_due_jobs
from tests.factories import make_asset, make_published_version, make_valid_dataset, owner_of
from tests.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(worker: Worker) -> Dataset:
    dataset = make_valid_dataset(worker)
    publish(actor=owner_of(dataset), dataset=dataset)
    return dataset


def _status(dataset: Dataset) -> dict[str, str]:
    """The status of the draft and of the published version, if there is one."""
    return {"draft" if version.is_draft else "version": version.status for version in dataset.versions.all()}


def _rows() -> list[dict[str, Any]]:
    return [dict(row) for row in Version.objects.order_by("pk").values()]


def _raising(error: BaseException) -> Callable[..., Any]:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


def test_publish_that_is_done_again_changes_nothing(dataset: Dataset) -> None:
    drain_due_jobs(PUBLISH_JOB)
    before = _rows()
    Job.objects.filter(kind=PUBLISH_JOB).update(state=Job.State.QUEUED, ended=None)
    drain_due_jobs(PUBLISH_JOB)
    assert _rows() == before


def test_publish_that_another_worker_finished_first_changes_nothing(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish = work._finish

    def late(*arguments: Any) -> None:
        monkeypatch.setattr(work, "_finish", finish)
        Job.objects.filter(kind=PUBLISH_JOB).update(leased_until=timezone.now())
        drain_due_jobs(PUBLISH_JOB)
        faster.extend(_rows())
        finish(*arguments)

    faster: list[dict[str, Any]] = []
    monkeypatch.setattr(work, "_finish", late)
    drain_due_jobs(PUBLISH_JOB)
    assert faster
    assert _rows() == faster


def test_publish_that_cannot_succeed_brings_the_draft_back_with_the_reason(
    dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "validate_version", lambda metadata: [Problem("license", "It is not enough.")])
    drain_due_jobs(PUBLISH_JOB)
    assert _status(dataset) == {"draft": Version.Status.INVALID}
    assert dataset.versions.get().problems == [
        {"field": "", "message": "Publishing failed: license: It is not enough."}
    ]
    assert Job.objects.get(kind=PUBLISH_JOB).reason == "license: It is not enough."


def test_publish_that_misses_its_deadline_brings_the_draft_back_with_the_reason(dataset: Dataset) -> None:
    Job.objects.filter(kind=PUBLISH_JOB).update(created="2000-01-01T00:00Z", deadline="2000-01-01T00:00:01Z")
    sweep_jobs_task()
    assert _status(dataset) == {"draft": Version.Status.INVALID}
    assert dataset.versions.get().problems == [
        {"field": "", "message": "Publishing failed: It was not done by its deadline."}
    ]


def test_publish_that_failed_may_be_asked_for_again_once_the_draft_is_changed(dataset: Dataset, worker: Worker) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_published_metadata", _raising(InvalidError("It is not enough.")))
        drain_due_jobs(PUBLISH_JOB)
    make_asset(dataset, "b.nwb")
    worker.run()
    assert make_published_version(worker, dataset).file_count == 2


@pytest.mark.parametrize("error", [BusyError("The store is away."), ConnectionError("The store is away.")])
def test_publish_survives_what_passes(dataset: Dataset, error: Exception, worker: Worker) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_published_metadata", _raising(error))
        drain_due_jobs(PUBLISH_JOB)
    assert _status(dataset) == {"draft": Version.Status.PUBLISHING, "version": Version.Status.PUBLISHING}
    Job.objects.update(next_attempt=timezone.now())
    worker.run()
    assert _status(dataset) == {"draft": Version.Status.PUBLISHED, "version": Version.Status.VALID}


def test_publish_that_fails_leaves_an_edited_draft_as_it_is(dataset: Dataset) -> None:
    make_asset(dataset, "b.nwb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "_published_metadata", _raising(InvalidError("It is not enough.")))
        drain_due_jobs(PUBLISH_JOB)
    assert _status(dataset) == {"draft": Version.Status.PENDING}
