"""What is said of a dataset as a repository: where it is cloned from, and which commit each version is."""

from typing import Any

from django.conf import settings

from archive.datasets.models import Dataset
from archive.snapshots.queries import references
from archive.snapshots.services import repository_of
from tests.dandiapi.rest.api import Api
from tests.factories import make_asset, make_published_version, make_valid_dataset
from tests.worker import Worker


def address(dataset: Dataset) -> str:
    return f"dandisets/{dataset.identifier}/repository/"


def told(api: Api, dataset: Dataset) -> dict[str, Any]:
    answer: dict[str, Any] = api.get(address(dataset)).json()
    return answer


def test_repository_says_where_it_is_and_what_the_draft_is(anonymous: Api, dataset: Dataset, writer: Worker) -> None:
    make_asset(dataset, "a.nwb")
    writer.run()
    repository = repository_of(dataset)
    assert told(anonymous, dataset) == {
        "clone_url": f"{settings.ARCHIVE_URL}/git/{dataset.identifier}",
        "serverless_clone_url": told(anonymous, dataset)["serverless_clone_url"],
        "annex_uuid": str(repository.annex_uuid),
        "commit": references(repository)["refs/heads/main"],
        "is_current": True,
        "state": "following",
        "reason": "",
    }
    assert told(anonymous, dataset)["serverless_clone_url"].endswith("/clone")


def test_repository_has_a_commit_before_any_file(anonymous: Api, dataset: Dataset, writer: Worker) -> None:
    assert (told(anonymous, dataset)["commit"], told(anonymous, dataset)["is_current"]) == (None, False)
    writer.run()
    found = told(anonymous, dataset)
    assert (found["commit"], found["is_current"]) == (references(repository_of(dataset))["refs/heads/main"], True)


def test_repository_that_lies_behind_says_so(anonymous: Api, dataset: Dataset, writer: Worker) -> None:
    writer.run()
    make_asset(dataset, "a.nwb")
    assert told(anonymous, dataset)["is_current"] is False


def test_embargoed_repository_is_not_laid_out(owner: Api, dataset: Dataset, embargoed: None, writer: Worker) -> None:
    make_asset(dataset, "a.nwb")
    writer.run()
    found = told(owner, dataset)
    assert (found["serverless_clone_url"], found["commit"] is None) == (None, False)


def test_versions_have_the_commits_of_their_tags(anonymous: Api, writer: Worker) -> None:
    dataset = make_valid_dataset(writer)
    version = make_published_version(writer, dataset)
    writer.run()
    tag = references(repository_of(dataset))[f"refs/tags/{version.version}"]
    page = anonymous.get(f"{address(dataset)}versions/").json()
    assert (page["count"], page["results"]) == (1, [{"version": version.version, "commit": tag}])
