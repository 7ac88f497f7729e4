"""Who has a role in a dataset: owners, editors and viewers, and whom a role waits for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from archive.accounts.models import Grant, Invitation, User
from archive.accounts.policy import Action, Actor, require
from archive.accounts.queries import (
    find_proven_users,
    find_users,
    is_address,
    is_orcid,
    named,
    owners_of,
    proven_addresses,
)
from archive.accounts.services import forget_user, require_no_powers
from archive.accounts.work import queue_mail
from archive.datasets.models import Dataset, Star
from archive.datasets.queries import require_not_releasing
from archive.datasets.work import hold_draft
from archive.errors import ConflictError, ForbiddenError, InvalidError
from archive.timeline.models import Change
from archive.timeline.services import append, hold

DAY = timedelta(days=1)
# How many people may have each role in a dataset.
MAX_PEOPLE = {Grant.Role.OWNER: 100, Grant.Role.EDITOR: 100, Grant.Role.VIEWER: 1000}
MAX_INVITATIONS = 100
# Each invitation is an unsolicited mail, so the number that a user may send in a day is limited.
MAX_INVITATIONS_A_DAY = 100
ORPHANS_SHOWN = 10


def set_owners(*, actor: Actor, dataset: Dataset, usernames: Sequence[str], may_wait: bool = False) -> list[User]:
    """Make exactly these people the owners of the dataset; returns them.

    An account that has not proven the address it is named by is no owner: the address is invited to be one. With
    `may_wait`, so is who has no account, by an address, an ORCID iD or a name.
    """
    require(actor, Action.CHANGE_OWNERS, dataset)
    require_not_releasing(dataset)
    if not usernames:
        raise InvalidError("Cannot remove all draft owners")
    if len(usernames) > MAX_PEOPLE[Grant.Role.OWNER]:
        raise InvalidError(f"A dataset has at most {MAX_PEOPLE[Grant.Role.OWNER]} owners.")
    with transaction.atomic():
        hold_draft(dataset)
        before = dict.fromkeys(owners_of(dataset.number))
        users, waiting = _named(usernames, [*before], is_address_enough=may_wait, may_wait=may_wait)
        if not users:
            raise InvalidError("Cannot remove all draft owners")
        after = {*users}
        added = [user for user in users if user not in before]
        removed = [user for user in before if user not in after]
        invitations = _change_invitations(actor, dataset, Grant.Role.OWNER, waiting)
        if added or removed or invitations:
            details = {"added_owners": [*map(_copied, added)], "removed_owners": [*map(_copied, removed)]}
            append(dataset.number, Change.Kind.CHANGE_OWNERS, actor, details | invitations)
            # Everybody has one role, so a viewer or an editor who becomes an owner stops being that.
            dataset.grants.filter(user__in=[*removed, *added]).delete()
            Grant.objects.bulk_create([Grant(dataset=dataset, user=user) for user in added])
            _tell_owners("owner_added", added, actor, dataset)
            _tell_owners("owner_removed", removed, actor, dataset)
    return list(owners_of(dataset.number))


def _tell_owners(template: str, people: Sequence[User], actor: Actor, dataset: Dataset) -> None:
    for person in people:
        queue_mail(template, to=[person.email], person=person, author=actor.name, identifier=dataset.identifier)


def set_editors(*, actor: Actor, dataset: Dataset, usernames: Sequence[str], may_wait: bool = False) -> list[User]:
    """Make exactly these people the editors of the dataset, who change its draft and make versions; returns them.

    Owners are no editors, and viewers who become editors are viewers no more. What nobody has proven to be theirs is
    invited: an address, an ORCID iD and, with `may_wait`, any name.
    """
    return _set_people(actor, dataset, EDITORS, usernames, may_wait=may_wait)


def set_viewers(*, actor: Actor, dataset: Dataset, usernames: Sequence[str], may_wait: bool = False) -> list[User]:
    """Make exactly these people the viewers of the dataset, who read all of it and change nothing; returns them.

    Owners and editors are viewers already, and cannot be made any. Who is not known is invited as by `set_editors`.
    """
    return _set_people(actor, dataset, VIEWERS, usernames, may_wait=may_wait)


@dataclass(frozen=True)
class _GivenRole:
    """A role that owners give: what it takes to do so, how the history tells it, and who has more than that."""

    role: Grant.Role
    action: Action
    kind: Change.Kind
    above: Sequence[Grant.Role]


EDITORS = _GivenRole(Grant.Role.EDITOR, Action.CHANGE_EDITORS, Change.Kind.CHANGE_EDITORS, [Grant.Role.OWNER])
VIEWERS = _GivenRole(
    Grant.Role.VIEWER,
    Action.CHANGE_VIEWERS,
    Change.Kind.CHANGE_VIEWERS,
    [Grant.Role.OWNER, Grant.Role.EDITOR],
)


def _set_people(
    actor: Actor, dataset: Dataset, given: _GivenRole, usernames: Sequence[str], *, may_wait: bool
) -> list[User]:
    """Make exactly these people those of a role, but for owners; returns them."""
    require(actor, given.action, dataset)
    require_not_releasing(dataset)
    if len(usernames) > MAX_PEOPLE[given.role]:
        raise InvalidError(f"A dataset has at most {MAX_PEOPLE[given.role]} {given.role}s.")
    with transaction.atomic():
        hold_draft(dataset)
        roles = {grant.user: Grant.Role(grant.role) for grant in dataset.grants.select_related("user")}
        users, waiting = _named(usernames, [*roles], is_address_enough=True, may_wait=may_wait)
        for user in sorted(users, key=lambda user: user.username):
            if roles.get(user) in given.above:
                raise InvalidError(f"User {user.username} is an {roles[user]}")
        before = [user for user, role in roles.items() if role == given.role]
        added = [user for user in users if user not in before]
        removed = [user for user in before if user not in users]
        invitations = _change_invitations(actor, dataset, given.role, waiting)
        if added or removed or invitations:
            details = {
                f"added_{given.role}s": [*map(_copied, added)],
                f"removed_{given.role}s": [*map(_copied, removed)],
            }
            append(dataset.number, given.kind, actor, details | invitations)
            # Everybody has one role: who is given more than they had has the other no more.
            dataset.grants.filter(user__in=[*removed, *added]).delete()
            Grant.objects.bulk_create([Grant(dataset=dataset, user=user, role=given.role) for user in added])
    granted = dataset.grants.filter(role=given.role).order_by("user__date_joined", "user")
    return [grant.user for grant in granted.select_related("user")]


def _named(
    names: Sequence[str], holders: Sequence[User], *, is_address_enough: bool, may_wait: bool = False
) -> tuple[list[User], dict[str, Invitation.Kind]]:
    """Return the users whom the names mean, and the names that nobody has proven to be theirs, by what they are.

    An account that holds a role is found by its name. Such an address must be one that an account claims, unless it
    `is_address_enough`; any other name than that and an ORCID iD is not found, unless it `may_wait` for somebody.
    """
    known = named(names, holders) | find_proven_users(names)
    unknown = [name for name in names if name not in known]
    claimed = set(unknown) if is_address_enough else {user.username for user in find_users(unknown)}
    waiting = {name.lower(): _kind_of(name) for name in unknown}
    allowed = {Invitation.Kind.ADDRESS, Invitation.Kind.ORCID, *([Invitation.Kind.NAME] if may_wait else [])}
    if missing := [name for name in unknown if name not in claimed or waiting[name.lower()] not in allowed]:
        raise InvalidError(f"User {min(missing)} not found")
    users = list(dict.fromkeys(known[name] for name in names if name in known))
    return users, waiting


def _kind_of(name: str) -> Invitation.Kind:
    if is_address(name):
        return Invitation.Kind.ADDRESS
    return Invitation.Kind.ORCID if is_orcid(name) else Invitation.Kind.NAME


def _change_invitations(
    actor: Actor, dataset: Dataset, role: Grant.Role, wanted: Mapping[str, Invitation.Kind]
) -> dict[str, list[str]]:
    """Invite exactly these to the role; returns what that changes, as the history tells it."""
    waiting = dict(dataset.invitations.values_list("value", "role"))
    invited = [value for value in wanted if waiting.get(value) != role]
    withdrawn = [value for value, to in waiting.items() if to == role and value not in wanted]
    dataset.invitations.filter(value__in=[*invited, *withdrawn]).delete()
    Invitation.objects.bulk_create(
        [Invitation(dataset=dataset, kind=wanted[value], value=value, role=role) for value in invited]
    )
    if dataset.invitations.count() > MAX_INVITATIONS:
        raise InvalidError(f"A dataset has at most {MAX_INVITATIONS} invitations that wait; withdraw one first.")
    if invited and len(invited) + _invited_today(actor) > MAX_INVITATIONS_A_DAY:
        raise InvalidError(f"You may invite {MAX_INVITATIONS_A_DAY} people in a day; invite the others tomorrow.")
    for value in invited:
        if wanted[value] == Invitation.Kind.ADDRESS:
            facts = {"invited": value, "role": role.label.lower(), "identifier": dataset.identifier}
            queue_mail("invited", to=[value], author=actor.name, **facts)
    return {key: found for key, found in {"invited": invited, "withdrawn": withdrawn}.items() if found}


def _invited_today(actor: Actor) -> int:
    """Return how many the actor has invited in the last 24 hours, to any dataset; withdrawn or not."""
    kinds = [Change.Kind.CHANGE_OWNERS, Change.Kind.CHANGE_EDITORS, Change.Kind.CHANGE_VIEWERS]
    changes = Change.objects.filter(recorded__gt=timezone.now() - DAY, user_id=actor.user_id, kind__in=kinds)
    return sum(len(invited) for invited in changes.values_list("details__invited", flat=True) if invited)


def accept_invitations(*, user: User) -> None:
    """Give somebody the roles that wait for an address, an ORCID iD or a name that they have proven to be theirs."""
    kinds = Invitation.Kind
    meant = Q(kind=kinds.ADDRESS, value__in=proven_addresses(user))
    if user.orcid:
        meant |= Q(kind=kinds.ORCID, value=user.orcid.lower())
    if user.github_login:
        meant |= Q(kind=kinds.NAME, value=user.github_login.lower())
    for invitation in Invitation.objects.filter(meant).select_related("dataset"):
        _accept(invitation, user)


# Which role has all that another has, and more.
_RANKS = [Grant.Role.VIEWER, Grant.Role.EDITOR, Grant.Role.OWNER]
_KINDS = {
    Grant.Role.OWNER: Change.Kind.CHANGE_OWNERS,
    Grant.Role.EDITOR: Change.Kind.CHANGE_EDITORS,
    Grant.Role.VIEWER: Change.Kind.CHANGE_VIEWERS,
}


def _accept(invitation: Invitation, user: User) -> None:
    dataset, role = invitation.dataset, Grant.Role(invitation.role)
    with transaction.atomic():
        hold(dataset.number)
        is_there, _ = Invitation.objects.filter(pk=invitation.pk).delete()
        as_much = _RANKS[_RANKS.index(role) :]
        if not is_there or dataset.grants.filter(user=user, role__in=as_much).exists():
            return
        append(dataset.number, _KINDS[role], Actor(user=user), {f"added_{role}s": [_copied(user)]})
        Grant.objects.update_or_create(dataset=dataset, user=user, defaults={"role": role})


def _copied(user: User) -> dict[str, str]:
    return {"username": user.username, "email": user.email, "name": user.display_name}


# --- One person at a time ---------------------------------------------------------------------------------------------


def give_role(*, actor: Actor, dataset: Dataset, name: str, role: Grant.Role) -> None:
    """Give somebody a role in the dataset, in the place of the one they have; who is not known is invited to it.

    `name` is an address, an ORCID iD or a username. InvalidError if there would be no owner.
    """
    require(actor, Action.CHANGE_OWNERS, dataset)
    with transaction.atomic():
        hold_draft(dataset)
        user = find_proven_users([name]).get(name)
        held = dataset.grants.filter(user=user).first() if user else None
        if held and held.role == role:
            return
        if held and _RANKS.index(Grant.Role(held.role)) > _RANKS.index(role):
            _set_role(actor, dataset, Grant.Role(held.role), [*_without(dataset, held)])
        _set_role(actor, dataset, role, [*_names_with(dataset, role), name])


def take_role(*, actor: Actor, dataset: Dataset, user: User) -> None:
    """Take somebody's role in the dataset away; InvalidError if they are its only owner. Nothing if they have none."""
    require(actor, Action.CHANGE_OWNERS, dataset)
    with transaction.atomic():
        hold_draft(dataset)
        if held := dataset.grants.filter(user=user).first():
            _set_role(actor, dataset, Grant.Role(held.role), [*_without(dataset, held)])


def _names_with(dataset: Dataset, role: Grant.Role) -> Iterator[str]:
    """Yield what those are called who have a role, or are invited to it."""
    yield from dataset.grants.filter(role=role).values_list("user__username", flat=True)
    yield from dataset.invitations.filter(role=role).values_list("value", flat=True)


def _without(dataset: Dataset, held: Grant) -> Iterator[str]:
    return (name for name in _names_with(dataset, Grant.Role(held.role)) if name != held.user.username)


def _set_role(actor: Actor, dataset: Dataset, role: Grant.Role, names: Sequence[str]) -> None:
    setters = {Grant.Role.OWNER: set_owners, Grant.Role.EDITOR: set_editors, Grant.Role.VIEWER: set_viewers}
    setters[role](actor=actor, dataset=dataset, usernames=names, may_wait=True)


def remove_person(*, actor: Actor, user: User) -> None:
    """Close somebody's account for good, take their roles, and forget who they were.

    Raises ConflictError, naming them, if datasets would be without an owner, and then changes nothing.
    """
    require(actor, Action.APPOINT)
    if actor.user_id == user.pk:
        raise ForbiddenError("This is your own account: ask another administrator.")
    require_no_powers(user)
    with transaction.atomic():
        granted = Dataset.objects.filter(grants__user=user).order_by("number")
        others = Grant.objects.filter(dataset=OuterRef("pk"), role=Grant.Role.OWNER).exclude(user=user)
        if orphans := list(granted.filter(~Exists(others))[:ORPHANS_SHOWN]):
            named = ", ".join(dataset.identifier for dataset in orphans)
            raise ConflictError(f"They are the only owner of {named}. Give these to somebody else first.")
        for dataset in granted:
            take_role(actor=actor, dataset=dataset, user=user)
        Dataset.objects.filter(stars__user=user).update(star_count=F("star_count") - 1)
        Star.objects.filter(user=user).delete()
        forget_user(user=user)
