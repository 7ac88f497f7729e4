"""Changing datasets: their making and ending, the draft's metadata, owners, viewers, reviewer links, stars."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from archive.accounts.models import Grant, Invitation, ReviewerLink, User
from archive.accounts.policy import Action, Actor, require
from archive.accounts.queries import (
    digest_of,
    find_proven_users,
    find_users,
    is_address,
    named,
    owners_of,
    proven_addresses,
    viewers_of,
)
from archive.accounts.services import new_secret
from archive.accounts.work import queue_mail
from archive.addresses import own_page
from archive.datasets.models import Dataset, Star, Version
from archive.datasets.queries import edition_of, find_draft, refuse_during_release
from archive.datasets.work import computed_metadata, request_doi, run_draft_hooks, withdraw_doi
from archive.errors import ForbiddenError, ImmutableError, InvalidError, NotFoundError, Reason, StaleError
from archive.identifiers.queries import parse_dandiset_number, registers_dois
from archive.identifiers.services import DATASET_SEQUENCE, next_number
from archive.timeline.models import Change
from archive.timeline.services import append, hold
from archive.validation.metadata import (
    default_dandiset_metadata,
    funder,
    migrated_metadata,
    strip_version_metadata,
    with_schema_version,
)
from archive.validation.queries import schema_info

MAX_NAME = 300
DAY = timedelta(days=1)
MAX_EMBARGO = timedelta(days=730)
MAX_FUNDED_EMBARGO = timedelta(days=1825)
LINK_PREFIX = "rev_"
LINK_LIFETIME = timedelta(days=90)
MAX_LINK_LIFETIME = timedelta(days=366)
MAX_LINKS = 100
MAX_OWNERS = 100
MAX_VIEWERS = 1000
MAX_INVITATIONS = 100
# Each invitation is an unsolicited mail, so the number that a user may send in a day is limited.
MAX_INVITATIONS_A_DAY = 100


@dataclass(frozen=True, kw_only=True)
class Embargo:
    """The terms of an embargo: its last day, by default the longest allowed, and who funds the dataset."""

    end: date | None = None
    funding_source: str = ""
    award_number: str = ""

    @property
    def last_day(self) -> date:
        return self.end or _today() + MAX_EMBARGO


def create_dataset(*, actor: Actor, name: str, metadata: dict[str, Any], embargo: Embargo | None = None) -> Dataset:
    """Make a dataset with its draft, open unless it is to be under an embargo; the actor becomes its owner.

    An administrator may choose its number by an `identifier` in the metadata.
    """
    require(actor, Action.CREATE_DATASET)
    _check_creator(actor)
    _check_name(name)
    if embargo:
        check_embargo(embargo)
    with transaction.atomic():
        number = _choose_number(actor, metadata.get("identifier"))
        dataset = Dataset.objects.create(
            number=number,
            access=Dataset.Access.EMBARGOED if embargo else Dataset.Access.OPEN,
            embargo_end=embargo.last_day if embargo else None,
        )
        change = append(number, Change.Kind.CREATE_DATASET, actor, {"embargoed": embargo is not None})
        if actor.user:
            Grant.objects.create(dataset=dataset, user=actor.user, role=Grant.Role.OWNER)
        draft = Version(dataset=dataset, version=Version.DRAFT, name=name, created=change.recorded)
        submitted = {**_defaults(actor), **strip_version_metadata(metadata)}
        draft.metadata = computed_metadata(draft, _with_funder(submitted, embargo))
        draft.save()
        run_draft_hooks(draft)
    return dataset


def _check_creator(actor: Actor) -> None:
    """Raise InvalidError if the actor is a person without a name: no metadata that name them so would ever be valid."""
    if actor.user and not actor.user.has_name:
        raise InvalidError(f"A dataset names its creator. Please give your first and last name first, at {own_page()}.")


def check_embargo(embargo: Embargo) -> None:
    """Raise InvalidError unless the embargo is within the rules (docs/dialects/dandi.md#new-datasets)."""
    if embargo.funding_source and not embargo.award_number:
        raise InvalidError("Award number is required when funding source is set")
    if embargo.award_number and not embargo.funding_source:
        raise InvalidError("Funding source is required when award number is set")
    longest = MAX_FUNDED_EMBARGO if embargo.funding_source else MAX_EMBARGO
    if not _today() <= embargo.last_day <= _today() + longest:
        raise InvalidError("Invalid embargo end date")


def _with_funder(metadata: dict[str, Any], embargo: Embargo | None) -> dict[str, Any]:
    if embargo is None or not embargo.funding_source:
        return metadata
    contributors = metadata.get("contributor")
    named = contributors if isinstance(contributors, list) else []
    return {**metadata, "contributor": [*named, funder(embargo.funding_source, embargo.award_number)]}


def _today() -> date:
    return datetime.now(UTC).date()


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MAX_NAME:
        raise InvalidError(f"The name must have 1 to {MAX_NAME} characters.", field="name")


def _choose_number(actor: Actor, identifier: object) -> int:
    if not identifier:
        return next_number(DATASET_SEQUENCE, is_taken=lambda number: Dataset.objects.filter(pk=number).exists())
    require(actor, Action.CHOOSE_IDENTIFIER)
    try:
        number = parse_dandiset_number(identifier)
    except InvalidError as error:
        raise InvalidError(f"Invalid Identifier {identifier}") from error
    if Dataset.objects.filter(pk=number).exists():
        raise InvalidError(
            f"There is a dataset of the number {number} already.", reason=Reason.NUMBER_TAKEN, number=number
        )
    return number


def _defaults(actor: Actor) -> dict[str, Any]:
    user = actor.user
    return default_dandiset_metadata(
        first_name=user.first_name if user else "", last_name=user.last_name if user else "", email=actor.email
    )


def update_draft(
    *, actor: Actor, dataset: Dataset, name: str, metadata: dict[str, Any], editions: Collection[str] | None = None
) -> Version:
    """Give the draft another name and metadata; nothing happens if they are what they were. Returns the draft.

    With `editions` (`edition_of`), StaleError unless what is overwritten is one of them.
    """
    require(actor, Action.CHANGE_DRAFT, dataset)
    refuse_during_release(dataset)
    _check_name(name)
    submitted = with_schema_version(strip_version_metadata(metadata))
    with transaction.atomic():
        draft = hold_draft(dataset)
        if editions is not None and edition_of(draft) not in editions:
            raise StaleError(
                "The metadata have been changed since you read them: read them again, and then edit those."
            )
        if draft.name == name and strip_version_metadata(draft.metadata) == submitted:
            return draft
        append(dataset.number, Change.Kind.UPDATE_METADATA, actor, {"name": name, "metadata": submitted})
        draft.name = name
        draft.metadata = computed_metadata(draft, submitted)
        draft.status = Version.Status.PENDING
        draft.save(update_fields=["name", "metadata", "status", "modified"])
        run_draft_hooks(draft)
    return draft


def migrate_draft(*, actor: Actor, dataset: Dataset, dry_run: bool = False) -> bool:
    """Put the draft's metadata into the words of the present schema; False if they are.

    InvalidError, and nothing is changed, if a program cannot do that. With `dry_run` nothing is changed either.
    """
    draft = find_draft(dataset.number)
    if draft is None or draft.metadata["schemaVersion"] == schema_info().current:
        return False
    metadata = migrated_metadata(strip_version_metadata(draft.metadata))
    if not dry_run:
        editions = {edition_of(draft)}
        update_draft(actor=actor, dataset=dataset, name=draft.name, metadata=metadata, editions=editions)
    return True


def hold_draft(dataset: Dataset) -> Version:
    """Return the draft, its dataset with it, locked: other writers wait until the caller's transaction ends.

    NotFoundError if the dataset was deleted while this one waited.
    """
    hold(dataset.number)
    draft = find_draft(dataset.number)
    if draft is None:
        raise NotFoundError
    return draft


def set_owners(*, actor: Actor, dataset: Dataset, usernames: Sequence[str]) -> list[User]:
    """Make exactly these people the owners of the dataset; returns them.

    An account that has not proven the address it is named by is no owner: the address is invited to be one.
    """
    require(actor, Action.CHANGE_OWNERS, dataset)
    refuse_during_release(dataset)
    if not usernames:
        raise InvalidError("Cannot remove all draft owners")
    if len(usernames) > MAX_OWNERS:
        raise InvalidError(f"A dataset has at most {MAX_OWNERS} owners.")
    with transaction.atomic():
        hold_draft(dataset)
        before = dict.fromkeys(owners_of(dataset.number))
        users, addresses = _named(usernames, [*before], is_address_enough=False)
        if not users:
            raise InvalidError("Cannot remove all draft owners")
        after = {*users}
        added = [user for user in users if user not in before]
        removed = [user for user in before if user not in after]
        invitations = _change_invitations(actor, dataset, Grant.Role.OWNER, addresses)
        if added or removed or invitations:
            details = {"added_owners": [*map(_copied, added)], "removed_owners": [*map(_copied, removed)]}
            append(dataset.number, Change.Kind.CHANGE_OWNERS, actor, details | invitations)
            # Everybody has one role, so a viewer who becomes an owner stops being a viewer.
            dataset.grants.filter(user__in=[*removed, *added]).delete()
            Grant.objects.bulk_create([Grant(dataset=dataset, user=user) for user in added])
            _tell_owners("owner_added", added, actor, dataset)
            _tell_owners("owner_removed", removed, actor, dataset)
    return list(owners_of(dataset.number))


def _tell_owners(template: str, people: Sequence[User], actor: Actor, dataset: Dataset) -> None:
    for person in people:
        queue_mail(template, to=[person.email], person=person, author=actor.name, identifier=dataset.identifier)


def set_viewers(*, actor: Actor, dataset: Dataset, usernames: Sequence[str]) -> list[User]:
    """Make exactly these people the viewers of the dataset, who read all of it and change nothing; returns them.

    Owners are viewers already, and cannot be made any. An address that nobody has proven to be theirs is invited.
    """
    require(actor, Action.CHANGE_VIEWERS, dataset)
    refuse_during_release(dataset)
    if len(usernames) > MAX_VIEWERS:
        raise InvalidError(f"A dataset has at most {MAX_VIEWERS} viewers.")
    with transaction.atomic():
        hold_draft(dataset)
        before = dict.fromkeys(viewers_of(dataset.number))
        users, addresses = _named(usernames, [*before, *owners_of(dataset.number)], is_address_enough=True)
        if owners := sorted({*users} & {*owners_of(dataset.number)}, key=lambda user: user.username):
            raise InvalidError(f"User {owners[0].username} is an owner")
        after = {*users}
        added = [user for user in users if user not in before]
        removed = [user for user in before if user not in after]
        invitations = _change_invitations(actor, dataset, Grant.Role.VIEWER, addresses)
        if added or removed or invitations:
            details = {"added_viewers": [*map(_copied, added)], "removed_viewers": [*map(_copied, removed)]}
            append(dataset.number, Change.Kind.CHANGE_VIEWERS, actor, details | invitations)
            dataset.grants.filter(user__in=removed).delete()
            Grant.objects.bulk_create([Grant(dataset=dataset, user=user, role=Grant.Role.VIEWER) for user in added])
    return list(viewers_of(dataset.number))


def _named(
    names: Sequence[str], holders: Sequence[User], *, is_address_enough: bool
) -> tuple[list[User], dict[str, None]]:
    """Return the users whom the names mean, and the addresses among the names that nobody has proven.

    Such an address must be one that an account claims, unless it `is_address_enough`.
    """
    known = named(names, holders) | find_proven_users(names)
    unknown = [name for name in names if name not in known]
    claimed = set(unknown) if is_address_enough else {user.username for user in find_users(unknown)}
    if missing := [name for name in unknown if name not in claimed or not is_address(name)]:
        raise InvalidError(f"User {min(missing)} not found")
    users = list(dict.fromkeys(known[name] for name in names if name in known))
    return users, dict.fromkeys(name.lower() for name in unknown)


def _change_invitations(
    actor: Actor, dataset: Dataset, role: Grant.Role, addresses: Collection[str]
) -> dict[str, list[str]]:
    """Invite exactly these addresses to the role; returns what that changes, as the history tells it."""
    waiting = dict(dataset.invitations.values_list("address", "role"))
    invited = [address for address in addresses if waiting.get(address) != role]
    withdrawn = [address for address, to in waiting.items() if to == role and address not in addresses]
    dataset.invitations.filter(address__in=[*invited, *withdrawn]).delete()
    Invitation.objects.bulk_create([Invitation(dataset=dataset, address=address, role=role) for address in invited])
    if dataset.invitations.count() > MAX_INVITATIONS:
        raise InvalidError(f"A dataset has at most {MAX_INVITATIONS} invitations that wait; withdraw one first.")
    if invited and len(invited) + _invited_today(actor) > MAX_INVITATIONS_A_DAY:
        raise InvalidError(f"You may invite {MAX_INVITATIONS_A_DAY} addresses in a day; invite the others tomorrow.")
    for address in invited:
        facts = {"invited": address, "role": role.label.lower(), "identifier": dataset.identifier}
        queue_mail("invited", to=[address], author=actor.name, **facts)
    return {key: found for key, found in {"invited": invited, "withdrawn": withdrawn}.items() if found}


def _invited_today(actor: Actor) -> int:
    """Return how many addresses the actor has invited in the last 24 hours, to any dataset; withdrawn or not."""
    kinds = [Change.Kind.CHANGE_OWNERS, Change.Kind.CHANGE_VIEWERS]
    changes = Change.objects.filter(recorded__gt=timezone.now() - DAY, user_id=actor.user_id, kind__in=kinds)
    return sum(len(invited) for invited in changes.values_list("details__invited", flat=True) if invited)


def accept_invitations(*, user: User) -> None:
    """Give somebody the roles that wait for an address which they have proven to be theirs."""
    for invitation in Invitation.objects.filter(address__in=proven_addresses(user)).select_related("dataset"):
        _accept(invitation, user)


def _accept(invitation: Invitation, user: User) -> None:
    dataset = invitation.dataset
    with transaction.atomic():
        hold(dataset.number)
        is_there, _ = Invitation.objects.filter(pk=invitation.pk).delete()
        if not is_there or dataset.grants.filter(user=user, role__in=[Grant.Role.OWNER, invitation.role]).exists():
            return
        kinds = {Grant.Role.OWNER: Change.Kind.CHANGE_OWNERS, Grant.Role.VIEWER: Change.Kind.CHANGE_VIEWERS}
        kind = kinds[Grant.Role(invitation.role)]
        append(dataset.number, kind, Actor(user=user), {f"added_{invitation.role}s": [_copied(user)]})
        Grant.objects.update_or_create(dataset=dataset, user=user, defaults={"role": invitation.role})


def _copied(user: User) -> dict[str, str]:
    return {"username": user.username, "email": user.email, "name": user.display_name}


def create_reviewer_link(
    *, actor: Actor, dataset: Dataset, label: str, expires: datetime | None = None
) -> tuple[ReviewerLink, str]:
    """Make a secret by which anybody reads the dataset, blinded, until it expires, in LINK_LIFETIME unless said.

    Returns the link and its secret, which cannot be had again.
    """
    require(actor, Action.CHANGE_REVIEWER_LINKS, dataset)
    if actor.user is None:
        raise ForbiddenError("Only a person can make a reviewer link.")
    now = timezone.now()
    label = label.strip()
    if not label or len(label) > 100:
        raise InvalidError("A reviewer link needs a label of 1 to 100 characters.", field="label")
    if expires is not None and not now < expires <= now + MAX_LINK_LIFETIME:
        raise InvalidError(f"The expiry must lie within {MAX_LINK_LIFETIME.days} days from now.", field="expires")
    secret = new_secret(LINK_PREFIX)
    with transaction.atomic():
        hold_draft(dataset)
        if dataset.reviewer_links.filter(revoked__isnull=True, expires__gt=now).count() >= MAX_LINKS:
            raise InvalidError(f"The dataset has {MAX_LINKS} reviewer links already; revoke one first.", field="label")
        link = ReviewerLink.objects.create(
            dataset=dataset,
            label=label,
            digest=digest_of(secret),
            hint=secret[:8],
            creator=actor.user,
            expires=expires or now + LINK_LIFETIME,
        )
        append(dataset.number, Change.Kind.CREATE_REVIEWER_LINK, actor, {"link": link.pk, "label": label})
    return link, secret


def revoke_reviewer_link(*, actor: Actor, dataset: Dataset, link_id: int) -> None:
    """End one of the dataset's reviewer links, at once and for good; NotFoundError if it has none such any more."""
    require(actor, Action.CHANGE_REVIEWER_LINKS, dataset)
    with transaction.atomic():
        hold_draft(dataset)
        valid = dataset.reviewer_links.filter(pk=link_id, revoked__isnull=True)
        if not valid.update(revoked=timezone.now()):
            raise NotFoundError
        append(dataset.number, Change.Kind.REVOKE_REVIEWER_LINK, actor, {"link": link_id})


def delete_dataset(*, actor: Actor, dataset: Dataset) -> None:
    """Delete a dataset that was never published. Its history stays; its blobs stay until they are swept."""
    require(actor, Action.DELETE_DATASET, dataset)
    refuse_during_release(dataset)
    with transaction.atomic():
        hold_draft(dataset)
        versions = dataset.versions.all()
        if versions.filter(at__isnull=False).exclude(status=Version.Status.PUBLISHING).exists():
            raise ForbiddenError("A dataset that has published versions cannot be deleted.", reason=Reason.HAS_VERSIONS)
        if versions.filter(status=Version.Status.PUBLISHING).exists():
            raise ForbiddenError(
                "The dataset cannot be deleted while it is being published.", reason=Reason.NOT_DELETED_NOW
            )
        append(dataset.number, Change.Kind.DELETE_DATASET, actor, {})
        dataset.delete()


def delete_version(*, actor: Actor, version: Version) -> None:
    """Withdraw a published version."""
    if version.is_draft:
        raise ForbiddenError("A draft cannot be deleted; delete its dataset instead.", reason=Reason.DRAFT_STAYS)
    require(actor, Action.DELETE_VERSION, version.dataset)
    with transaction.atomic():
        append(version.dataset_id, Change.Kind.DELETE_VERSION, actor, {"version": version.version})
        withdraw_doi(version)
        version.delete()


def register_doi(*, version: Version) -> bool:
    """Have the DOI of a published version registered, or brought up to date; False if this archive registers none."""
    if version.is_draft or not registers_dois():
        return False
    with transaction.atomic():
        request_doi(version)
    return True


def require_draft(version: Version, *, message: str = "Only draft versions can be modified.") -> None:
    """Raise ImmutableError unless the version is a draft."""
    if not version.is_draft:
        raise ImmutableError(message)


def set_star(*, actor: Actor, dataset: Dataset, starred: bool) -> int:
    """Give or take back the actor's star; returns how many stars the dataset has now."""
    require(actor, Action.STAR)
    require(actor, Action.READ, dataset, hidden=True)
    with transaction.atomic():
        if starred:
            _, changed = Star.objects.get_or_create(dataset=dataset, user=actor.user)
        else:
            changed = bool(Star.objects.filter(dataset=dataset, user=actor.user).delete()[0])
        if changed:
            Dataset.objects.filter(pk=dataset.pk).update(star_count=F("star_count") + (1 if starred else -1))
    dataset.refresh_from_db(fields=["star_count"])
    return dataset.star_count
