"""What reviewers are told: every address of every face, for everybody who reads a dataset by a reviewer link alone."""

from typing import Any

import pytest
from django.test import Client

from archive.accounts.models import User
from archive.accounts.policy import Actor
from archive.accounts.queries import find_reviewer_link
from archive.datasets.services import update_draft
from archive.errors import NotFoundError
from archive.timeline.models import Job
from dandiapi.live.sources import DatasetSource, JobSource
from dandiapi.web.urls import urlpatterns as pages
from tests.dandiapi.git.caller import Caller
from tests.dandiapi.rest.test_access import OF_THE_SITE, OF_WHAT_IS_EMBARGOED
from tests.dandiapi.rest.world import Line, World, embargo
from tests.factories import (
    make_asset,
    make_published_version,
    make_user,
    owner_of,
    valid_dandiset_metadata,
)
from tests.worker import MadeOnce, Worker

pytestmark = pytest.mark.django_db

# The owner, and what else tells whose the dataset is.
OWNER = {
    "username": "zebulon@example.org",
    "email": "zebulon@example.org",
    "first_name": "Zebulon",
    "last_name": "Quackenbush",
    "github_login": "zebulon-login",
}
ORCID = "0000-0002-1825-0097"
PERSON = {
    "schemaKey": "Person",
    "name": "Quackenbush, Zebulon",
    "identifier": ORCID,
    "email": "zebulon@example.org",
    "roleName": ["dcite:ContactPerson"],
    "includeInCitation": True,
}
SECRETS = ("Zebulon", "zebulon", "Quackenbush", ORCID, "Quack Foundation", "Thanks to Quinn")
GUESSES = (
    "owner:zebulon@example.org",
    "owner:zebulon-login",
    "owner:Zebulon",
    'owner:"Zebulon Quackenbush"',
    "Quackenbush",
    "mouse quackenbush",
    ORCID,
    '"Quack Foundation"',
    "zebulon@example",
    "Quinn",
)

READERS = ("by token", "by browser", "signed in")
PAGES = (
    "/",
    "/?search=mouse",
    "/dandiset/my",
    "/dandiset/starred",
    "/dandiset/{identifier}",
    "/dandiset/{identifier}/draft",
    "/dandiset/{identifier}/{version}",
    "/dandiset/{identifier}/draft/files",
    "/dandiset/{identifier}/draft/files?location=sub-1",
    "/dandiset/{identifier}/draft/files/sub-1/a.nwb",
    "/dandiset/{identifier}/{version}/diff/draft",
    "/dandiset/{identifier}/draft/diff/{version}",
)
# Pages that are no dataset's, or only for those who may change something.
OTHER_PAGES = {
    "about-you", "publish", "star", "tokens", "revoke-token", "authorize", "questionnaire", "dashboard", "operations",
    "review-user", "mailing-list",
}  # fmt: skip
REPOSITORY = (
    "/git/{identifier}/config",
    "/git/{identifier}/info/refs?service=git-upload-pack",
    "/git/{identifier}/info/refs?service=git-receive-pack",
)


class ReviewedWorld(World):
    """An embargoed draft and an earlier version of it, whose metadata name people wherever metadata can."""

    def __init__(self, worker: Worker) -> None:
        super().__init__(worker)
        User.objects.filter(pk=self.owner.pk).update(**OWNER)
        self.owner.refresh_from_db()
        self._describe(contributor=[PERSON | {"name": "Quackenbush, Z."}])
        worker.run()
        self.version = make_published_version(worker, self.dataset).version
        self._describe(
            contributor=[
                PERSON,
                {"schemaKey": "Organization", "name": "Quack Foundation", "roleName": ["dcite:Funder"]},
            ],
            acknowledgement="Thanks to Quinn",
            access=[{"contactPoint": {"schemaKey": "ContactPoint", "email": "zebulon@example.org"}}],
            about=[{"schemaKey": "Anatomy", "name": "Cortex", "details": {"contributor": [PERSON]}}],
        )
        made = {"schemaKey": "Session", "name": "S", "used": [{"name": "Probe", "contributor": [PERSON]}]}
        make_asset(self.dataset, "sub-1/named.nwb", contributor=[PERSON], wasGeneratedBy=[made])
        worker.run()
        embargo(self.dataset)
        self.dataset.refresh_from_db()

    def _describe(self, **metadata: Any) -> None:
        update_draft(
            actor=owner_of(self.dataset),
            dataset=self.dataset,
            name="Mouse vision",
            metadata=valid_dandiset_metadata() | metadata,
        )

    def reader(self, name: str) -> Client:
        """Somebody who reads by the link: as a token, or followed in a browser, perhaps by somebody signed in."""
        if name == "by token":
            return Client(headers={"Authorization": f"token {self.link_secret}"})
        client = Client()
        if name == "signed in":
            client.force_login(self.reviewer, backend="django.contrib.auth.backends.ModelBackend")
        client.get(f"/dandiset/{self.identifier}/draft?reviewer={self.link_secret}")
        if name == "signed in":
            client.post(f"/dandiset/{self.identifier}/star", {"starred": "yes"})
        return client

    @property
    def reviewer(self) -> User:
        """The one who is signed in."""
        return User.objects.filter(first_name="Rita").first() or make_user(first_name="Rita", last_name="Reader")

    @property
    def actor(self) -> Actor:
        """The same, as the domain knows them."""
        return Actor(user=self.reviewer, link=find_reviewer_link(self.link_secret))

    def addresses(self) -> list[str]:
        """Everything there is to read, of both versions."""
        tables = f"{OF_THE_SITE.strip()}\n{OF_WHAT_IS_EMBARGOED.strip()}"
        lines = [Line.read(text) for text in tables.splitlines()]
        routes = [f"/api/{line.address}" for line in lines if line.method == "GET"]
        more = ["/api/dandisets/{identifier}/versions/{version}/assets/?metadata=true"]
        written = [*routes, *more, *PAGES]
        known = {name: self[name] for name in ("identifier", "asset_id", "zarr_id", "job_id", "link_id")}
        versions = (self.version, "draft")
        return sorted({text.format(version=version, **known) for version in versions for text in written})


@pytest.fixture(scope="module", autouse=True)
def world(made_once: MadeOnce[ReviewedWorld]) -> ReviewedWorld:
    return made_once(ReviewedWorld.complete)


def told(client: Client, address: str) -> str:
    """All that an address answers, its headers too."""
    response: Any = client.get(address)
    return f"{response.headers}{response.getvalue().decode()}"


@pytest.mark.parametrize("name", READERS)
def test_reviewer_is_told_of_nobody_at_any_address(world: ReviewedWorld, name: str) -> None:
    client = world.reader(name)
    answers = {address: told(client, address) for address in world.addresses()}
    leaks = [(address, secret) for address, answer in answers.items() for secret in SECRETS if secret in answer]
    assert leaks == []
    about_it = [address for address, answer in answers.items() if "Mouse vision" in answer]
    assert len(about_it) >= 6


def test_reviewer_finds_the_dataset_in_lists(world: ReviewedWorld) -> None:
    client = world.reader("signed in")
    for address in (
        "/api/dandisets/?embargoed=true",
        "/api/dandisets/?starred=true&embargoed=true",
        "/dandiset/starred",
    ):
        assert world.identifier in told(client, address)


@pytest.mark.parametrize("route", ["dandisets/", "dandisets/search/"])
def test_reviewer_learns_nothing_from_guesses(world: ReviewedWorld, route: str) -> None:
    client = world.reader("signed in")
    query = {"embargoed": "true"}
    found = {guess: client.get(f"/api/{route}", query | {"search": guess}).json()["count"] for guess in GUESSES}
    assert found == dict.fromkeys(GUESSES, 0)


def test_reviewer_finds_by_what_reviewers_read(world: ReviewedWorld) -> None:
    client = world.reader("signed in")
    for search in ("mouse", "cortex mouse", '"what a mouse saw"'):
        assert client.get("/api/dandisets/", {"embargoed": "true", "search": search}).json()["count"] == 1, search


def test_reviewer_follows_no_work_not_even_what_they_once_started(world: ReviewedWorld) -> None:
    Job.objects.filter(pk=world.job_id).update(user_id=world.reviewer.pk, reason="Quackenbush is not valid")
    client = world.reader("signed in")
    assert client.get("/api/jobs/").json()["results"] == []
    assert client.get(f"/api/jobs/{world.job_id}/").status_code == 404
    with pytest.raises(NotFoundError):
        JobSource(world.actor, Job.objects.get(pk=world.job_id).pk, "").read()


def test_reviewer_hears_of_changes_and_of_nobody(world: ReviewedWorld) -> None:
    events = DatasetSource(world.actor, world.dataset.number, "0").read()
    heard = " ".join(str(event.data) for event in events)
    assert "update_metadata" in heard
    assert [secret for secret in SECRETS if secret in heard] == []


def test_reviewer_does_not_change_what_others_are_told_of_differences(world: ReviewedWorld) -> None:
    address = f"/api/dandisets/{world.identifier}/versions/{world.version}/diff/draft/"
    owner = Client()
    owner.force_login(world.owner, backend="django.contrib.auth.backends.ModelBackend")
    reviewed = world.reader("signed in").get(address).json()["changelog"]
    assert "contributor" not in reviewed
    assert "contributor" in owner.get(address).json()["changelog"]
    assert world.reader("signed in").get(address).json()["changelog"] == reviewed


@pytest.mark.parametrize("address", REPOSITORY)
def test_reviewer_is_refused_the_repository_whose_commits_name_people(world: ReviewedWorld, address: str) -> None:
    reviewer = Caller(secret=world.link_secret)
    assert reviewer.get(address.format(identifier=world.identifier)).status_code == 403


def test_matrix_knows_every_page() -> None:
    asked = {pattern.name for pattern in pages for page in PAGES if _leads_to(pattern, page)}
    assert asked | OTHER_PAGES == {pattern.name for pattern in pages if pattern.name}


def _leads_to(pattern: Any, page: str) -> bool:
    path = page.format(identifier="000001", version="0.000001.0001").partition("?")[0]
    return pattern.resolve(path.removeprefix("/")) is not None
