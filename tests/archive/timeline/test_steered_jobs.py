"""Jobs that people cancel and try again, and what their logs say."""

from collections.abc import Callable
from datetime import timedelta
from threading import Barrier

import pytest
from django.utils import timezone

from archive.errors import InvalidError
from archive.timeline.errors import NotYetError
from archive.timeline.models import Job
from archive.timeline.services import reopen_job, start_job, stop_job
from archive.timeline.work import jobs
from archive.timeline.work.jobs import LOG_CHARACTERS, LOG_LINES, RunningJob, drain_due_jobs, job_handler
from tests.factories import acting, make_user
from tests.threads import threads

KIND = "errand"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "JOBS", {})


def _start(
    handle: Callable[[RunningJob], None] = lambda job: None, *, failed: Callable[[Job, str], None] | None = None
) -> Job:
    job_handler(KIND, deadline=timedelta(hours=1), failed=failed)(handle)
    start_job(KIND, subject="subject")
    return _job()


def _job() -> Job:
    return Job.objects.get(kind=KIND)


def _cancel() -> bool:
    return stop_job(_job(), acting(make_user()))


def _reopen() -> bool:
    return reopen_job(_job(), acting(make_user()))


def _texts() -> list[str]:
    return [line["text"] for line in _job().log]


def _fail(job: RunningJob) -> None:
    raise InvalidError("It is so.")


# --- Cancelling -------------------------------------------------------------------------------------------------------


def test_cancelled_job_ends_and_says_who_wanted_it() -> None:
    _start()
    assert _cancel()
    job = _job()
    assert (job.state, job.reason, job.lease) == (Job.State.CANCELLED, "Cancelled by Jane Doe.", None)
    assert job.ended


def test_cancelled_job_is_not_done() -> None:
    done: list[RunningJob] = []
    _start(done.append)
    _cancel()
    drain_due_jobs(KIND)
    assert done == []


def test_cancelled_job_stops_its_worker_at_the_next_heartbeat() -> None:
    def handle(job: RunningJob) -> None:
        _cancel()
        job.step("go on")
        done.append(job)

    done: list[RunningJob] = []
    _start(handle)
    drain_due_jobs(KIND)
    assert done == []
    assert (_job().state, _job().step) == (Job.State.CANCELLED, "")


def test_cancelled_job_stays_so_when_its_worker_does_not_notice() -> None:
    _start(lambda job: _cancel() and None)
    drain_due_jobs(KIND)
    assert _job().state == Job.State.CANCELLED


def test_failed_is_told_when_a_job_is_cancelled() -> None:
    told: list[tuple[str, str]] = []
    _start(failed=lambda job, reason: told.append((job.state, reason)))
    _cancel()
    assert told == [(Job.State.CANCELLED, "Cancelled by Jane Doe.")]


def test_job_that_has_ended_cannot_be_cancelled() -> None:
    _start()
    drain_due_jobs(KIND)
    assert not _cancel()
    assert _job().state == Job.State.SUCCEEDED


def test_finish_is_refused_when_the_job_has_been_cancelled() -> None:
    def handle(job: RunningJob) -> None:
        _cancel()
        job.finish()
        done.append(job)

    done: list[RunningJob] = []
    _start(handle)
    drain_due_jobs(KIND)
    assert done == []
    assert _job().state == Job.State.CANCELLED


def test_job_that_finished_itself_has_succeeded() -> None:
    _start(lambda job: job.finish())
    drain_due_jobs(KIND)
    assert (_job().state, _job().reason) == (Job.State.SUCCEEDED, "")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(5))
def test_job_either_finishes_or_is_cancelled_when_both_are_tried_at_once(_: int) -> None:
    def handle(job: RunningJob) -> None:
        together.wait()
        job.finish()
        finished.append(True)

    def cancel() -> bool:
        together.wait()
        return _cancel()

    finished: list[bool] = []
    together = Barrier(2, timeout=20)
    _start(handle)
    with threads(2) as start:
        start(drain_due_jobs, KIND)
        cancelled = start(cancel)
    assert [cancelled.result(), bool(finished)].count(True) == 1
    assert (_job().state == Job.State.CANCELLED) is cancelled.result()


# --- Trying again -----------------------------------------------------------------------------------------------------


def test_job_that_failed_is_done_once_more() -> None:
    calls: list[str] = []

    def handle(job: RunningJob) -> None:
        calls.append("begin")
        if len(calls) == 1:
            raise InvalidError("It is so.")

    _start(handle)
    drain_due_jobs(KIND)
    assert _reopen()
    assert (_job().state, _job().reason, _job().ended, _job().attempts) == (Job.State.QUEUED, "", None, 0)
    drain_due_jobs(KIND)
    assert _job().state == Job.State.SUCCEEDED


def test_job_of_a_kind_that_there_is_no_longer_is_cancelled_and_not_tried_again() -> None:
    _start()
    jobs.JOBS.clear()
    assert (_cancel(), _reopen(), _job().state) == (True, False, "cancelled")


def test_job_that_is_tried_again_has_its_whole_time() -> None:
    _start()
    Job.objects.update(created=timezone.now() - timedelta(days=1), deadline=timezone.now() - timedelta(hours=2))
    _cancel()
    _reopen()
    assert _job().deadline > timezone.now() + timedelta(minutes=59)


@pytest.mark.parametrize("prepare", [lambda: None, lambda: drain_due_jobs(KIND)])
def test_job_that_is_open_or_succeeded_is_not_tried_again(prepare: Callable[[], object]) -> None:
    _start()
    prepare()
    state = _job().state
    assert not _reopen()
    assert _job().state == state


def test_job_is_not_tried_again_while_another_is_at_it() -> None:
    job = _start(_fail)
    drain_due_jobs(KIND)
    start_job(KIND, subject="subject")
    assert not reopen_job(job, acting(make_user()))
    assert Job.objects.get(pk=job.pk).state == Job.State.FAILED


@pytest.mark.django_db(transaction=True)
def test_job_is_tried_again_once_when_that_is_asked_twice() -> None:
    _start(_fail)
    drain_due_jobs(KIND)
    with threads(4) as start:
        answers = [start(_reopen) for _ in range(4)]
    assert sorted(answer.result() for answer in answers) == [False, False, False, True]


# --- Logs -------------------------------------------------------------------------------------------------------------


def test_log_tells_what_happened_in_order() -> None:
    def handle(job: RunningJob) -> None:
        job.step("read")
        job.log("Half of it is there.")
        if job.row.attempts == 1:
            raise LookupError("no such thing")

    _start(handle)
    drain_due_jobs(KIND)
    Job.objects.update(next_attempt=timezone.now() - timedelta(seconds=1))
    drain_due_jobs(KIND)
    once = ["Step: read", "Half of it is there."]
    assert [line["text"] for line in _job().log] == [*once, "LookupError: no such thing", *once, "Succeeded"]


def test_log_says_what_is_waited_for_and_who_steered() -> None:
    def wait(job: RunningJob) -> None:
        raise NotYetError("It has not rained.")

    _start(wait)
    drain_due_jobs(KIND)
    _cancel()
    _reopen()
    assert _texts() == [
        "It has not rained.",
        "Cancelled: Cancelled by Jane Doe.",
        "Tried again by Jane Doe.",
    ]


def test_log_keeps_the_newest_lines_only() -> None:
    def handle(job: RunningJob) -> None:
        for number in range(LOG_LINES + 10):
            job.log(f"Line {number}")

    _start(handle)
    drain_due_jobs(KIND)
    assert (len(_texts()), _texts()[0], _texts()[-1]) == (LOG_LINES, "Line 11", "Succeeded")


def test_log_line_is_cut_when_it_is_long() -> None:
    _start(lambda job: job.log('"' * 5000))
    drain_due_jobs(KIND)
    assert _texts()[0] == '"' * LOG_CHARACTERS
