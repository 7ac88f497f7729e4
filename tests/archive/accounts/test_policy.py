"""The one table of who may do what, cell by cell (contract appendix C)."""

from collections.abc import Callable
from typing import Any

import pytest

from archive.accounts.models import Grant, User
from archive.accounts.policy import ANONYMOUS, SYSTEM, Action, Actor, may, require, visible
from archive.datasets.models import Dataset
from archive.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from tests.factories import (
    acting,
    make_admin,
    make_dataset,
    make_embargoed_dataset,
    make_staff,
    make_token,
    make_unapproved_user,
    make_user,
)

pytestmark = pytest.mark.django_db


def _owner(dataset: Dataset, user: User) -> User:
    Grant.objects.create(dataset=dataset, user=user)
    return user


def _reading(user: User) -> Actor:
    return acting(user, make_token(user, "read"))


ACTORS: dict[str, Callable[[Dataset], Actor]] = {
    "anonymous": lambda dataset: ANONYMOUS,
    "unapproved": lambda dataset: acting(make_unapproved_user()),
    "unapproved owner": lambda dataset: acting(_owner(dataset, make_unapproved_user())),
    "rejected": lambda dataset: acting(make_unapproved_user(User.Status.REJECTED)),
    "stranger": lambda dataset: acting(make_user()),
    "owner": lambda dataset: acting(_owner(dataset, make_user())),
    "staff": lambda dataset: acting(make_staff()),
    "admin": lambda dataset: acting(make_admin()),
    "owner, writing token": lambda dataset: (lambda user: acting(user, make_token(user)))(_owner(dataset, make_user())),
    "owner, reading token": lambda dataset: _reading(_owner(dataset, make_user())),
    "staff, reading token": lambda dataset: _reading(make_staff()),
    "admin, reading token": lambda dataset: _reading(make_admin()),
    "system": lambda dataset: SYSTEM,
}

EVERYBODY = set(ACTORS)
OWNERS = {"owner", "owner, writing token", "admin", "system"}
APPROVED = OWNERS | {"stranger", "staff"}
READERS = APPROVED | {"owner, reading token", "staff, reading token", "admin, reading token"}

# Who may, when the dataset is embargoed and they are as they are called.
TABLE: dict[Action, set[str]] = {
    Action.READ: OWNERS | {"unapproved owner", "owner, reading token", "admin, reading token"},
    Action.CREATE_DATASET: APPROVED,
    Action.CHOOSE_IDENTIFIER: {"admin", "system"},
    Action.CHANGE_DRAFT: OWNERS,
    Action.CHANGE_OWNERS: OWNERS,
    Action.PUBLISH: OWNERS,
    Action.DELETE_DATASET: OWNERS,
    Action.DELETE_VERSION: {"admin", "system"},
    Action.STAR: APPROVED,
    Action.SEARCH_USERS: READERS,
    Action.LIST_USERS: {"staff", "staff, reading token", "admin", "admin, reading token", "system"},
    Action.MANAGE_TOKENS: APPROVED,
}


def test_table_knows_every_action() -> None:
    assert set(TABLE) == set(Action)


@pytest.mark.parametrize("action", Action)
@pytest.mark.parametrize("make", [make_dataset, make_embargoed_dataset], ids=["open", "embargoed"])
def test_may_is_what_the_table_says(action: Action, make: Callable[[], Dataset]) -> None:
    dataset = make()
    allowed = {name for name, actor in ACTORS.items() if may(actor(dataset), action, dataset)}
    expected = {"open": {**TABLE, Action.READ: EVERYBODY}, "embargoed": TABLE}
    assert allowed == expected["open" if dataset.access == "OPEN" else "embargoed"][action]


@pytest.mark.parametrize("name", ACTORS)
@pytest.mark.parametrize("access", Dataset.Access)
def test_visible_is_what_may_be_read(name: str, access: str) -> None:
    dataset = make_embargoed_dataset()
    dataset.access = access
    dataset.save()
    actor = ACTORS[name](dataset)
    assert Dataset.objects.filter(visible(actor)).exists() is may(actor, Action.READ, dataset)
    assert Grant.objects.filter(visible(actor, to="dataset__")).exists() is may(actor, Action.READ, dataset)


@pytest.mark.parametrize(
    "action", set(Action) - {Action.CREATE_DATASET, Action.STAR, Action.SEARCH_USERS, Action.MANAGE_TOKENS}
)
def test_may_refuses_a_stranger_what_needs_a_dataset_when_none_is_named(action: Action) -> None:
    assert not may(acting(make_user()), action)


def test_require_lets_pass_who_may() -> None:
    require(SYSTEM, Action.PUBLISH, make_dataset())


def test_require_asks_nobody_to_sign_in() -> None:
    with pytest.raises(UnauthenticatedError):
        require(ANONYMOUS, Action.PUBLISH, make_dataset())


def test_require_refuses_somebody_with_the_message() -> None:
    with pytest.raises(ForbiddenError, match=r"^Action not allowed$"):
        require(acting(make_user()), Action.PUBLISH, make_dataset(), message="Action not allowed")


@pytest.mark.parametrize("user", [None, make_user])
def test_require_tells_nobody_of_what_is_hidden(user: Any) -> None:
    actor = acting(user()) if user else ANONYMOUS
    with pytest.raises(NotFoundError):
        require(actor, Action.READ, make_embargoed_dataset(), hidden=True)


def test_actor_is_named_as_the_history_keeps_it() -> None:
    user = make_user(first_name="Jane", last_name="Doe")
    token = make_token(user)
    actor = acting(user, token)
    assert (actor.name, actor.email, actor.user_id, actor.token_id) == ("Jane Doe", user.email, user.pk, token.pk)
    assert (SYSTEM.name, SYSTEM.email, SYSTEM.user_id, SYSTEM.token_id) == ("the archive", "", None, None)
    assert (ANONYMOUS.name, ANONYMOUS.user_id) == ("", None)
