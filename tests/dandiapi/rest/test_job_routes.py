"""Jobs and projections, over HTTP."""

from typing import Any

import pytest

from archive.assets.models import Asset
from archive.datasets.models import Dataset
from archive.timeline.models import Job
from tests.dandiapi.rest.api import Api
from tests.worker import Worker


@pytest.fixture
def published(owner: Api, draft: str, asset: Asset, worker: Worker) -> Any:
    """The answer to a request to publish."""
    worker.run()
    return owner.post(f"{draft}publish/")


def address_of(response: Any) -> str:
    address: str = response["Location"].removeprefix("/api/")
    return address


def test_publish_says_where_its_job_is(owner: Api, published: Any) -> None:
    assert (published.status_code, published.content) == (202, b"")
    assert owner.get(address_of(published)).json()["kind"] == "publish"


def test_job_says_how_it_fares(owner: Api, dataset: Dataset, published: Any, worker: Worker) -> None:
    before = owner.get(address_of(published)).json()
    worker.run()
    after = owner.get(address_of(published)).json()
    assert (before["state"], before["percent"], before["ended"], before["log"]) == ("queued", None, None, [])
    assert (after["dandiset"], after["state"], after["step"]) == (dataset.identifier, "succeeded", "finish")
    assert (after["percent"], after["attempts"], after["reason"]) == (100, 1, "")
    assert [line["text"] for line in after["log"]][-2:] == ["Step: finish", "Succeeded"]
    assert set(after) == {
        *("id", "kind", "dandiset", "state", "step", "done", "total", "percent", "attempts", "reason"),
        *("created", "started", "ended", "deadline", "log"),
    }


@pytest.mark.parametrize(
    ("done", "total", "percent"), [(0, 10, 0), (5, 10, 50), (20, 10, 100), (5, None, None), (0, 0, None)]
)
def test_job_says_how_much_of_its_step_is_done(
    owner: Api, published: Any, done: int, total: int | None, percent: int | None
) -> None:
    Job.objects.update(state="running", done=done, total=total)
    assert owner.get(address_of(published)).json()["percent"] == percent


def test_jobs_are_listed_newest_first(owner: Api, dataset: Dataset, published: Any, worker: Worker) -> None:
    worker.run()
    body = owner.get(f"jobs/?dandiset={dataset.identifier}").json()
    assert [job["kind"] for job in body["results"]] == ["manifest", "publish"]
    assert body["count"] == 2
    assert "log" not in body["results"][0]


@pytest.mark.parametrize(("query", "count"), [("kind=publish", 1), ("state=queued", 0), ("dandiset=999999", 0)])
def test_jobs_are_listed_by_what_is_asked_for(
    owner: Api, published: Any, worker: Worker, query: str, count: int
) -> None:
    worker.run()
    assert owner.get(f"jobs/?{query}").json()["count"] == count


def test_jobs_of_others_are_in_no_list(stranger: Api, published: Any) -> None:
    assert stranger.get("jobs/").json()["results"] == []


@pytest.mark.parametrize("query", ["state=lost", "dandiset=x", f"kind={'x' * 33}"])
def test_jobs_are_refused_when_the_query_is_wrong(owner: Api, query: str) -> None:
    response = owner.get(f"jobs/?{query}")
    assert (response.status_code, list(response.json())) == (400, [query.partition("=")[0]])


def test_job_is_cancelled_once(owner: Api, draft: str, published: Any) -> None:
    first = owner.post(f"{address_of(published)}cancel/")
    second = owner.post(f"{address_of(published)}cancel/")
    assert (first.status_code, first.json()["state"], first.json()["reason"]) == (
        200,
        "cancelled",
        "Cancelled by Jane Doe.",
    )
    assert (second.status_code, second.json()) == (409, "The job has ended already.")
    assert owner.get(f"{draft}info/").json()["status"] == "Valid"


def test_job_is_tried_again_and_says_where(owner: Api, published: Any, worker: Worker) -> None:
    owner.post(f"{address_of(published)}cancel/")
    again = owner.post(f"{address_of(published)}retry/")
    worker.run()
    assert again.status_code == 200
    assert owner.get(address_of(again)).json()["state"] == "succeeded"


def test_projections_are_listed_with_their_state_and_reason(
    owner: Api, dataset: Dataset, asset: Asset, worker: Worker
) -> None:
    worker.run()
    body = owner.get(f"dandisets/{dataset.identifier}/projections/").json()
    found = {projection["name"]: projection for projection in body}
    assert found["validation"]["is_current"]
    assert (found["manifest"]["state"], found["manifest"]["reason"]) == ("waiting", "The dataset is being changed.")
