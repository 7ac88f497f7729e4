"""A service is away for a while: requests that need it say so, and work goes on when it is back."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

import httpx
import pytest

from tests.journeys.rest import add_file, create_dandiset, finish_upload, start_upload, success, wait_until_valid
from tests.journeys.running import RunningArchive

pytestmark = [pytest.mark.journey, pytest.mark.timeout(120)]
RECOVERY_SECONDS = 30.0
REQUESTS_PER_FILE = 5

Outage = Callable[[RunningArchive, str], AbstractContextManager[None]]


@pytest.fixture
def dandiset(api: httpx.Client) -> str:
    """A dandiset with a file in it, found valid."""
    identifier = create_dandiset(api, "Outages")
    add_file(api, identifier, "before.txt", os.urandom(1000))
    wait_until_valid(api, identifier)
    return identifier


@pytest.mark.parametrize("service", ["store", "postgres"])
def test_a_dead_service_is_a_503_until_it_is_back(
    running_archive: RunningArchive, api: httpx.Client, dandiset: str, service: str
) -> None:
    with running_archive.without(service):
        refused = start_upload(api, dandiset, os.urandom(1000))
    assert_come_back_later(refused)
    assert_work_resumes(api, dandiset)


def test_an_object_store_that_does_not_answer_is_a_503(
    running_archive: RunningArchive, api: httpx.Client, dandiset: str
) -> None:
    with running_archive.paused("store"):
        refused = start_upload(api, dandiset, os.urandom(1000))
    assert_come_back_later(refused)
    assert_work_resumes(api, dandiset)


def test_reading_goes_on_without_the_object_store(
    running_archive: RunningArchive, api: httpx.Client, dandiset: str
) -> None:
    with running_archive.paused("store"):
        answers = [api.get(path) for path in read_paths(dandiset)]
    assert [answer.status_code for answer in answers] == [httpx.codes.OK] * len(answers)


@pytest.mark.parametrize("outage", [RunningArchive.without, RunningArchive.paused])
def test_nothing_is_lost_while_valkey_is_away(
    running_archive: RunningArchive, api: httpx.Client, dandiset: str, outage: Outage
) -> None:
    with outage(running_archive, "valkey"):
        began = time.monotonic()
        add_file(api, dandiset, "meanwhile.txt", os.urandom(1000))
        seconds_per_request = (time.monotonic() - began) / REQUESTS_PER_FILE
    assert seconds_per_request < 5
    wait_until_valid(api, dandiset)


def assert_come_back_later(response: httpx.Response) -> None:
    """Asserts that a client is told to try again, and when."""
    assert response.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert int(response.headers["Retry-After"]) > 0


def assert_work_resumes(api: httpx.Client, dandiset: str) -> None:
    """Asserts that the refused request works when it is repeated, and that from then on nothing is refused any more."""
    content = os.urandom(1000)
    finish_upload(api, retry(lambda: start_upload(api, dandiset, content)).json(), content)
    add_file(api, dandiset, "after.txt", os.urandom(1000))
    wait_until_valid(api, dandiset)


def read_paths(dandiset: str) -> list[str]:
    """What a person looks at."""
    draft = f"/dandisets/{dandiset}/versions/draft"
    return ["/dandisets/", f"/dandisets/{dandiset}/", f"{draft}/info/", f"{draft}/assets/", f"{draft}/assets/paths/"]


def retry(request: Callable[[], httpx.Response]) -> httpx.Response:
    """Repeats a request as a client does that is told to retry."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while (response := request()).status_code == httpx.codes.SERVICE_UNAVAILABLE and time.monotonic() < deadline:
        time.sleep(0.5)
    return success(response)
