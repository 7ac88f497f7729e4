"""A service is away for a while: requests that need it say so, and work goes on when it is back."""

import os
import time
from collections.abc import Callable

import httpx
import pytest

from tests.journeys.rest import add_file, create_dandiset, finish_upload, start_upload, success, wait_until_valid
from tests.journeys.running import RunningArchive

pytestmark = pytest.mark.timeout(120)
RECOVERY_SECONDS = 30.0


@pytest.fixture
def dandiset(api: httpx.Client) -> str:
    """A dandiset with a file in it, found valid."""
    identifier = create_dandiset(api, "Outages")
    add_file(api, identifier, "before.txt", os.urandom(1000))
    wait_until_valid(api, identifier)
    return identifier


@pytest.mark.parametrize("service", ["store", "postgres"])
def test_a_killed_service_is_a_503_until_it_is_back(
    running_archive: RunningArchive, api: httpx.Client, dandiset: str, service: str
) -> None:
    content = os.urandom(1000)
    running_archive.kill(service)

    refused = start_upload(api, dandiset, content)

    assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert int(refused.headers["Retry-After"]) > 0
    finish_upload(api, retry(lambda: start_upload(api, dandiset, content)).json(), content)
    add_file(api, dandiset, "after.txt", os.urandom(1000))
    wait_until_valid(api, dandiset)


def test_an_object_store_that_does_not_answer_is_a_503(
    running_archive: RunningArchive, api: httpx.Client, dandiset: str
) -> None:
    content = os.urandom(1000)
    with running_archive.paused("store"):
        refused = start_upload(api, dandiset, content)

    assert refused.status_code == httpx.codes.SERVICE_UNAVAILABLE
    assert int(refused.headers["Retry-After"]) > 0
    finish_upload(api, retry(lambda: start_upload(api, dandiset, content)).json(), content)


def test_reading_goes_on_without_the_object_store(
    running_archive: RunningArchive, api: httpx.Client, dandiset: str
) -> None:
    with running_archive.paused("store"):
        answers = [api.get(path) for path in read_paths(dandiset)]
    assert [answer.status_code for answer in answers] == [httpx.codes.OK] * len(answers)


def test_nothing_is_lost_while_valkey_is_away(
    running_archive: RunningArchive, api: httpx.Client, dandiset: str
) -> None:
    with running_archive.paused("valkey"):
        began = time.monotonic()
        add_file(api, dandiset, "meanwhile.txt", os.urandom(1000))
        seconds_of_one_request = (time.monotonic() - began) / 4
    assert seconds_of_one_request < 5
    wait_until_valid(api, dandiset)


def test_nothing_is_lost_when_valkey_is_killed(
    running_archive: RunningArchive, api: httpx.Client, dandiset: str
) -> None:
    running_archive.kill("valkey")
    add_file(api, dandiset, "meanwhile.txt", os.urandom(1000))
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
