"""The one table of who may do what, cell by cell (contract appendix C)."""

from collections.abc import Callable

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


def _with_token(user: User, scope: str) -> Actor:
    return acting(user, make_token(user, scope))


ACTORS: dict[str, Callable[[Dataset], Actor]] = {
    "anonymous": lambda dataset: ANONYMOUS,
    "unapproved": lambda dataset: acting(make_unapproved_user()),
    "unapproved owner": lambda dataset: acting(_owner(dataset, make_unapproved_user())),
    "rejected": lambda dataset: acting(make_unapproved_user(User.Status.REJECTED)),
    "stranger": lambda dataset: acting(make_user()),
    "owner": lambda dataset: acting(_owner(dataset, make_user())),
    "staff": lambda dataset: acting(make_staff()),
    "admin": lambda dataset: acting(make_admin()),
    "owner, writing token": lambda dataset: _with_token(_owner(dataset, make_user()), "write"),
    "owner, reading token": lambda dataset: _with_token(_owner(dataset, make_user()), "read"),
    "staff, reading token": lambda dataset: _with_token(make_staff(), "read"),
    "admin, reading token": lambda dataset: _with_token(make_admin(), "read"),
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
    Action.REVIEW_USERS: {"staff", "admin", "system"},
    Action.MANAGE_TOKENS: APPROVED,
}


def test_table_knows_every_action() -> None:
    assert set(TABLE) == set(Action)


def _allowed(action: Action, dataset: Dataset) -> set[str]:
    return {name for name, actor in ACTORS.items() if may(actor(dataset), action, dataset)}


@pytest.mark.parametrize("action", Action)
def test_may_is_what_the_table_says_of_an_embargoed_dataset(action: Action) -> None:
    assert _allowed(action, make_embargoed_dataset()) == TABLE[action]


@pytest.mark.parametrize("action", [action for action in Action if action is not Action.READ])
def test_may_is_what_the_table_says_of_an_open_dataset(action: Action) -> None:
    assert _allowed(action, make_dataset()) == TABLE[action]


def test_open_dataset_may_be_read_by_everybody() -> None:
    assert _allowed(Action.READ, make_dataset()) == EVERYBODY


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
    "action", [Action.READ, Action.CHANGE_DRAFT, Action.CHANGE_OWNERS, Action.PUBLISH, Action.DELETE_DATASET]
)
def test_may_refuses_what_is_about_a_dataset_when_none_is_named(action: Action) -> None:
    assert not may(acting(make_user()), action)
    assert not may(ANONYMOUS, action)


def test_require_lets_pass_who_may() -> None:
    require(SYSTEM, Action.PUBLISH, make_dataset())


def test_require_asks_nobody_to_sign_in() -> None:
    with pytest.raises(UnauthenticatedError):
        require(ANONYMOUS, Action.PUBLISH, make_dataset())


def test_require_refuses_somebody_with_the_message() -> None:
    with pytest.raises(ForbiddenError, match=r"^Action not allowed$"):
        require(acting(make_user()), Action.PUBLISH, make_dataset(), message="Action not allowed")


@pytest.mark.parametrize("name", ["anonymous", "stranger"])
def test_require_tells_nobody_of_what_is_hidden(name: str) -> None:
    dataset = make_embargoed_dataset()
    with pytest.raises(NotFoundError):
        require(ACTORS[name](dataset), Action.READ, dataset, hidden=True)


def test_actor_is_named_as_the_history_keeps_it() -> None:
    user = make_user(first_name="Jane", last_name="Doe")
    token = make_token(user)
    actor = acting(user, token)
    assert (actor.name, actor.email, actor.user_id, actor.token_id) == ("Jane Doe", user.email, user.pk, token.pk)
    assert (SYSTEM.name, SYSTEM.email, SYSTEM.user_id, SYSTEM.token_id) == ("the archive", "", None, None)
    assert (ANONYMOUS.name, ANONYMOUS.user_id) == ("", None)
