"""Event streams, against a real `live` process."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoDbBlocker

from archive.accounts.models import User
from archive.accounts.services import create_token
from archive.datasets.models import Dataset
from archive.publishing.services import cancel_job
from archive.timeline import news
from archive.timeline.models import Job
from archive.timeline.services import start_job
from archive.timeline.work.jobs import run_job
from dandiapi import limits
from dandiapi.limits import Limiter
from dandiapi.live.application import Live
from tests.dandiapi.live.listening import SESSION_COOKIE, LiveProcess, heard
from tests.factories import make_asset, make_dataset, make_embargoed_dataset, make_user, owner_of

HEARTBEAT = 0.5

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def live(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[LiveProcess]:
    with LiveProcess.running(django_db_blocker, heartbeat=HEARTBEAT) as process:
        yield process


@pytest.fixture
def owner() -> User:
    return make_user()


@pytest.fixture
def secret(owner: User) -> str:
    return create_token(user=owner, name="tests")[1]


@pytest.fixture
def dataset(owner: User) -> Dataset:
    return make_dataset(owner)


@pytest.fixture
def job(dataset: Dataset) -> Job:
    start_job("manifest", subject="0", dataset_id=dataset.number)
    return Job.objects.get()


def stranger() -> str:
    return create_token(user=make_user(), name="tests")[1]


def of_job(job: Job) -> str:
    return f"/events/jobs/{job.pk}/"


def of_dataset(dataset: Dataset) -> str:
    return f"/events/dandisets/{dataset.identifier}/"


# --- Jobs -------------------------------------------------------------------------------------------------------------


def test_stream_of_a_job_tells_how_it_is_and_how_it_ends(live: LiveProcess, job: Job, secret: str) -> None:
    with live.listening(of_job(job), secret) as events:
        [first] = heard(events, 1)
        run_job(job.pk)
        states = [first.data["state"], *(event.data["state"] for event in events)]
    assert states[0] == "queued"
    assert states[-1] == "succeeded"


def test_stream_of_a_job_has_all_that_the_api_has(live: LiveProcess, job: Job, secret: str) -> None:
    with live.listening(of_job(job), secret) as events:
        [event] = heard(events, 1)
    assert event.name == "job"
    assert (event.data["id"], event.data["kind"], event.data["log"]) == (str(job.pk), "manifest", [])


def test_stream_tells_of_a_job_that_is_cancelled(live: LiveProcess, job: Job, dataset: Dataset, secret: str) -> None:
    with live.listening(of_job(job), secret) as events:
        heard(events, 1)
        cancel_job(actor=owner_of(dataset), job=job)
        [last] = list(events)
    assert (last.data["state"], last.data["reason"]) == ("cancelled", "Cancelled by Jane Doe.")


def test_stream_finds_what_no_message_told(
    live: LiveProcess, job: Job, secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "_publish", lambda news: None)
    with live.listening(of_job(job), secret) as events:
        heard(events, 1)
        run_job(job.pk)
        assert list(events)[-1].data["state"] == "succeeded"


def test_client_that_comes_back_is_not_told_twice(live: LiveProcess, job: Job, secret: str) -> None:
    with live.listening(of_job(job), secret) as events:
        [first] = heard(events, 1)
    with live.listening(of_job(job), secret, last_event_id=first.id) as events:
        run_job(job.pk)
        assert "queued" not in {event.data["state"] for event in events}


def test_client_that_has_heard_the_end_is_told_not_to_come_back(live: LiveProcess, job: Job, secret: str) -> None:
    run_job(job.pk)
    with live.listening(of_job(job), secret) as events:
        [last] = list(events)
    assert live.get(of_job(job), secret, last_event_id=last.id).status_code == 204


# --- Datasets ---------------------------------------------------------------------------------------------------------


def test_stream_of_a_dataset_tells_its_changes_to_anyone(live: LiveProcess, dataset: Dataset) -> None:
    with live.listening(of_dataset(dataset)) as events:
        first = heard(events, 1)
        make_asset(dataset, "a.nwb")
        second = heard(events, 1)
    assert [(event.name, event.data["number"], event.id) for event in (*first, *second)] == [
        ("timeline", 1, "1"),
        ("change", 2, "2"),
    ]
    assert (second[0].data["kind"], set(second[0].data)) == ("add_asset", {"number", "kind", "recorded"})


def test_client_that_comes_back_hears_the_changes_it_missed(live: LiveProcess, dataset: Dataset) -> None:
    for name in ("a.nwb", "b.nwb", "c.nwb"):
        make_asset(dataset, name)
    with live.listening(of_dataset(dataset), last_event_id="2") as events:
        assert [event.id for event in heard(events, 2)] == ["3", "4"]


@pytest.mark.parametrize("last", ["x", "-1", "9" * 40, "٣"])
def test_stream_begins_anew_when_the_last_id_is_none(live: LiveProcess, dataset: Dataset, last: str) -> None:
    with live.listening(of_dataset(dataset), last_event_id=last.encode()) as events:
        assert heard(events, 1)[0].name == "timeline"


def test_stream_of_a_dataset_tells_its_jobs_to_its_owner(
    live: LiveProcess, dataset: Dataset, job: Job, secret: str
) -> None:
    with live.listening(of_dataset(dataset), secret) as events:
        told = heard(events, 2)
        run_job(job.pk)
        ended = next(event for event in events if event.data.get("state") == "succeeded")
    assert [event.name for event in told] == ["timeline", "job"]
    assert ended.data["id"] == str(job.pk)


def test_stream_of_a_dataset_tells_no_jobs_to_others(live: LiveProcess, dataset: Dataset, job: Job) -> None:
    with live.listening(of_dataset(dataset), stranger()) as events:
        heard(events, 1)
        run_job(job.pk)
        make_asset(dataset, "a.nwb")
        assert heard(events, 1)[0].name == "change"


# --- Keeping it open --------------------------------------------------------------------------------------------------


def test_stream_says_that_it_is_still_there(live: LiveProcess, dataset: Dataset) -> None:
    with live.lines(of_dataset(dataset)) as lines:
        assert ": still here" in lines


def test_client_has_no_more_streams_than_its_share(live: LiveProcess, dataset: Dataset, secret: str) -> None:
    with ExitStack() as stack:
        for _ in range(3):
            heard(stack.enter_context(live.listening(of_dataset(dataset), secret)), 1)
        refused = live.get(of_dataset(dataset), secret)
        with live.listening(of_dataset(dataset), stranger()) as events:
            assert heard(events, 1)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "5")


@pytest.mark.parametrize(("headers", "status"), [([], 404), ([(b"authorization", b"token arc_nonsense")], 401)])
def test_request_is_counted_when_it_is_refused_too(
    settings: Any, monkeypatch: pytest.MonkeyPatch, headers: list[tuple[bytes, bytes]], status: int
) -> None:
    monkeypatch.setattr(limits, "LIMITER", Limiter())
    settings.RATE_LIMIT_ANONYMOUS = 2
    scope = {"type": "http", "method": "GET", "path": "/events/x/", "query_string": b"", "headers": headers}
    assert [asyncio.run(status_of(scope)) for _ in range(3)] == [status, status, 429]


def test_stream_ends_when_the_dataset_may_not_be_read_any_more(live: LiveProcess, dataset: Dataset) -> None:
    with live.listening(of_dataset(dataset)) as events:
        heard(events, 1)
        Dataset.objects.update(access=Dataset.Access.EMBARGOED, embargo_end=timezone.now() + timedelta(days=9))
        assert list(events) == []


async def status_of(scope: dict[str, Any]) -> int:
    """The status of the answer to a request that opens no stream."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    await Live()(scope, receive, send)
    status: int = sent[0]["status"]
    return status


# --- Who may ----------------------------------------------------------------------------------------------------------


def test_stream_of_a_job_is_for_those_who_may_follow_it(live: LiveProcess, job: Job) -> None:
    assert live.get(of_job(job)).status_code == 401
    assert live.get(of_job(job), stranger()).status_code == 404


def test_stream_of_an_embargoed_dataset_is_for_those_who_may_read_it(
    live: LiveProcess, owner: User, secret: str
) -> None:
    dataset = make_embargoed_dataset(owner)
    assert live.get(of_dataset(dataset)).status_code == 401
    assert live.get(of_dataset(dataset), stranger()).status_code == 403
    with live.listening(of_dataset(dataset), secret) as events:
        assert heard(events, 1)


def test_stream_knows_the_sessions_of_the_pages(live: LiveProcess, job: Job, owner: User) -> None:
    client = Client()
    client.force_login(owner, backend="django.contrib.auth.backends.ModelBackend")
    cookie = f"{SESSION_COOKIE}={client.cookies[SESSION_COOKIE].value}"
    with live.listening(of_job(job), cookie=cookie) as events:
        assert heard(events, 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [("/events/", 200), ("/", 404), ("/events/jobs/x/", 404), ("/events/dandisets/999999/", 404), ("/api/info/", 404)],
)
def test_address_is_answered(live: LiveProcess, path: str, status: int) -> None:
    assert live.get(path).status_code == status


def test_token_that_is_none_is_refused(live: LiveProcess, dataset: Dataset) -> None:
    assert live.get(of_dataset(dataset), "nonsense").status_code == 401


def test_job_that_does_not_exist_is_not_found(live: LiveProcess, secret: str) -> None:
    assert live.get(f"/events/jobs/{uuid4()}/", secret).status_code == 404


def test_cookies_are_for_pages_of_our_own_only(live: LiveProcess, settings: Any) -> None:
    ours = live.get("/events/", origin=settings.ARCHIVE_URL).headers
    other = live.get("/events/", origin="https://elsewhere.example.net").headers
    assert (ours["access-control-allow-origin"], ours["access-control-allow-credentials"]) == (
        settings.ARCHIVE_URL,
        "true",
    )
    assert other["access-control-allow-origin"] == "*"
    assert "access-control-allow-credentials" not in other
