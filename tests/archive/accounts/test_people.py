"""Making accounts, and finding people."""

import pytest

from archive.accounts.models import User
from archive.accounts.policy import SYSTEM
from archive.accounts.queries import find_users, search_users
from archive.accounts.services import ensure_user
from tests.factories import make_unapproved_user, make_user

pytestmark = pytest.mark.django_db


def test_create_makes_an_approved_account() -> None:
    user = ensure_user(email="jane@example.org", password="secret", first_name="Jane", last_name="Doe")
    user.refresh_from_db()
    assert (user.username, user.email, user.display_name) == ("jane@example.org", "jane@example.org", "Jane Doe")
    assert user.status == User.Status.APPROVED
    assert (user.is_staff, user.is_superuser) == (False, False)
    assert user.check_password("secret")


def test_create_without_a_password_makes_one_that_nothing_matches() -> None:
    assert not ensure_user(email="jane@example.org").has_usable_password()


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("jane@example.org", "Jane Jane"),
        ("jane.q-doe+x@example.org", "Jane X"),
        ("!#$%@example.org", "Somebody Somebody"),
        ("user_42@example.org", "User User"),
    ],
)
def test_create_without_a_name_takes_one_from_the_address_that_metadata_may_have(address: str, name: str) -> None:
    user = ensure_user(email=address)
    assert (user.get_full_name(), user.has_full_name) == (name, True)


@pytest.mark.parametrize(
    ("first", "last", "has_full_name"),
    [
        ("Jane", "Doe", True),
        ("Ana María", "O'Neill-Gómez Jr.", True),
        ("", "", False),
        ("Jane", " ", False),
        ("", "Doe", False),
        ("Jane", "Doe, PhD", False),
        ("<b>", "Doe", False),
    ],
)
def test_name_is_one_when_metadata_may_have_it(first: str, last: str, has_full_name: bool) -> None:
    assert User(first_name=first, last_name=last).has_full_name is has_full_name


def test_create_brings_an_account_to_what_is_asked_and_keeps_the_rest() -> None:
    first = ensure_user(email="jane@example.org", password="secret", first_name="Jane", last_name="Doe")
    second = ensure_user(email="jane@example.org", last_name="Smith", is_admin=True)
    assert second == first
    assert second.display_name == "Jane Smith"
    assert (second.is_staff, second.is_superuser) == (True, True)
    assert second.check_password("secret")


def test_create_takes_no_rights_away() -> None:
    ensure_user(email="jane@example.org", is_admin=True)
    assert ensure_user(email="jane@example.org").is_superuser


@pytest.mark.parametrize("text", ["jan", "JANE", "Doe", "ane"])
def test_search_finds_part_of_a_name_in_any_case(text: str) -> None:
    jane = make_user(first_name="Jane", last_name="Doe")
    make_user(first_name="Max", last_name="Power")
    assert list(search_users(SYSTEM, text)) == [jane]


def test_search_finds_by_username() -> None:
    jane = make_user()
    make_user()
    assert list(search_users(SYSTEM, jane.username)) == [jane]


def test_search_takes_no_text_for_a_pattern() -> None:
    make_user(first_name="Jane")
    assert list(search_users(SYSTEM, "%")) == []
    assert list(search_users(SYSTEM, "J_ne")) == []


def test_search_knows_only_active_and_approved_people() -> None:
    make_unapproved_user()
    gone = make_user()
    gone.is_active = False
    gone.save()
    assert list(search_users(SYSTEM, "jane")) == []


def test_search_answers_with_few_people_in_the_order_they_came() -> None:
    people = [make_user() for _ in range(12)]
    assert list(search_users(SYSTEM, "jane")) == people[:10]


def test_find_users_knows_only_active_people() -> None:
    jane, gone = make_user(), make_user()
    gone.is_active = False
    gone.save()
    assert find_users([jane.username, gone.username, "nobody"]) == [jane]
