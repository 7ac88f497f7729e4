"""Who may do what: one table, asked as yes or no (`may`, `require`) and as a filter of rows (`visible`).

Nothing else in this code decides about access. Whatever the table does not allow is refused.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from django.db.models import Q

from archive.accounts.models import Grant, Token, User
from archive.errors import ForbiddenError, NotFoundError, UnauthenticatedError


@dataclass(frozen=True)
class Actor:
    """Who is asking: a user (perhaps through a token), nobody (`ANONYMOUS`), or this program itself (`SYSTEM`)."""

    user: User | None = None
    token: Token | None = None
    is_system: bool = False

    @property
    def user_id(self) -> int | None:
        return self.user.pk if self.user else None

    @property
    def token_id(self) -> int | None:
        return self.token.pk if self.token else None

    @property
    def name(self) -> str:
        if self.user:
            return self.user.display_name
        return "the archive" if self.is_system else ""

    @property
    def email(self) -> str:
        return self.user.email if self.user else ""

    @property
    def is_authenticated(self) -> bool:
        return self.user is not None

    @property
    def is_admin(self) -> bool:
        return self.is_system or bool(self.user and self.user.is_superuser)

    @property
    def is_approved(self) -> bool:
        """Administrators are always approved; others are when an administrator, or a rule, said so."""
        return self.is_admin or bool(self.user and self.user.status == User.Status.APPROVED)

    @property
    def may_write(self) -> bool:
        """False for those who came with a read-only token."""
        return self.token is None or self.token.scope == Token.Scope.WRITE


ANONYMOUS = Actor()
SYSTEM = Actor(is_system=True)


class Action(StrEnum):
    """What can be done. Each says, in `ACTIONS`, who may."""

    READ = "read"
    CREATE_DATASET = "create dataset"
    CHOOSE_IDENTIFIER = "choose a dataset's identifier"
    CHANGE_DRAFT = "change draft"
    CHANGE_OWNERS = "change owners"
    PUBLISH = "publish"
    DELETE_DATASET = "delete dataset"
    DELETE_VERSION = "delete version"
    STAR = "star"
    SEARCH_USERS = "search users"
    LIST_USERS = "list users"
    MANAGE_TOKENS = "manage tokens"
    FOLLOW_WORK = "follow work"
    STEER_WORK = "steer work"


class Standing(StrEnum):
    """What an actor is, to the archive or to one dataset."""

    ANYONE = "anyone"
    SIGNED_IN = "signed in"
    APPROVED = "approved"
    OWNER = "owner"
    STAFF = "staff"
    ADMIN = "admin"


# Contract appendix C. An administrator stands wherever others do.
ACTIONS: dict[Action, Standing] = {
    Action.READ: Standing.OWNER,  # of what is not open; what is open is for anyone, see `may`
    Action.CREATE_DATASET: Standing.APPROVED,
    Action.CHOOSE_IDENTIFIER: Standing.ADMIN,
    Action.CHANGE_DRAFT: Standing.OWNER,
    Action.CHANGE_OWNERS: Standing.OWNER,
    Action.PUBLISH: Standing.OWNER,
    Action.DELETE_DATASET: Standing.OWNER,
    Action.DELETE_VERSION: Standing.ADMIN,
    Action.STAR: Standing.APPROVED,
    Action.SEARCH_USERS: Standing.APPROVED,
    Action.LIST_USERS: Standing.STAFF,
    Action.MANAGE_TOKENS: Standing.APPROVED,
    Action.FOLLOW_WORK: Standing.OWNER,
    Action.STEER_WORK: Standing.OWNER,
}

_READS = frozenset({Action.READ, Action.SEARCH_USERS, Action.LIST_USERS, Action.FOLLOW_WORK})

OPEN = "OPEN"


class Guarded(Protocol):
    """What the policy needs to know of a dataset."""

    @property
    def pk(self) -> int: ...
    @property
    def access(self) -> str: ...


def may(actor: Actor, action: Action, dataset: Guarded | None = None) -> bool:
    """Whether `actor` may do `action` (to `dataset`, where the action is about one)."""
    if action is Action.READ and dataset is not None and dataset.access == OPEN:
        return True
    if actor.is_system:
        return True
    if action not in _READS and not (actor.is_approved and actor.may_write):
        return False
    return _stands(actor, ACTIONS[action], dataset)


def _stands(actor: Actor, standing: Standing, dataset: Guarded | None) -> bool:
    if actor.user is None:
        return standing is Standing.ANYONE
    if actor.is_admin:
        return True
    if standing is Standing.OWNER:
        return dataset is not None and owns(actor.user, dataset)
    return {
        Standing.ANYONE: True,
        Standing.SIGNED_IN: True,
        Standing.APPROVED: actor.is_approved,
        Standing.STAFF: actor.user.is_staff,
        Standing.ADMIN: False,
    }[standing]


def owns(user: User, dataset: Guarded) -> bool:
    """Whether `user` is named an owner of `dataset`; administrators are not, unless named."""
    return Grant.objects.filter(dataset_id=dataset.pk, user=user, role=Grant.Role.OWNER).exists()


def require(
    actor: Actor, action: Action, dataset: Guarded | None = None, *, message: str = "", hidden: bool = False
) -> None:
    """Raise unless `actor` may do `action`.

    UnauthenticatedError when nobody is signed in, else ForbiddenError with `message`; with `hidden`, NotFoundError
    instead of either, for what the caller may not even know of.
    """
    if may(actor, action, dataset):
        return
    if hidden:
        raise NotFoundError("Not found.")
    if not actor.is_authenticated:
        raise UnauthenticatedError("Authentication credentials were not provided.")
    raise ForbiddenError(message)


def visible(actor: Actor, *, to: str = "") -> Q:
    """The datasets `actor` may read, as a filter; `to` is the prefix of the relation that leads to the dataset.

    The same rule as `may(actor, Action.READ, dataset)`.
    """
    if actor.is_admin:
        return Q()
    is_open = Q(**{f"{to}access": OPEN})
    if actor.user is None:
        return is_open
    return is_open | owned(actor.user, to=to)


def owned(user: User, *, to: str = "") -> Q:
    """The datasets of which `user` is named an owner, as a filter."""
    granted = Grant.objects.filter(user=user, role=Grant.Role.OWNER).values("dataset_id")
    return Q(**{f"{to}pk__in": granted})
