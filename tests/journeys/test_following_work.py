"""Following work as it is done: jobs, streams of events, what has changed, and what is found."""

import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.journeys.rest import add_file, create_dandiset, success, wait_until_valid

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]
SECONDS = 60.0


def events(lines: Iterator[str]) -> Iterator[tuple[str, Any]]:
    """The name and the data of each event of a stream."""
    name = ""
    for line in lines:
        field, _, value = line.partition(": ")
        name = value if field == "event" else name
        if field == "data":
            yield name, json.loads(value)


@pytest.fixture
def dandiset(api: httpx.Client) -> str:
    """One with a file, that could be published."""
    identifier = create_dandiset(api, "Followed marmosets")
    add_file(api, identifier, "a.txt", f"The first file of {identifier}.".encode())
    wait_until_valid(api, identifier)
    return identifier


def test_publishing_is_heard_of_until_it_is_done(api: httpx.Client, dandiset: str) -> None:
    live = success(api.get("/info/")).json()["services"]["live"]["url"]
    headers = {"Authorization": api.headers["Authorization"]}
    address = f"{live}/events/dandisets/{dandiset}"
    with httpx.stream("GET", address, headers=headers, timeout=SECONDS, trust_env=False) as stream:
        heard = events(stream.iter_lines())
        assert next(heard)[0] == "timeline"
        published = success(api.post(f"/dandisets/{dandiset}/versions/draft/publish/"))
        job_id = published.headers["Location"].split("/")[3]
        states = (data for name, data in heard if name == "job" and data["id"] == job_id)
        ended = next(data for data in states if data["ended"])
    assert ended["state"] == "succeeded"
    job = success(api.get(f"/jobs/{job_id}/")).json()
    assert [line["text"] for line in job["log"]][-1] == "Succeeded"
    over = httpx.get(f"{live}/events/jobs/{job_id}", headers=headers, timeout=SECONDS, trust_env=False)
    assert (over.status_code, '"state":"succeeded"' in over.text) == (200, True)


def test_difference_from_version_to_draft_is_what_was_done(api: httpx.Client, dandiset: str) -> None:
    success(api.post(f"/dandisets/{dandiset}/versions/draft/publish/"))
    version = wait_for_version(api, dandiset)
    add_file(api, dandiset, "b.txt", f"The second file of {dandiset}.".encode())
    found = success(api.get(f"/dandisets/{dandiset}/versions/{version}/diff/draft/")).json()
    assert [(each["change"], each["path"]) for each in found["results"]] == [("added", "b.txt")]


def test_dataset_is_found_by_part_of_a_word_a_moment_later(api: httpx.Client, dandiset: str) -> None:
    deadline = time.monotonic() + SECONDS
    found: list[str] = []
    while dandiset not in found:
        assert time.monotonic() < deadline
        answer = success(api.get("/dandisets/", params={"search": '"followed marm"', "page_size": 1000})).json()
        found = [row["identifier"] for row in answer["results"]]
        time.sleep(0.2)


def test_edit_of_what_somebody_else_has_edited_is_refused(api: httpx.Client, dandiset: str) -> None:
    draft = f"/dandisets/{dandiset}/versions/draft/"
    read = success(api.get(draft))
    body = {"name": "Mine", "metadata": read.json()}
    success(api.put(draft, json=body, headers={"If-Match": read.headers["ETag"]}))
    assert api.put(draft, json=body, headers={"If-Match": read.headers["ETag"]}).status_code == 412


def wait_for_version(api: httpx.Client, dandiset: str) -> str:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        newest = success(api.get(f"/dandisets/{dandiset}/")).json()["most_recent_published_version"]
        if newest:
            version: str = newest["version"]
            return version
        time.sleep(0.2)
    raise TimeoutError("There is no version.")
