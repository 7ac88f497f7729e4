"""People (docs/dialects/dandi.md#users)."""

import pytest

from archive.accounts.models import User
from archive.accounts.policy import Actor
from archive.datasets.models import Dataset
from tests.dandiapi.rest.api import Api
from tests.factories import make_staff, make_unapproved_user, make_user


def test_me_has_exactly_the_fields_of_the_dialect(owner: Api) -> None:
    assert owner.get("users/me/").json() == {
        "username": owner.user.username,
        "name": "Jane Doe",
        "admin": False,
        "status": "APPROVED",
    }


def test_me_says_who_is_an_administrator(admin: Api) -> None:
    assert admin.get("users/me/").json()["admin"] is True


@pytest.mark.parametrize("status", ["INCOMPLETE", "PENDING", "REJECTED"])
def test_me_answers_when_the_user_is_not_approved(db: None, status: str) -> None:
    assert Api(make_unapproved_user(User.Status(status))).get("users/me/").json()["status"] == status


@pytest.mark.parametrize("text", ["hopper", "HOPPER", "opp", "grace"])
def test_search_finds_a_part_of_a_name_in_any_case(owner: Api, text: str) -> None:
    person = make_user(first_name="Grace", last_name="Hopper")
    assert owner.get("users/search/", {"username": text}).json() == [
        {"username": person.username, "name": "Grace Hopper", "admin": False, "status": "APPROVED"}
    ]


def test_search_finds_a_part_of_a_username(owner: Api) -> None:
    person = make_user()
    found = owner.get("users/search/", {"username": person.username[:-4].upper()}).json()
    assert [each["username"] for each in found] == [person.username]


def test_search_finds_only_people_who_can_be_made_owners(owner: Api) -> None:
    gone = make_user(last_name="Hopper")
    gone.is_active = False
    gone.save()
    waiting = make_unapproved_user()
    waiting.last_name = "Hopper"
    waiting.save()
    assert owner.get("users/search/", {"username": "hopper"}).json() == []


def test_search_finds_at_most_ten_in_the_order_they_joined(owner: Api) -> None:
    people = [make_user(last_name="Hopper") for _ in range(11)]
    found = owner.get("users/search/", {"username": "hopper"}).json()
    assert [each["username"] for each in found] == [person.username for person in people[:10]]


@pytest.mark.parametrize("query", ["", "?username=", "?username=" + "x" * 151, "?username=%25", "?username=_%5C"])
def test_search_finds_nobody_when_the_text_can_be_in_no_name(owner: Api, query: str) -> None:
    response = owner.get(f"users/search/{query}")
    assert (response.status_code, response.json()) == (200, [])


def test_list_names_everybody_in_order(admin: Api) -> None:
    people = [admin.user, make_user(), make_unapproved_user()]
    assert admin.get("users/").json() == sorted(person.username for person in people)


@pytest.mark.parametrize("yes", ["true", "True", "1", "t", "yes", "y", "on"])
def test_list_names_only_the_approved_when_asked(admin: Api, yes: str) -> None:
    approved = [admin.user, make_user()]
    make_unapproved_user()
    assert admin.get("users/", {"approved_only": yes}).json() == sorted(person.username for person in approved)


def test_list_is_for_staff_too(db: None) -> None:
    assert Api(make_staff()).get("users/").status_code == 200


# --- What strangers are told ------------------------------------------------------------------------------------------


def owners_as_seen_by(caller: Api, dataset: Dataset) -> list[dict[str, str]]:
    owners: list[dict[str, str]] = caller.get(f"dandisets/{dataset.identifier}/users/").json()
    return owners


def test_owner_is_named_by_no_address_to_strangers(anonymous: Api, owner: Api, dataset: Dataset) -> None:
    User.objects.filter(pk=owner.user.pk).update(first_name="", last_name="")
    number = f"user-{owner.user.pk}"
    assert owners_as_seen_by(anonymous, dataset) == [{"username": number, "name": number, "email": None}]


def test_owner_is_named_by_their_login_to_strangers(anonymous: Api, owner: Api, dataset: Dataset) -> None:
    User.objects.filter(pk=owner.user.pk).update(github_login="grace")
    assert owners_as_seen_by(anonymous, dataset)[0]["username"] == "grace"


def test_owner_is_named_by_what_owners_are_set_by_to_those_who_are_signed_in(owner: Api, dataset: Dataset) -> None:
    names = owners_as_seen_by(owner, dataset)
    assert names[0]["username"] == owner.user.username
    assert owner.put(f"dandisets/{dataset.identifier}/users/", names).status_code == 200


def test_author_without_a_name_is_named_by_no_address_in_a_history() -> None:
    assert Actor(user=User(pk=7, username="jane@example.org")).name == "user-7"
