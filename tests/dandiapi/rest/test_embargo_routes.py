"""Embargo on the wire: creation, release, viewers, reviewer links (docs/dialects/dandi.md#embargo)."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from archive.blobs.models import Upload
from archive.blobs.services import start_upload
from archive.datasets.models import Dataset, Version
from archive.storage.queries import public_url
from tests.dandiapi.rest import shapes
from tests.dandiapi.rest.api import Api
from tests.factories import (
    make_asset,
    make_embargoed_dataset,
    make_reviewer_link,
    make_user,
    make_viewer,
    owner_of,
    start_release,
    valid_dandiset_metadata,
)
from tests.worker import Worker

LINK = {"id", "label", "hint", "created", "created_by", "expires", "revoked", "last_used"}
SECRETS = ["Doe", "jane@example.org", "NIH", "Thanks to Jim", "My other paper"]


def days_from_now(days: int) -> date:
    return datetime.now(UTC).date() + timedelta(days=days)


@pytest.fixture
def body() -> dict[str, Any]:
    """A new dataset."""
    return {"name": "Mouse vision", "metadata": valid_dandiset_metadata()}


@pytest.fixture
def secret(owner: Api) -> Dataset:
    """The owner's embargoed dataset."""
    return make_embargoed_dataset(owner.user)


@pytest.fixture
def reviewer(secret: Dataset) -> Api:
    """Somebody who has nothing but a reviewer link of that dataset."""
    return Api(secret=make_reviewer_link(secret)[1])


@pytest.fixture
def viewer(secret: Dataset) -> Api:
    return Api(make_viewer(secret))


# --- Creating ---------------------------------------------------------------------------------------------------------


def create(owner: Api, body: dict[str, Any], **query: object) -> Any:
    return owner.post(f"dandisets/?{urlencode({'embargo': 'true', **query})}", body)


def test_dataset_is_created_under_an_embargo_of_two_years(owner: Api, body: dict[str, Any]) -> None:
    response = create(owner, body)
    assert (response.status_code, response.json()["embargo_status"]) == (200, "EMBARGOED")
    dataset = Dataset.objects.get()
    assert dataset.embargo_end == days_from_now(730)
    assert Version.objects.get().metadata["access"] == [
        {
            "schemaKey": "AccessRequirements",
            "status": "dandi:EmbargoedAccess",
            "embargoedUntil": days_from_now(730).isoformat(),
        }
    ]


@pytest.mark.parametrize(
    "query",
    [
        {"funding_source": "NIH", "award_number": "R01", "embargo_end_date": days_from_now(1825)},
        {"fundingSource": "NIH", "awardNumber": "R01", "embargoEndDate": days_from_now(1825)},
    ],
)
def test_funded_dataset_is_embargoed_for_up_to_five_years(
    owner: Api, body: dict[str, Any], query: dict[str, object]
) -> None:
    assert create(owner, body, **query).status_code == 200
    assert Dataset.objects.get().embargo_end == days_from_now(1825)
    assert Version.objects.get().metadata["contributor"][-1] == {
        "schemaKey": "Organization",
        "name": "NIH",
        "awardNumber": "R01",
        "roleName": ["dcite:Funder"],
    }


@pytest.mark.parametrize("days", [0, 730])
def test_embargo_ends_on_the_day_that_was_chosen(owner: Api, body: dict[str, Any], days: int) -> None:
    assert create(owner, body, embargo_end_date=days_from_now(days)).status_code == 200
    assert Dataset.objects.get().embargo_end == days_from_now(days)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ({"funding_source": "NIH"}, "Award number is required when funding source is set"),
        ({"award_number": "R01"}, "Funding source is required when award number is set"),
        ({"embargo_end_date": days_from_now(731)}, "Invalid embargo end date"),
        ({"embargo_end_date": days_from_now(-1)}, "Invalid embargo end date"),
        (
            {"funding_source": "NIH", "award_number": "R01", "embargo_end_date": days_from_now(1826)},
            "Invalid embargo end date",
        ),
        ({"embargo_end_date": "0001-01-01"}, "Invalid embargo end date"),
        ({"embargo_end_date": "9999-12-31"}, "Invalid embargo end date"),
    ],
)
def test_dataset_is_not_created_against_the_rules_of_embargoes(
    owner: Api, body: dict[str, Any], query: dict[str, object], message: str
) -> None:
    response = create(owner, body, **query)
    assert (response.status_code, response.json()) == (400, {"non_field_errors": [message]})
    assert not Dataset.objects.exists()


def test_dataset_is_not_created_with_a_date_that_is_none(owner: Api, body: dict[str, Any]) -> None:
    response = create(owner, body, embargo_end_date="soon")
    assert (response.status_code, list(response.json())) == (400, ["embargo_end_date"])


@pytest.mark.parametrize(
    ("query", "more", "field"),
    [
        ("private=", {}, "private"),
        ("private=true&private=false", {}, "private"),
        ("private=true&embargo_end_date=2099-01-01", {}, "private"),
        ("embargo=", {}, "embargo"),
        ("", {"private": True}, "private"),
        ("", {"embargo": True}, "embargo"),
    ],
)
def test_dataset_is_not_opened_when_the_wish_that_it_be_closed_is_misspelt(
    owner: Api, body: dict[str, Any], query: str, more: dict[str, Any], field: str
) -> None:
    before = Dataset.objects.count()
    refused = owner.post(f"dandisets/?{query}", {**body, **more})
    assert refused.status_code == 400
    assert field in refused.json()
    assert Dataset.objects.count() == before


def test_dataset_without_an_embargo_ignores_what_is_said_of_one(owner: Api, body: dict[str, Any]) -> None:
    response = create(owner, body, embargo="false", funding_source="NIH", embargo_end_date="1999-01-01")
    assert (response.status_code, response.json()["embargo_status"]) == (200, "OPEN")


# --- Lists and counts -------------------------------------------------------------------------------------------------


def listed(caller: Api, query: str = "") -> tuple[int, list[str]]:
    page = caller.get(f"dandisets/{query}").json()
    return page["count"], [row["identifier"] for row in page["results"]]


@pytest.mark.parametrize("query", ["", "?search=vision", "?user=me", "?empty=false", "?ordering=-size"])
def test_embargoed_dataset_is_in_no_list_that_does_not_ask_for_it(
    owner: Api, secret: Dataset, query: str, worker: Worker
) -> None:
    make_asset(secret)
    worker.run()
    assert listed(owner, query) == (0, [])


@pytest.mark.parametrize(
    ("name", "count"), [("owner", 1), ("admin", 1), ("viewer", 1), ("stranger", 0), ("unapproved", 0)]
)
def test_embargoed_dataset_is_listed_for_those_who_may_read_it(
    request: pytest.FixtureRequest, secret: Dataset, name: str, count: int, worker: Worker
) -> None:
    caller: Api = request.getfixturevalue(name)
    worker.run()
    assert listed(caller, "?embargoed=true&search=vision") == (count, [secret.identifier][:count])


def test_reviewer_is_asked_to_sign_in_for_a_list_of_what_is_embargoed(reviewer: Api) -> None:
    response = reviewer.get("dandisets/?embargoed=true")
    assert response.status_code == 401
    assert listed(reviewer) == (0, [])


def test_dataset_is_listed_and_counted_from_its_release_on(anonymous: Api, secret: Dataset, worker: Worker) -> None:
    make_asset(secret)
    worker.run()
    start_release(secret)
    assert listed(anonymous, "?search=vision") == (1, [secret.identifier])
    stats = anonymous.get("stats/").json()
    assert (stats["dandiset_count"], stats["size"]) == (1, 1)


# --- Releasing --------------------------------------------------------------------------------------------------------


def test_release_answers_with_nothing(owner: Api, anonymous: Api, secret: Dataset) -> None:
    response = owner.post(f"dandisets/{secret.identifier}/unembargo/")
    assert (response.status_code, response.content) == (200, b"")
    assert anonymous.get(f"dandisets/{secret.identifier}/").json()["embargo_status"] == "UNEMBARGOING"


def test_release_ends_with_an_open_dataset(owner: Api, anonymous: Api, secret: Dataset, worker: Worker) -> None:
    owner.post(f"dandisets/{secret.identifier}/unembargo/")
    worker.run()
    assert anonymous.get(f"dandisets/{secret.identifier}/").json()["embargo_status"] == "OPEN"


def test_release_is_refused_in_the_words_of_the_dialect(owner: Api, secret: Dataset) -> None:
    address = f"dandisets/{secret.identifier}/unembargo/"
    begin_upload(secret)
    response = owner.post(address)
    assert (response.status_code, response.json()) == (400, "Dandiset unembargo not allowed with active uploads")
    owner.delete(f"dandisets/{secret.identifier}/uploads/")
    assert owner.post(address).status_code == 200
    response = owner.post(address)
    assert (response.status_code, response.json()) == (400, "Dandiset not embargoed")


# --- Uploads ----------------------------------------------------------------------------------------------------------


def begin_upload(dataset: Dataset, digit: str = "0") -> Upload:
    return start_upload(actor=owner_of(dataset), dataset=dataset, size=1, etag=f"{digit * 32}-1")[0]


def test_uploads_are_listed_in_pages_oldest_first(owner: Api, secret: Dataset) -> None:
    first, _ = begin_upload(secret, "1"), begin_upload(secret, "2")
    page = owner.get(f"dandisets/{secret.identifier}/uploads/?page_size=1").json()
    assert (set(page), page["count"]) == (shapes.PAGE, 2)
    assert parse_qs(urlsplit(page["next"]).query) == {"page": ["2"], "page_size": ["1"]}
    [row] = page["results"]
    assert row.pop("created")
    assert row == {
        "blob": public_url(first.key),
        "upload_id": str(first.pk),
        "etag": f"{'1' * 32}-1",
        "size": 1,
    }


def test_uploads_are_cleared_and_their_parts_freed(owner: Api, secret: Dataset, worker: Worker) -> None:
    upload = begin_upload(secret)
    other = begin_upload(make_embargoed_dataset())
    response = owner.delete(f"dandisets/{secret.identifier}/uploads/")
    assert (response.status_code, response.content) == (204, b"")
    worker.run()
    assert list(Upload.objects.all()) == [other]
    assert owner.post(f"uploads/{upload.pk}/validate/").status_code == 404


# --- Viewers ----------------------------------------------------------------------------------------------------------


def test_viewers_are_replaced_as_owners_are(owner: Api, secret: Dataset) -> None:
    address, jane, joan = f"dandisets/{secret.identifier}/viewers/", make_user(), make_user()
    for people in ([jane, joan], [joan], []):
        response = owner.put(address, [{"username": person.username} for person in people])
        assert response.status_code == 200
        assert response.json() == owner.get(address).json()
        assert [person["username"] for person in response.json()] == [person.username for person in people]


@pytest.mark.parametrize(
    ("people", "answer"),
    [
        ([{"username": "nobody"}], ["User nobody not found"]),
        ([{}], [{"username": ["This field is required."]}]),
    ],
)
def test_viewers_are_refused_when_they_cannot_be(owner: Api, secret: Dataset, people: Any, answer: Any) -> None:
    response = owner.put(f"dandisets/{secret.identifier}/viewers/", people)
    assert (response.status_code, response.json()) == (400, answer)


def test_owner_is_made_no_viewer(owner: Api, secret: Dataset) -> None:
    assert owner.user
    response = owner.put(f"dandisets/{secret.identifier}/viewers/", [{"username": owner.user.username}])
    assert (response.status_code, response.json()) == (400, [f"User {owner.user.username} is an owner"])


def test_viewer_who_is_made_an_owner_is_a_viewer_no_more(owner: Api, viewer: Api, secret: Dataset) -> None:
    assert owner.user
    assert viewer.user
    names = [{"username": owner.user.username}, {"username": viewer.user.username}]
    assert owner.put(f"dandisets/{secret.identifier}/users/", names).status_code == 200
    assert viewer.get(f"dandisets/{secret.identifier}/viewers/").json() == []


def test_owner_who_leaves_is_told_whom_they_have_left_it_to(owner: Api, secret: Dataset) -> None:
    heir = make_user()
    response = owner.put(f"dandisets/{secret.identifier}/users/", [{"username": heir.username}])
    assert response.json() == [{"username": heir.username, "name": heir.display_name, "email": heir.email}]
    assert owner.get(f"dandisets/{secret.identifier}/users/").status_code == 403


def test_viewer_learns_of_bytes_but_cannot_put_them_elsewhere(viewer: Api, secret: Dataset) -> None:
    asset = make_asset(secret)
    digest = {"algorithm": "dandi:dandi-etag", "value": asset.blob.etag}
    assert viewer.post("blobs/digest/", digest).status_code == 200
    own = viewer.post("dandisets/", {"name": "Mine", "metadata": valid_dandiset_metadata()}).json()["identifier"]
    metadata = {"schemaVersion": "0.8.0", "path": "theirs.nwb"}
    attached = viewer.post(
        f"dandisets/{own}/versions/draft/assets/", {"blob_id": str(asset.blob_id), "metadata": metadata}
    )
    assert attached.status_code == 404
    begun = viewer.post("uploads/initialize/", {"contentSize": 1, "digest": digest, "dandiset": own})
    assert begun.status_code == 200


# --- Reviewer links ---------------------------------------------------------------------------------------------------


def test_reviewer_link_is_told_once(owner: Api, secret: Dataset) -> None:
    address = f"dandisets/{secret.identifier}/reviewer-links/"
    made = owner.post(address, {"label": "Reviewer 2"}).json()
    assert set(made) == LINK | {"secret", "url"}
    assert made["url"].endswith(f"/dandiset/{secret.identifier}/draft?reviewer={made['secret']}")
    [row] = owner.get(address).json()["results"]
    assert set(row) == LINK
    assert made["secret"] not in str(row)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "label"),
        ({"label": " "}, "label"),
        ({"label": "x", "expires": "yesterday"}, "expires"),
        ({"label": "x", "expires": "2001-01-01T00:00:00Z"}, "expires"),
        ({"label": "x", "expires": "2999-01-01T00:00:00Z"}, "expires"),
    ],
)
def test_reviewer_link_is_not_made_of_what_is_wrong(owner: Api, secret: Dataset, body: Any, field: str) -> None:
    response = owner.post(f"dandisets/{secret.identifier}/reviewer-links/", body)
    assert (response.status_code, list(response.json())) == (400, [field])


def test_reviewer_link_ends_when_it_is_revoked(owner: Api, secret: Dataset) -> None:
    link, proof = make_reviewer_link(secret)
    address = f"dandisets/{secret.identifier}/reviewer-links/{link.pk}/"
    assert Api(secret=proof).get(f"dandisets/{secret.identifier}/").status_code == 200
    assert owner.delete(address).status_code == 204
    response = Api(secret=proof).get(f"dandisets/{secret.identifier}/")
    assert (response.status_code, response.json()) == (401, {"detail": "Invalid token."})
    assert owner.delete(address).status_code == 404


def test_reviewer_link_ends_when_it_expires(secret: Dataset) -> None:
    link, proof = make_reviewer_link(secret)
    link.created, link.expires = datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 2, tzinfo=UTC)
    link.save()
    assert Api(secret=proof).get(f"dandisets/{secret.identifier}/").status_code == 401


def test_reviewer_link_of_another_dataset_is_not_revoked(owner: Api, secret: Dataset) -> None:
    link, proof = make_reviewer_link(make_embargoed_dataset())
    assert owner.delete(f"dandisets/{secret.identifier}/reviewer-links/{link.pk}/").status_code == 404
    assert Api(secret=proof).get(f"dandisets/{link.dataset.identifier}/").status_code == 200


def test_reviewer_reads_one_dataset_only(reviewer: Api) -> None:
    other = make_embargoed_dataset()
    assert reviewer.get(f"dandisets/{other.identifier}/").status_code == 401


def test_reviewer_link_is_a_token_to_the_command_line(secret: Dataset) -> None:
    _, proof = make_reviewer_link(secret)
    assert Api(secret=proof).get("auth/token/").json() == proof


def test_reviewer_learns_nobodys_name(owner: Api, reviewer: Api, secret: Dataset) -> None:
    draft = f"dandisets/{secret.identifier}/versions/draft/"
    funder = {"schemaKey": "Organization", "name": "NIH", "roleName": ["dcite:Funder"]}
    metadata = valid_dandiset_metadata() | {
        "acknowledgement": "Thanks to Jim",
        "access": [{"contactPoint": {"schemaKey": "ContactPoint", "email": "jane@example.org"}}],
        "relatedResource": [{"schemaKey": "Resource", "name": "My other paper", "url": "https://example.org"}],
        "wasGeneratedBy": [{"schemaKey": "Project", "name": "P", "wasAssociatedWith": [{"name": "Doe, Jane"}]}],
    }
    metadata["contributor"] = [*metadata["contributor"], funder]
    owner.put(draft, {"name": "Mouse vision", "metadata": metadata})
    asset = make_asset(secret, "a.nwb", contributor=[{"name": "Doe, Jane"}]).asset_id
    addresses = [
        f"dandisets/{secret.identifier}/",
        f"dandisets/{secret.identifier}/users/",
        f"dandisets/{secret.identifier}/versions/",
        draft,
        f"{draft}info/",
        f"{draft}assets/?metadata=true",
        f"{draft}assets/{asset}/",
        f"{draft}assets/{asset}/info/",
        f"{draft}assets/{asset}/validation/",
        f"assets/{asset}/",
        f"assets/{asset}/info/",
    ]
    told = {address: reviewer.get(address) for address in addresses}
    assert {response.status_code for response in told.values()} == {200}
    leaks = [(address, name) for address in addresses for name in SECRETS if name in told[address].content.decode()]
    assert leaks == []
    assert told[f"dandisets/{secret.identifier}/users/"].json() == []
    assert told[draft].json()["contributor"] == []
    assert told[draft].json()["name"] == "Mouse vision"


def test_reviewer_is_not_told_what_is_wrong_with_the_metadata(
    owner: Api, reviewer: Api, secret: Dataset, worker: Worker
) -> None:
    draft = f"dandisets/{secret.identifier}/versions/draft/"
    metadata = valid_dandiset_metadata()
    metadata["contributor"][0]["name"] = "Jane Doe without a comma"
    owner.put(draft, {"name": "Mouse vision", "metadata": metadata})
    make_asset(secret, "a.nwb")
    worker.run()
    assert owner.get(f"{draft}info/").json()["version_validation_errors"]
    info = reviewer.get(f"{draft}info/").json()
    assert (info["version_validation_errors"], info["asset_validation_errors"]) == ([], [])
    assert owner.get(draft).json()["contributor"] == metadata["contributor"]


def test_viewer_learns_the_names(viewer: Api, secret: Dataset) -> None:
    assert viewer.get(f"dandisets/{secret.identifier}/").json()["contact_person"] == "Doe, Jane"


def test_owner_with_a_reviewer_link_in_the_session_learns_the_names(owner: Api, secret: Dataset) -> None:
    assert owner.user
    link, _ = make_reviewer_link(secret)
    browser = Api()
    browser.client.force_login(owner.user, backend="django.contrib.auth.backends.ModelBackend")
    session = browser.client.session
    session["reviewer_link"] = link.pk
    session.save()
    assert browser.get(f"dandisets/{secret.identifier}/").json()["contact_person"] == "Doe, Jane"
