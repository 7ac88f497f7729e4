"""The policy of who may do what: one table, asked as yes or no (`may`, `require`) or as a filter of rows (`visible`).

Nothing else in this code decides about access. Whatever the table does not allow is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from django.db.models import F, OuterRef, Q, QuerySet

from archive.accounts.actions import ACTIONS, NOT_APPROVED, OF_READERS, PURPOSES, READS, WHO_MAY, Action, Standing
from archive.accounts.models import Grant, ReviewerLink, Token, User
from archive.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from archive.statements import Prepared
from archive.timeline.rows import lasting_beyond

# What is passed on of the table, beside what is below.
__all__ = ["Action", "Standing"]


@dataclass(frozen=True)
class Actor:
    """The person or program that asks: a user (perhaps by a token), nobody (`ANONYMOUS`), or this program (`SYSTEM`).

    Any of them may have come with a reviewer link, which has been found valid.
    """

    user: User | None = None
    token: Token | None = None
    link: ReviewerLink | None = None
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
    def only_dataset(self) -> int | None:
        """Return the number of the one dataset that the actor's token is for; None if it is for all of their user's."""
        return self.token.dataset_id if self.token else None

    @property
    def has_purpose(self) -> bool:
        """Return whether the actor has come with a token that is for one purpose alone."""
        return self.token is not None and self.token.purpose in PURPOSES

    @property
    def is_admin(self) -> bool:
        """Return whether the actor may do everything, everywhere."""
        return self.is_system or bool(self.user and self.user.is_superuser and not self.has_purpose)

    @property
    def is_approved(self) -> bool:
        """Return whether the actor is approved: by a rule, by an administrator, or as an administrator."""
        if self.is_system:
            return True
        return self.user is not None and (self.user.is_superuser or self.user.status == User.Status.APPROVED)

    @property
    def may_write(self) -> bool:
        """Return whether the actor may change anything at all: not with a read-only token."""
        return self.token is None or self.token.scope == Token.Scope.WRITE


ANONYMOUS = Actor()
SYSTEM = Actor(is_system=True)


# A release takes effect with its change of one row; the tags of objects follow later.
RELEASED = frozenset({"OPEN", "UNEMBARGOING"})

EDITORS = (Grant.Role.OWNER, Grant.Role.EDITOR)
INSIDERS = (*EDITORS, Grant.Role.VIEWER)

# Who stands like that to a dataset.
_ROLES: dict[Standing, Sequence[Grant.Role]] = {
    Standing.INSIDER: INSIDERS,
    Standing.EDITOR: EDITORS,
    Standing.OWNER: [Grant.Role.OWNER],
}


class Guarded(Protocol):
    """The part of a dataset that the policy needs to know."""

    @property
    def pk(self) -> int: ...
    @property
    def access(self) -> str: ...


def may(actor: Actor, action: Action, dataset: Guarded | None = None) -> bool:
    """Return whether `actor` may do `action` (to `dataset`, where the action is about one)."""
    if action in OF_READERS and dataset is not None and dataset.access in RELEASED:
        return True
    if not _is_within_purpose(actor.token, action, dataset):
        return False
    if action is Action.KNOW_PEOPLE:
        actor = replace(actor, link=None)
    if actor.is_system:
        return True
    if action not in READS and not (actor.is_approved and actor.may_write):
        return False
    return _stands(actor, ACTIONS[action], dataset)


def _is_within_purpose(token: Token | None, action: Action, dataset: Guarded | None) -> bool:
    if token is None or token.purpose not in PURPOSES:
        return True
    is_its_dataset = token.dataset_id is None or (dataset is not None and dataset.pk == token.dataset_id)
    return is_its_dataset and _is_good_for(token, action)


def _is_good_for(token: Token | None, action: Action) -> bool:
    """Return whether a token's purpose has to do with an action, if the token is for one."""
    return token is None or token.purpose not in PURPOSES or action in PURPOSES[token.purpose]


def _stands(actor: Actor, standing: Standing, dataset: Guarded | None) -> bool:
    if standing is Standing.INSIDER and dataset is not None and _is_for(actor.link, dataset):
        return True
    if actor.user is None:
        return standing is Standing.REVIEWER and actor.link is not None
    if standing is Standing.WORKER:
        is_worker = actor.token is not None and actor.token.purpose == Token.Purpose.WORKER
        return is_worker and actor.user.is_superuser
    if actor.user.is_superuser:
        return True
    if standing in _ROLES:
        return dataset is not None and _has_role(actor.user, dataset, _ROLES[standing])
    return {
        Standing.SIGNED_IN: True,
        Standing.APPROVED: actor.is_approved,
        Standing.REVIEWER: actor.is_approved,
        Standing.STAFF: actor.user.is_staff,
        Standing.ADMIN: False,
    }[standing]


def _has_role(user: User, dataset: Guarded, roles: Sequence[Grant.Role]) -> bool:
    grant = _grant_of.first(dataset_id=dataset.pk, user_id=user.pk)
    return grant is not None and grant.role in roles


@Prepared
def _grant_of(dataset_id: Any, user_id: Any) -> QuerySet[Grant]:
    return Grant.objects.filter(dataset_id=dataset_id, user_id=user_id)


def _is_for(link: ReviewerLink | None, dataset: Guarded) -> bool:
    return link is not None and link.dataset_id == dataset.pk


def is_blinded(actor: Actor, dataset: Guarded) -> bool:
    """Return whether `actor` reads `dataset` by a reviewer link alone, and must not learn who its people are."""
    return _is_for(actor.link, dataset) and not may(actor, Action.KNOW_PEOPLE, dataset)


def blinded_dataset(actor: Actor) -> int | None:
    """Return the number of the one dataset that `actor` reads blinded; None if there is none, as for most.

    For queries over many datasets, whose answers must not tell who the people of that one are.
    """
    link = actor.link
    return link.dataset_id if link is not None and is_blinded(actor, link.dataset) else None


def require(
    actor: Actor, action: Action, dataset: Guarded | None = None, *, message: str = "", hidden: bool = False
) -> None:
    """Raise unless `actor` may do `action`.

    UnauthenticatedError when nobody is signed in, else ForbiddenError, with `message` or else one that says why not,
    and the `action` unless it is the token that is not for it; with `hidden`, NotFoundError instead of either, for what
    the caller may not even know of.
    """
    if may(actor, action, dataset):
        return
    if hidden:
        raise NotFoundError
    if not actor.is_authenticated:
        raise UnauthenticatedError
    if said := message or _limit_of_token(actor, action, dataset):
        raise ForbiddenError(said)
    raise ForbiddenError(_why_not(actor, action), action=action)


def _limit_of_token(actor: Actor, action: Action, dataset: Guarded | None) -> str:
    """Return why somebody may not do an action by the token that they have come with; "" if they may."""
    if not _is_within_purpose(actor.token, action, dataset):
        return "This token is for something else."
    is_change = action not in READS
    return "This token may only read." if is_change and actor.is_approved and not actor.may_write else ""


def _why_not(actor: Actor, action: Action) -> str:
    """Return why somebody who is signed in may not do an action, as far as they can do something about it."""
    if action not in READS and not actor.is_approved:
        return NOT_APPROVED
    return WHO_MAY[ACTIONS[action]]


def visible(actor: Actor, *, to: str = "") -> Q:
    """Return the filter for datasets that `actor` may read; `to` is the prefix of the relation to the dataset.

    The same rule as `may(actor, Action.READ, dataset)`.
    """
    return Q() if actor.is_admin else Q(**{f"{to}access__in": RELEASED}) | readable_while_closed(actor, to=to)


def visible_versions(actor: Actor) -> Q:
    """Return the condition that `actor` may read a version of a dataset they may read: closed ones are for insiders."""
    return Q() if actor.is_admin else Q(is_closed=False) | readable_while_closed(actor, to="dataset__")


def visible_rows(actor: Actor) -> Q:
    """Return the filter for rows in time (of assets) that `actor` may read: all rows of a visible dataset.

    But for what had been retired when the dataset was released: that was never open, and stays with those inside.
    """
    return Q() if actor.is_admin else _once_open() | readable_while_closed(actor, to="dataset__")


def visible_history(actor: Actor, change: F | OuterRef) -> Q:
    """Return the filter for datasets in whose history `actor` may read the change of that number.

    Of what was released, that is what came after: what went before tells of files that were never open, perhaps.
    """
    if actor.is_admin:
        return Q()
    was_open = Q(access__in=RELEASED) & (Q(released__isnull=True) | Q(released__lt=change))
    return was_open | readable_while_closed(actor)


def visible_unattached_content(actor: Actor, *, to: str) -> Q:
    """Return the filter for content that `actor` may read and that was sent to a dataset, but is no row of it yet.

    Of a dataset that was embargoed it is for those inside: it may have come before the release, which did not open it.
    """
    if actor.is_admin:
        return Q(**{f"{to}pk__isnull": False})
    return Q(**{f"{to}access__in": RELEASED, f"{to}released__isnull": True}) | readable_while_closed(actor, to=to)


def attachable_rows(actor: Actor) -> Q:
    """Return the filter for rows in time whose bytes `actor` may use in another dataset, perhaps an open one.

    Who reads by a role that changes nothing has no say in that.
    """
    if actor.is_admin:
        return Q()
    if not _is_good_for(actor.token, Action.UPLOAD):
        return _once_open()
    return _once_open() | owned(actor, to="dataset__")


def _once_open() -> Q:
    """Return the filter for rows that were open to everybody at some time."""
    lived_to_see_it = lasting_beyond(F("dataset__released"))
    return Q(dataset__access__in=RELEASED) & (Q(dataset__released__isnull=True) | lived_to_see_it)


def readable_while_closed(actor: Actor, *, to: str = "") -> Q:
    """Return the filter for datasets that `actor` may read whether or not they are released."""
    if actor.is_admin:
        return Q(**{f"{to}pk__isnull": False})
    by_link = Q(**{f"{to}pk": actor.link.dataset_id}) if actor.link else Q(pk__in=[])
    return by_link | _granted(actor, INSIDERS, to=to)


def knowing(actor: Actor, *, to: str = "") -> Q:
    """Return the filter for datasets whose people `actor` may know: the same as `may(actor, KNOW_PEOPLE, dataset)`."""
    is_open = Q(**{f"{to}access__in": RELEASED})
    if not _is_good_for(actor.token, Action.KNOW_PEOPLE):
        return is_open
    return is_open | readable_while_closed(replace(actor, link=None), to=to)


def with_listable_members(actor: Actor, *, to: str = "") -> Q:
    """Return the filter for datasets whose members `actor` may list: as `may(actor, LIST_VIEWERS, dataset)`."""
    if not _is_good_for(actor.token, Action.LIST_VIEWERS):
        return Q(pk__in=[])
    return Q(**{f"{to}pk__isnull": False}) if actor.is_admin else owned(actor, to=to)


def owned(actor: Actor, *, to: str = "") -> Q:
    """Return the filter for datasets of which the actor is named an owner."""
    return _granted(actor, [Grant.Role.OWNER], to=to)


def edited(actor: Actor, *, to: str = "") -> Q:
    """Return the condition that the actor may change a dataset's draft, by a role in it."""
    return _granted(actor, EDITORS, to=to)


def _granted(actor: Actor, roles: Sequence[Grant.Role], *, to: str) -> Q:
    if actor.user is None:
        return Q(pk__in=[])
    if actor.has_purpose and actor.user.is_superuser:
        return Q(**{f"{to}pk": actor.only_dataset}) if actor.only_dataset else Q(**{f"{to}pk__isnull": False})
    granted = Grant.objects.filter(user=actor.user, role__in=roles).values("dataset_id")
    if actor.only_dataset is not None:
        granted = granted.filter(dataset_id=actor.only_dataset)
    return Q(**{f"{to}pk__in": granted})


def knows_account(actor: Actor, person: User) -> bool:
    """Return whether `actor` may know what is nobody else's business of an account: their own, or an administrator."""
    return actor.is_admin or (actor.user_id == person.pk and not actor.has_purpose)


def sent_content(actor: Actor) -> Q:
    """Return the filter for blobs that the actor has sent; by a token for one dataset, those sent to that alone."""
    if actor.user is None:
        return Q(pk__in=[])
    by_user = Q(uploader=actor.user)
    return by_user if actor.only_dataset is None else by_user & Q(received_for=actor.only_dataset)
