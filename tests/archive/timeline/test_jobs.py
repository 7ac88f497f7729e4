"""Jobs: done by one worker at a time, tried again with back-off, and ended whatever happens."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from archive.errors import BusyError, InvalidError, NotFoundError
from archive.timeline.errors import NotYetError
from archive.timeline.models import Job
from archive.timeline.queries import find_open_job, jobs_due, jobs_overdue
from archive.timeline.services import start_job
from archive.timeline.tasks import sweep_jobs_task
from archive.timeline.work import jobs, leases
from archive.timeline.work.jobs import RunningJob, drain_due_jobs, expire_job, job_handler
from tests.factories import acting, make_user
from tests.threads import threads
from tests.worker import Message

KIND = "errand"
STEP = timedelta(seconds=2)

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """What no handler catches, as it would not catch the end of its process."""


@pytest.fixture(autouse=True)
def _no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "JOBS", {})


def _handle(
    handle: Callable[[RunningJob], None], *, attempts: int = 8, failed: Callable[[Job, str], None] | None = None
) -> None:
    job_handler(KIND, deadline=timedelta(hours=1), attempts=attempts, failed=failed)(handle)


def _start(subject: str = "subject", **options: Any) -> None:
    start_job(KIND, subject=subject, **options)


def _job() -> Job:
    return Job.objects.get(kind=KIND)


def _make_due() -> None:
    Job.objects.update(next_attempt=timezone.now() - STEP)


def _let_lease_run_out() -> None:
    Job.objects.update(leased_until=timezone.now() - STEP)


def _let_deadline_pass() -> None:
    Job.objects.update(created=timezone.now() - 2 * STEP, deadline=timezone.now() - STEP)


def _raising(*errors: BaseException) -> Callable[[RunningJob], None]:
    """A handler that fails in these ways, one after the other, and then succeeds."""
    left = list(errors)

    def handle(job: RunningJob) -> None:
        for error in left[:1]:
            left.remove(error)
            raise error

    return handle


def test_job_is_done_and_says_so() -> None:
    seen: list[tuple[str, dict[str, int]]] = []
    _handle(lambda job: seen.append((job.row.subject, job.row.arguments)))
    _start(arguments={"depth": 3})
    assert drain_due_jobs(KIND)
    job = _job()
    assert seen == [("subject", {"depth": 3})]
    assert (job.state, job.reason, job.attempts, job.lease) == (Job.State.SUCCEEDED, "", 1, None)
    assert job.started
    assert job.ended


def test_job_remembers_who_wanted_it_and_for_which_dataset() -> None:
    user = make_user()
    _handle(lambda job: None)
    _start(dataset_id=7, author=acting(user))
    assert (_job().dataset_id, _job().user_id) == (7, user.pk)


def test_job_shows_its_step_and_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    def handle(job: RunningJob) -> None:
        job.step("read", total=10)
        job.progress(4)
        shown.append((_job().step, _job().done, _job().total))
        monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.0)
        job.progress(5)
        shown.append((_job().step, _job().done, _job().total))

    shown: list[tuple[str, int, int | None]] = []
    _handle(handle)
    _start()
    drain_due_jobs(KIND)
    assert shown == [("read", 0, 10), ("read", 5, 10)]


# --- Starting ---------------------------------------------------------------------------------------------------------


def test_start_makes_no_second_job_of_a_kind_for_a_subject_while_one_is_open() -> None:
    _handle(lambda job: None)
    _start()
    _start()
    _start("another")
    assert list(Job.objects.order_by("subject").values_list("subject", flat=True)) == ["another", "subject"]


def test_start_makes_another_job_for_a_subject_once_the_first_has_ended() -> None:
    _handle(lambda job: None)
    _start()
    drain_due_jobs(KIND)
    _start()
    assert Job.objects.count() == 2
    assert find_open_job(KIND, "subject").ended is None


def test_rows_refuse_a_second_open_job_for_a_subject() -> None:
    _handle(lambda job: None)
    _start()
    job = _job()
    job.pk = None
    with pytest.raises(IntegrityError), transaction.atomic():
        job.save(force_insert=True)


def test_start_nudges_the_workers_once_it_is_committed(
    published: list[Message], django_capture_on_commit_callbacks: Any
) -> None:
    _handle(lambda job: None)
    with django_capture_on_commit_callbacks(execute=True):
        _start()
        assert published == []
    assert [(message.arguments, message.queue) for message in published] == [((KIND,), "quick")]


# --- Trying again -----------------------------------------------------------------------------------------------------


def test_job_is_tried_again_later_after_an_error() -> None:
    _handle(_raising(LookupError("no such thing")))
    _start()
    before = timezone.now()
    assert drain_due_jobs(KIND)
    job = _job()
    assert (job.state, job.reason, job.attempts, job.lease) == ("queued", "LookupError: no such thing", 1, None)
    assert timedelta(seconds=1) <= job.next_attempt - before < timedelta(seconds=2)
    assert not jobs_due()


def test_job_that_is_tried_again_may_succeed() -> None:
    _handle(_raising(LookupError(), LookupError()))
    _start()
    drain_due_jobs(KIND)
    _make_due()
    drain_due_jobs(KIND)
    _make_due()
    drain_due_jobs(KIND)
    assert (_job().state, _job().reason, _job().attempts) == (Job.State.SUCCEEDED, "", 3)


def test_job_waits_twice_as_long_after_each_error() -> None:
    _handle(_raising(LookupError(), LookupError(), LookupError()))
    _start()
    for _ in range(3):
        _make_due()
        before = timezone.now()
        drain_due_jobs(KIND)
    assert timedelta(seconds=4) <= _job().next_attempt - before < timedelta(seconds=5)


def test_job_fails_when_its_attempts_are_used_up() -> None:
    _handle(_raising(LookupError("once"), LookupError("twice")), attempts=2)
    _start()
    drain_due_jobs(KIND)
    _make_due()
    drain_due_jobs(KIND)
    assert (_job().state, _job().reason, _job().attempts) == (Job.State.FAILED, "LookupError: twice", 2)
    assert _job().ended


def test_job_fails_at_once_when_trying_again_would_not_help() -> None:
    _handle(_raising(InvalidError("It is not valid.")))
    _start()
    drain_due_jobs(KIND)
    assert (_job().state, _job().reason, _job().attempts) == (Job.State.FAILED, "It is not valid.", 1)


@pytest.mark.parametrize(
    "error", [NotYetError("It has not rained.", retry_after=5), BusyError("It has not rained.", retry_after=5)]
)
def test_job_waits_without_using_up_attempts(error: Exception) -> None:
    _handle(_raising(error), attempts=1)
    _start()
    before = timezone.now()
    drain_due_jobs(KIND)
    job = _job()
    assert (job.state, job.reason, job.attempts, job.lease) == ("queued", "It has not rained.", 0, None)
    assert timedelta(seconds=5) <= job.next_attempt - before < timedelta(seconds=6)


# --- Deadlines --------------------------------------------------------------------------------------------------------


def test_job_is_not_overdue_before_its_deadline() -> None:
    _handle(lambda job: None)
    _start()
    assert list(jobs_overdue()) == []


def test_job_past_its_deadline_is_ended_by_the_sweep() -> None:
    _handle(lambda job: None)
    _start()
    _let_deadline_pass()
    sweep_jobs_task()
    assert (_job().state, _job().reason) == (Job.State.FAILED, "It was not done by its deadline.")


def test_job_past_its_deadline_keeps_the_reason_it_had() -> None:
    _handle(_raising(NotYetError("It has not rained.")))
    _start()
    drain_due_jobs(KIND)
    _let_deadline_pass()
    sweep_jobs_task()
    assert (_job().state, _job().reason) == (Job.State.FAILED, "It has not rained.")


def test_job_is_not_tried_again_past_its_deadline() -> None:
    def handle(job: RunningJob) -> None:
        job.row.deadline = timezone.now()
        raise LookupError

    _handle(handle)
    _start()
    drain_due_jobs(KIND)
    assert _job().state == Job.State.FAILED


def test_job_that_was_done_in_the_last_moment_stays_done() -> None:
    _handle(lambda job: None)
    _start()
    overdue = _job()
    drain_due_jobs(KIND)
    expire_job(overdue)
    assert _job().state == Job.State.SUCCEEDED


def test_job_past_its_deadline_is_taken_out_of_its_workers_hands() -> None:
    def handle(job: RunningJob) -> None:
        expire_job(_job())
        job.step("go on")
        done.append(job)

    done: list[RunningJob] = []
    _handle(handle)
    _start()
    drain_due_jobs(KIND)
    assert done == []
    assert (_job().state, _job().step) == (Job.State.FAILED, "")


# --- Being told of failure --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (InvalidError("It is so."), "It is so."),
        (NotFoundError(), "Not found."),
        (LookupError("It is so."), "LookupError: It is so."),
    ],
)
def test_failed_is_told_the_reason_when_a_job_fails(error: Exception, reason: str) -> None:
    told: list[tuple[str, str]] = []
    _handle(_raising(error), attempts=1, failed=lambda job, why: told.append((job.subject, why)))
    _start()
    drain_due_jobs(KIND)
    assert told == [("subject", reason)]


def test_failed_is_told_the_reason_when_the_deadline_passes() -> None:
    told: list[str] = []
    _handle(_raising(NotYetError("It has not rained.")), failed=lambda job, why: told.append(why))
    _start()
    drain_due_jobs(KIND)
    _let_deadline_pass()
    sweep_jobs_task()
    sweep_jobs_task()
    assert told == ["It has not rained."]


def test_failed_is_not_called_of_a_job_that_succeeds() -> None:
    told: list[str] = []
    _handle(lambda job: None, failed=lambda job, reason: told.append(reason))
    _start()
    drain_due_jobs(KIND)
    assert told == []


def test_job_stays_open_when_telling_of_its_failure_fails() -> None:
    def failed(job: Job, reason: str) -> None:
        assert _job().state == Job.State.FAILED
        raise ConnectionError

    _handle(_raising(InvalidError("It is so.")), failed=failed)
    _start()
    with pytest.raises(ConnectionError):
        drain_due_jobs(KIND)
    assert (_job().state, _job().ended) == (Job.State.RUNNING, None)


# --- Leases -----------------------------------------------------------------------------------------------------------


def test_job_of_a_dead_worker_is_left_alone_while_its_lease_lasts() -> None:
    _handle(_raising(Killed()))
    _start()
    with pytest.raises(Killed):
        drain_due_jobs(KIND)
    assert not jobs_due()
    assert drain_due_jobs(KIND)
    assert (_job().state, _job().attempts) == (Job.State.RUNNING, 1)


def test_job_of_a_dead_worker_is_taken_over_when_its_lease_runs_out() -> None:
    _handle(_raising(Killed()))
    _start()
    with pytest.raises(Killed):
        drain_due_jobs(KIND)
    _let_lease_run_out()
    assert jobs_due()
    assert drain_due_jobs(KIND)
    assert (_job().state, _job().attempts) == (Job.State.SUCCEEDED, 2)


def test_job_stops_its_first_worker_when_another_has_taken_over() -> None:
    def handle(job: RunningJob) -> None:
        calls.append("begin")
        if len(calls) == 1:
            _let_lease_run_out()
            drain_due_jobs(KIND)
            job.step("go on")
            calls.append("not stopped")

    calls: list[str] = []
    _handle(handle)
    _start()
    drain_due_jobs(KIND)
    assert calls == ["begin", "begin"]
    assert (_job().state, _job().attempts, _job().step) == (Job.State.SUCCEEDED, 2, "")


def test_failed_is_not_called_by_a_worker_that_lost_the_job() -> None:
    def handle(job: RunningJob) -> None:
        if job.row.attempts == 1:
            _let_lease_run_out()
            drain_due_jobs(KIND)
            raise InvalidError("It is so.")

    told: list[str] = []
    _handle(handle, failed=lambda job, reason: told.append(reason))
    _start()
    drain_due_jobs(KIND)
    assert told == []
    assert _job().state == Job.State.SUCCEEDED


@pytest.mark.django_db(transaction=True)
def test_jobs_are_shared_out_between_workers() -> None:
    done: list[str] = []
    _handle(lambda job: done.append(job.row.subject))
    subjects = [f"subject {number:02}" for number in range(40)]
    for subject in subjects:
        _start(subject)
    with threads(4) as start:
        for _ in range(4):
            start(drain_due_jobs, KIND)
    assert sorted(done) == subjects
    assert set(Job.objects.values_list("state", "attempts")) == {(Job.State.SUCCEEDED, 1)}


def test_sweep_nudges_the_kinds_that_a_lost_nudge_left(published: list[Message]) -> None:
    _handle(lambda job: None)
    _start()
    sweep_jobs_task()
    assert published == []
    Job.objects.update(next_attempt=timezone.now() - jobs.SWEEP_PATIENCE)
    sweep_jobs_task()
    assert [message.arguments for message in published] == [(KIND,)]


def test_sweep_leaves_kinds_it_does_not_know_and_nudges_the_others(published: list[Message]) -> None:
    _handle(lambda job: None)
    _start()
    Job.objects.create(kind="of tomorrow", next_attempt=timezone.now(), deadline=timezone.now() + STEP)
    Job.objects.update(next_attempt=timezone.now() - jobs.SWEEP_PATIENCE)
    sweep_jobs_task()
    assert [message.arguments for message in published] == [(KIND,)]


def test_job_of_an_unknown_kind_is_ended_at_its_deadline() -> None:
    Job.objects.create(kind="of tomorrow", next_attempt=timezone.now(), deadline=timezone.now() + STEP)
    _let_deadline_pass()
    sweep_jobs_task()
    assert Job.objects.get().state == Job.State.FAILED
