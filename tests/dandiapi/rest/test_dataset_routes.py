"""Datasets: made, shown, given away, starred, deleted (docs/dialects/dandi.md#owners)."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.datasets.models import Dataset, Version
from archive.timeline.queries import position
from tests.dandiapi.rest import shapes
from tests.dandiapi.rest.api import Api
from tests.factories import (
    make_nameless_user,
    make_published_version,
    make_user,
    make_valid_dataset,
    start_release,
    valid_dandiset_metadata,
)
from tests.worker import Worker


@pytest.fixture
def body() -> dict[str, Any]:
    return {"name": "Mouse vision", "metadata": valid_dandiset_metadata()}


@pytest.fixture
def address(dataset: Dataset) -> str:
    return f"dandisets/{dataset.identifier}/"


# --- Making -----------------------------------------------------------------------------------------------------------


def test_created_dataset_is_answered_with_200_and_its_detail(owner: Api, body: dict[str, Any]) -> None:
    response = owner.post("dandisets/", body)
    assert response.status_code == 200
    assert set(response.json()) == shapes.DATASET_DETAIL
    assert response.json() == owner.get(f"dandisets/{response.json()['identifier']}/").json()


def test_created_dataset_has_the_next_identifier(owner: Api, body: dict[str, Any]) -> None:
    first, second = (owner.post("dandisets/", body).json()["identifier"] for _ in range(2))
    assert re.fullmatch(r"\d{6}", first)
    assert int(second) == int(first) + 1


def test_created_dataset_has_a_contact_person_when_none_is_given(owner: Api, body: dict[str, Any]) -> None:
    del body["metadata"]["contributor"]
    assert owner.post("dandisets/", body).json()["contact_person"] == "Doe, Jane"


def test_created_dataset_has_the_contributors_that_are_given(owner: Api, body: dict[str, Any]) -> None:
    body["metadata"]["contributor"] = [{"schemaKey": "Person", "name": "Roe, Rick", "roleName": ["dcite:Author"]}]
    assert owner.post("dandisets/", body).json()["contact_person"] == ""


@pytest.mark.parametrize("query", ["", "?embargo=true"])
def test_dataset_of_somebody_without_a_name_is_refused_with_a_sentence(
    db: None, body: dict[str, Any], query: str
) -> None:
    response = Api(make_nameless_user()).post(f"dandisets/{query}", body)
    assert response.status_code == 400
    place = "http://127.0.0.1:8000/account/about-you/"
    assert response.json() == f"A dataset names its creator. Please give your first and last name first, at {place}."


def test_created_dataset_has_only_a_name_when_the_metadata_is_empty(owner: Api) -> None:
    created = owner.post("dandisets/", {"name": "Bare", "metadata": {}}).json()
    metadata = owner.get(f"dandisets/{created['identifier']}/versions/draft/").json()
    assert (metadata["name"], metadata["schemaKey"], metadata["version"]) == ("Bare", "Dandiset", "draft")


@pytest.mark.parametrize("identifier", ["000123", "DANDI:000123", 123])
def test_identifier_is_chosen_by_administrators(admin: Api, body: dict[str, Any], identifier: Any) -> None:
    body["metadata"]["identifier"] = identifier
    assert admin.post("dandisets/", body).json()["identifier"] == "000123"


def test_identifier_is_not_chosen_by_others(owner: Api, body: dict[str, Any]) -> None:
    body["metadata"]["identifier"] = "000123"
    response = owner.post("dandisets/", body)
    assert response.json() == "Creating a dandiset for a given identifier is an admin only operation."
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("identifier", ["abc", "12", "1000000", 1_000_000, -1, 1.5, ["000123"], {"a": 1}, True])
def test_identifier_is_refused_when_it_is_none(admin: Api, body: dict[str, Any], identifier: Any) -> None:
    body["metadata"]["identifier"] = identifier
    response = admin.post("dandisets/", body)
    assert (response.status_code, response.json()) == (400, f"Invalid Identifier {identifier}")


def test_identifier_is_refused_when_it_is_taken(admin: Api, body: dict[str, Any], dataset: Dataset) -> None:
    body["metadata"]["identifier"] = dataset.identifier
    response = admin.post("dandisets/", body)
    assert (response.status_code, response.json()) == (400, f"Dandiset {dataset.identifier} already exists")


@pytest.mark.parametrize(
    ("change", "fields"),
    [
        ({"name": ""}, ["name"]),
        ({"name": "   "}, ["name"]),
        ({"name": None}, ["name"]),
        ({"name": ["a"]}, ["name"]),
        ({"name": {"a": 1}}, ["name"]),
        ({"name": True}, ["name"]),
        ({"name": "x" * 301}, ["name"]),
        ({"metadata": None}, ["metadata"]),
        ({"metadata": "text"}, ["metadata"]),
        ({"metadata": [1]}, ["metadata"]),
        ({"metadata": 1}, ["metadata"]),
    ],
)
def test_dataset_is_not_created_when_a_field_is_wrong(
    owner: Api, body: dict[str, Any], change: dict[str, Any], fields: list[str]
) -> None:
    response = owner.post("dandisets/", body | change)
    assert (response.status_code, list(response.json())) == (400, fields)
    assert not Dataset.objects.exists()


@pytest.mark.parametrize("body", [{}, {"metadata": {}}, {"name": "x"}])
def test_dataset_is_not_created_when_a_field_is_missing(owner: Api, body: dict[str, Any]) -> None:
    response = owner.post("dandisets/", body)
    assert response.status_code == 400
    assert set(response.json()) == {"name", "metadata"} - set(body)


# --- Showing ----------------------------------------------------------------------------------------------------------


def test_list_is_empty_when_there_is_nothing(anonymous: Api) -> None:
    assert anonymous.get("dandisets/").json() == {"count": 0, "next": None, "previous": None, "results": []}


def test_detail_has_exactly_the_fields_of_the_dialect(anonymous: Api, dataset: Dataset, address: str) -> None:
    detail = anonymous.get(address).json()
    assert set(detail) == shapes.DATASET_DETAIL
    assert set(detail["draft_version"]) == shapes.VERSION
    assert detail["most_recent_published_version"] is None
    assert re.fullmatch(shapes.TIMESTAMP, detail["created"])
    assert re.fullmatch(shapes.TIMESTAMP, detail["modified"])
    assert detail["identifier"] == dataset.identifier
    assert detail["embargo_status"] == "OPEN"
    assert (detail["star_count"], detail["is_starred"]) == (0, False)


def test_detail_shows_the_newest_published_version(anonymous: Api, owner: Api, worker: Worker) -> None:
    dataset = make_valid_dataset(worker, owner.user)
    version = make_published_version(worker, dataset)
    detail = anonymous.get(f"dandisets/{dataset.identifier}/").json()
    assert set(detail["most_recent_published_version"]) == shapes.VERSION
    assert detail["most_recent_published_version"]["version"] == version.version
    assert detail["most_recent_published_version"]["status"] == "Valid"
    assert detail["draft_version"]["status"] == "Published"


def test_dataset_is_not_found_when_there_is_none(anonymous: Api) -> None:
    response = anonymous.get("dandisets/000001/")
    assert (response.status_code, response.json()) == (404, shapes.NOT_FOUND)


# --- Owners -----------------------------------------------------------------------------------------------------------


def test_owners_are_shown_with_their_addresses_to_whoever_is_signed_in(stranger: Api, owner: Api, address: str) -> None:
    assert stranger.get(f"{address}users/").json() == [
        {"username": owner.user.username, "name": "Jane Doe", "email": owner.user.email}
    ]


def test_owners_are_shown_without_their_addresses_to_anybody_else(anonymous: Api, owner: Api, address: str) -> None:
    assert anonymous.get(f"{address}users/").json() == [
        {"username": f"user-{owner.user.pk}", "name": "Jane Doe", "email": None}
    ]


def test_owners_are_exactly_those_that_are_put_in_the_order_they_joined(owner: Api, address: str) -> None:
    first, second = make_user(), make_user()
    body = [{"username": second.username, "name": "ignored"}, {"username": first.username}]
    response = owner.put(f"{address}users/", body)
    assert [person["username"] for person in response.json()] == [first.username, second.username]


def test_owner_who_has_left_may_no_longer_write(owner: Api, address: str) -> None:
    owner.put(f"{address}users/", [{"username": make_user().username}])
    response = owner.put(f"{address}users/", [{"username": owner.user.username}])
    assert (response.status_code, response.json()) == (403, "Action not allowed")


def test_owners_are_recorded_only_when_they_change(owner: Api, dataset: Dataset, address: str) -> None:
    before = position(dataset.number)
    assert owner.put(f"{address}users/", [{"username": owner.user.username}] * 2).status_code == 200
    assert position(dataset.number) == before


@pytest.mark.parametrize(("people", "most"), [("users", 100), ("viewers", 1000)])
def test_cheap_list_of_people_is_refused_when_it_is_longer_than_any_may_be(
    owner: Api, address: str, people: str, most: int
) -> None:
    with CaptureQueriesContext(connection) as statements:
        response = owner.put(f"{address}{people}/", [{"username": f"n{number}"} for number in range(most + 1)])
    message = f"Ensure this field has no more than {most} elements."
    assert (response.status_code, response.json()) == (400, {"non_field_errors": [message]})
    assert not [each for each in statements if "'n1'" in each["sql"]]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ([], ["Cannot remove all draft owners"]),
        ([{"username": "nobody@example.org"}], ["User nobody@example.org not found"]),
        ([{}], [{"username": ["This field is required."]}]),
        ([{"username": "owner"}, {}], [{}, {"username": ["This field is required."]}]),
        ([{"username": ""}], [{"username": ["This field may not be blank."]}]),
        ([{"username": None}], [{"username": ["This field may not be null."]}]),
        ([{"username": ["a"]}], [{"username": ["Not a valid string."]}]),
    ],
)
def test_owners_stay_when_the_new_ones_are_wrong(
    owner: Api, dataset: Dataset, address: str, body: list[Any], answer: list[Any]
) -> None:
    before = position(dataset.number)
    response = owner.put(f"{address}users/", body)
    assert (response.status_code, response.json()) == (400, answer)
    assert position(dataset.number) == before


@pytest.mark.parametrize("body", [{}, {"username": "x"}, "x", 1, ["x"], [None], [[]]])
def test_owners_stay_when_the_body_is_no_list_of_them(owner: Api, dataset: Dataset, address: str, body: Any) -> None:
    before = position(dataset.number)
    assert owner.put(f"{address}users/", body).status_code == 400
    assert position(dataset.number) == before


# --- Stars ------------------------------------------------------------------------------------------------------------


def test_star_is_counted_once(stranger: Api, owner: Api, address: str) -> None:
    assert stranger.post(f"{address}star/").json() == {"count": 1}
    assert stranger.post(f"{address}star/").json() == {"count": 1}
    assert owner.post(f"{address}star/").json() == {"count": 2}


def test_star_is_taken_back_once(stranger: Api, owner: Api, address: str) -> None:
    stranger.post(f"{address}star/")
    owner.post(f"{address}star/")
    assert stranger.delete(f"{address}star/").json() == {"count": 1}
    assert stranger.delete(f"{address}star/").json() == {"count": 1}


def test_star_is_shown_to_whoever_gave_it(stranger: Api, owner: Api, anonymous: Api, address: str) -> None:
    stranger.post(f"{address}star/")
    shown = [caller.get(address).json() for caller in (stranger, owner, anonymous)]
    assert [each["is_starred"] for each in shown] == [True, False, False]
    assert [each["star_count"] for each in shown] == [1, 1, 1]


# --- Deleting ---------------------------------------------------------------------------------------------------------


def test_deleted_dataset_is_gone(owner: Api, address: str) -> None:
    response = owner.delete(address)
    assert (response.status_code, response.content) == (204, b"")
    assert owner.get(address).status_code == 404


def test_dataset_is_not_deleted_when_it_is_somebody_elses(stranger: Api, owner: Api, address: str) -> None:
    response = stranger.delete(address)
    assert (response.status_code, response.json()) == (403, "Cannot delete dandisets which you do not own.")
    assert owner.get(address).status_code == 200


@pytest.mark.parametrize("caller", ["owner", "admin"])
def test_dataset_is_not_deleted_when_it_was_published(
    owner: Api, worker: Worker, caller: str, request: pytest.FixtureRequest
) -> None:
    dataset = make_valid_dataset(worker, owner.user)
    make_published_version(worker, dataset)
    response = request.getfixturevalue(caller).delete(f"dandisets/{dataset.identifier}/")
    assert (response.status_code, response.json()) == (403, "Cannot delete dandisets with published versions.")


def test_dataset_is_not_deleted_while_it_is_being_published(owner: Api, worker: Worker) -> None:
    address = f"dandisets/{make_valid_dataset(worker, owner.user).identifier}/"
    owner.post(f"{address}versions/draft/publish/")
    response = owner.delete(address)
    assert (response.status_code, response.json()) == (
        403,
        "Cannot delete dandisets that are currently being published.",
    )


@pytest.mark.parametrize(
    "request_sent",
    [
        ("DELETE", "", None),
        ("PUT", "users/", [{"username": "somebody"}]),
        ("PUT", "versions/draft/", {"name": "New", "metadata": {}}),
        ("POST", "versions/draft/publish/", {}),
    ],
)
def test_dataset_does_not_change_while_it_is_being_released(
    owner: Api, dataset: Dataset, embargoed: None, request_sent: tuple[str, str, Any]
) -> None:
    start_release(dataset)
    before = position(dataset.number)
    method, path, body = request_sent
    assert owner.send(method, f"dandisets/{dataset.identifier}/{path}", body).status_code == 400
    assert position(dataset.number) == before
    assert Version.objects.get(dataset=dataset).name == "Mouse vision"
