"""Publishing that is cancelled, or tried again; and who may see and steer which work."""

from datetime import timedelta
from threading import Barrier

import pytest
from django.utils import timezone

from archive.accounts.models import User
from archive.accounts.policy import ANONYMOUS, SYSTEM, Actor
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import find_job, projections_of, visible_jobs
from archive.datasets.services import set_owners
from archive.errors import ConflictError, ForbiddenError, LockedError, NotFoundError, UnauthenticatedError
from archive.metadata.problems import Problem
from archive.publishing import work
from archive.publishing.services import cancel_job, publish, retry_job
from archive.publishing.work import PUBLISH_JOB
from archive.timeline.models import Job
from archive.timeline.work.jobs import RunningJob, drain_due_jobs
from tests.factories import (
    acting,
    make_admin,
    make_asset,
    make_dataset,
    make_embargoed_dataset,
    make_user,
    make_valid_dataset,
    owner_of,
)
from tests.threads import threads
from tests.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset(worker: Worker) -> Dataset:
    return make_valid_dataset(worker)


@pytest.fixture
def job(dataset: Dataset) -> Job:
    return publish(actor=owner_of(dataset), dataset=dataset, release_notes="First.")


def _status(dataset: Dataset) -> dict[str, str]:
    return {"draft" if version.is_draft else "version": version.status for version in dataset.versions.all()}


def _fail(job: Job) -> Job:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work, "validate_version", lambda metadata: [Problem("license", "It is not enough.")])
        drain_due_jobs(PUBLISH_JOB)
    return Job.objects.get(pk=job.pk)


# --- Cancelling -------------------------------------------------------------------------------------------------------


def test_publish_that_is_cancelled_leaves_the_draft_as_it_was(dataset: Dataset, job: Job) -> None:
    assert cancel_job(actor=owner_of(dataset), job=job).state == Job.State.CANCELLED
    assert _status(dataset) == {"draft": Version.Status.VALID}
    assert dataset.versions.get().problems == []


def test_publish_that_is_cancelled_leaves_an_edited_draft_as_it_is(dataset: Dataset, job: Job) -> None:
    make_asset(dataset, "b.nwb")
    cancel_job(actor=owner_of(dataset), job=job)
    assert _status(dataset) == {"draft": Version.Status.PENDING}


def test_publish_that_is_cancelled_may_be_asked_for_again(dataset: Dataset, job: Job, worker: Worker) -> None:
    cancel_job(actor=owner_of(dataset), job=job)
    publish(actor=owner_of(dataset), dataset=dataset)
    worker.run()
    assert _status(dataset) == {"draft": Version.Status.PUBLISHED, "version": Version.Status.VALID}


@pytest.mark.parametrize("step", ["compose", "validate", "finish"])
def test_publish_that_is_cancelled_at_any_step_makes_no_version(
    dataset: Dataset, job: Job, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RunningJob.step

    def cancelling(self: RunningJob, name: str, *, total: int | None = None) -> None:
        real(self, name, total=total)
        if name == step:
            cancel_job(actor=owner_of(dataset), job=self.row)

    monkeypatch.setattr(RunningJob, "step", cancelling)
    drain_due_jobs(PUBLISH_JOB)
    assert _status(dataset) == {"draft": Version.Status.VALID}
    assert Job.objects.get(pk=job.pk).state == Job.State.CANCELLED


def test_publish_that_is_done_cannot_be_cancelled(dataset: Dataset, job: Job, worker: Worker) -> None:
    worker.run()
    with pytest.raises(ConflictError, match="has ended"):
        cancel_job(actor=owner_of(dataset), job=job)
    assert _status(dataset) == {"draft": Version.Status.PUBLISHED, "version": Version.Status.VALID}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(5))
def test_version_is_there_exactly_if_the_job_succeeded_when_it_is_cancelled_meanwhile(
    dataset: Dataset, job: Job, _: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = RunningJob.finish
    together = Barrier(2, timeout=20)

    def finish(self: RunningJob) -> None:
        together.wait()
        real(self)

    def cancel() -> bool:
        together.wait()
        return cancel_job(actor=owner_of(dataset), job=job).state == Job.State.CANCELLED

    monkeypatch.setattr(RunningJob, "finish", finish)
    with threads(2) as start:
        start(drain_due_jobs, PUBLISH_JOB)
        start(cancel)
    state = Job.objects.get(pk=job.pk).state
    ends = {
        Job.State.SUCCEEDED: {"draft": Version.Status.PUBLISHED, "version": Version.Status.VALID},
        Job.State.CANCELLED: {"draft": Version.Status.VALID},
    }
    assert _status(dataset) == ends[Job.State(state)]


# --- Trying again -----------------------------------------------------------------------------------------------------


def test_publish_that_failed_is_tried_again_with_its_release_notes(dataset: Dataset, job: Job, worker: Worker) -> None:
    again = retry_job(actor=owner_of(dataset), job=_fail(job))
    assert again.pk != job.pk
    worker.run()
    assert dataset.versions.get(at__isnull=False).release_notes == "First."
    assert Job.objects.get(pk=again.pk).state == Job.State.SUCCEEDED


def test_publish_is_tried_again_once_when_that_is_asked_twice(dataset: Dataset, job: Job) -> None:
    failed = _fail(job)
    retry_job(actor=owner_of(dataset), job=failed)
    with pytest.raises(ConflictError):
        retry_job(actor=owner_of(dataset), job=failed)
    assert dataset.versions.filter(at__isnull=False).count() == 1


@pytest.mark.django_db(transaction=True)
def test_publish_is_tried_again_once_when_that_is_asked_at_the_same_time(dataset: Dataset, job: Job) -> None:
    failed, owner = _fail(job), owner_of(dataset)
    with threads(3) as start:
        answers = [start(retry_job, actor=owner, job=failed) for _ in range(3)]
    refused = [answer for answer in answers if isinstance(answer.exception(), ConflictError | LockedError)]
    assert len(refused) == 2
    assert dataset.versions.filter(at__isnull=False).count() == 1


def test_publish_that_is_under_way_is_not_tried_again(dataset: Dataset, job: Job) -> None:
    with pytest.raises(ConflictError):
        retry_job(actor=owner_of(dataset), job=job)


def test_checksum_that_was_cancelled_is_tried_again_as_the_same_job(dataset: Dataset) -> None:
    job = Job.objects.create(
        kind="checksum",
        subject="x",
        dataset_id=dataset.number,
        next_attempt=timezone.now(),
        deadline=timezone.now() + timedelta(hours=1),
    )
    cancelled = cancel_job(actor=owner_of(dataset), job=job)
    again = retry_job(actor=owner_of(dataset), job=cancelled)
    assert (again.pk, again.state) == (job.pk, Job.State.QUEUED)


# --- Who may ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def starter() -> User:
    """Somebody who started work on a dataset of somebody else's."""
    return make_user()


def _started_by(starter: User, dataset: Dataset) -> Job:
    return Job.objects.create(
        kind="checksum",
        subject=str(dataset),
        dataset_id=dataset.number,
        user_id=starter.pk,
        next_attempt=timezone.now(),
        deadline=timezone.now() + timedelta(hours=1),
    )


def _sees(actor: Actor, job: Job) -> bool:
    return visible_jobs(actor).filter(pk=job.pk).exists()


def test_job_is_seen_by_owners_administrators_and_who_started_it(starter: User) -> None:
    dataset = make_dataset()
    job = _started_by(starter, dataset)
    seeing = [owner_of(dataset), acting(make_admin()), acting(starter), SYSTEM]
    assert [_sees(actor, job) for actor in seeing] == [True] * 4
    assert [_sees(actor, job) for actor in (ANONYMOUS, acting(make_user()))] == [False] * 2


def test_job_is_not_seen_by_who_started_it_once_they_may_not_read_the_dataset(starter: User) -> None:
    dataset = make_embargoed_dataset(starter)
    job = _started_by(starter, dataset)
    set_owners(actor=acting(starter), dataset=dataset, usernames=[make_user().username])
    assert not _sees(acting(starter), job)


def test_job_that_may_not_be_seen_is_not_found(job: Job) -> None:
    with pytest.raises(NotFoundError):
        find_job(acting(make_user()), job.pk)


def test_job_is_not_steered_by_who_only_started_it(starter: User) -> None:
    job = _started_by(starter, make_dataset())
    for steer in (cancel_job, retry_job):
        with pytest.raises(ForbiddenError):
            steer(actor=acting(starter), job=job)


def test_projections_say_how_far_they_are(dataset: Dataset) -> None:
    found = {status.row.name: status for status in projections_of(owner_of(dataset), dataset)}
    assert found["validation"].is_current
    assert not found["validation"].is_at_work
    make_asset(dataset, "b.nwb")
    [behind] = [each for each in projections_of(owner_of(dataset), dataset) if each.row.name == "validation"]
    assert (behind.is_current, behind.target - behind.row.cursor) == (False, 1)


def test_projections_are_for_owners(dataset: Dataset) -> None:
    with pytest.raises(ForbiddenError):
        projections_of(acting(make_user()), dataset)
    with pytest.raises(UnauthenticatedError):
        projections_of(ANONYMOUS, dataset)
