"""Changing datasets: their making and ending, the draft's metadata, owners, stars."""

from collections.abc import Collection, Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from archive.accounts.models import Grant, User
from archive.accounts.policy import Action, Actor, require
from archive.accounts.queries import find_users, owners_of
from archive.datasets.models import Dataset, Star, Version
from archive.datasets.queries import edition_of
from archive.datasets.work import computed_metadata
from archive.errors import ForbiddenError, ImmutableError, InvalidError, StaleError
from archive.identifiers.queries import parse_dandiset_number
from archive.identifiers.services import DATASET_SEQUENCE, next_number
from archive.timeline.models import Change
from archive.timeline.services import append, hold
from archive.validation.metadata import default_dandiset_metadata, strip_version_metadata

MAX_NAME = 300


def create_dataset(*, actor: Actor, name: str, metadata: dict[str, Any]) -> Dataset:
    """Make an open dataset with its draft; the actor becomes its owner.

    An administrator may choose its number by an `identifier` in the metadata.
    """
    require(actor, Action.CREATE_DATASET)
    _check_name(name)
    with transaction.atomic():
        number = _choose_number(actor, metadata.get("identifier"))
        dataset = Dataset.objects.create(number=number)
        change = append(number, Change.Kind.CREATE_DATASET, actor, {"embargoed": False})
        if actor.user:
            Grant.objects.create(dataset=dataset, user=actor.user, role=Grant.Role.OWNER)
        draft = Version(dataset=dataset, version=Version.DRAFT, name=name, created=change.recorded)
        draft.metadata = computed_metadata(draft, {**_defaults(actor), **strip_version_metadata(metadata)})
        draft.save()
    return dataset


def _check_name(name: str) -> None:
    if not name.strip() or len(name) > MAX_NAME:
        raise InvalidError(f"The name must have 1 to {MAX_NAME} characters.", field="name")


def _choose_number(actor: Actor, identifier: object) -> int:
    if not identifier:
        return next_number(DATASET_SEQUENCE, is_taken=lambda number: Dataset.objects.filter(pk=number).exists())
    require(
        actor,
        Action.CHOOSE_IDENTIFIER,
        message="Creating a dandiset for a given identifier is an admin only operation.",
    )
    try:
        number = parse_dandiset_number(identifier)
    except InvalidError as error:
        raise InvalidError(f"Invalid Identifier {identifier}") from error
    if Dataset.objects.filter(pk=number).exists():
        raise InvalidError(f"Dandiset {number:06} already exists")
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
    if dataset.access == Dataset.Access.RELEASING:
        raise InvalidError("Dandiset modification not allowed during unembargo")
    _check_name(name)
    if not isinstance(metadata.get("schemaVersion"), str):
        raise InvalidError("The metadata must name its schemaVersion.", field="metadata")
    submitted = strip_version_metadata(metadata)
    with transaction.atomic():
        hold(dataset.number)
        draft = Version.objects.select_related("dataset").get(dataset=dataset, version=Version.DRAFT)
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
    return draft


def set_owners(*, actor: Actor, dataset: Dataset, usernames: Sequence[str]) -> list[User]:
    """Make exactly these people the owners of the dataset; returns them."""
    require(actor, Action.CHANGE_OWNERS, dataset, message="Action not allowed")
    if dataset.access == Dataset.Access.RELEASING:
        raise InvalidError("Dandiset modification not allowed during unembargo")
    if not usernames:
        raise InvalidError("Cannot remove all draft owners")
    users = find_users(usernames)
    if missing := set(usernames) - {user.username for user in users}:
        raise InvalidError(f"User {min(missing)} not found")
    with transaction.atomic():
        hold(dataset.number)
        before = list(owners_of(dataset.number))
        added = [user for user in users if user not in before]
        removed = [user for user in before if user not in users]
        if added or removed:
            details = {"added_owners": [*map(_copied, added)], "removed_owners": [*map(_copied, removed)]}
            append(dataset.number, Change.Kind.CHANGE_OWNERS, actor, details)
            dataset.grants.filter(user__in=removed).delete()
            Grant.objects.bulk_create([Grant(dataset=dataset, user=user) for user in added])
    return list(owners_of(dataset.number))


def _copied(user: User) -> dict[str, str]:
    return {"username": user.username, "email": user.email, "name": user.display_name}


def delete_dataset(*, actor: Actor, dataset: Dataset) -> None:
    """Delete a dataset that was never published. Its history stays; its blobs stay until they are swept."""
    require(actor, Action.DELETE_DATASET, dataset, message="Cannot delete dandisets which you do not own.")
    if dataset.access == Dataset.Access.RELEASING:
        raise InvalidError("Dandiset modification not allowed during unembargo")
    with transaction.atomic():
        hold(dataset.number)
        versions = dataset.versions.all()
        if versions.filter(at__isnull=False).exclude(status=Version.Status.PUBLISHING).exists():
            raise ForbiddenError("Cannot delete dandisets with published versions.")
        if versions.filter(status=Version.Status.PUBLISHING).exists():
            raise ForbiddenError("Cannot delete dandisets that are currently being published.")
        append(dataset.number, Change.Kind.DELETE_DATASET, actor, {})
        dataset.delete()


def delete_version(*, actor: Actor, version: Version) -> None:
    """Withdraw a published version."""
    if version.is_draft:
        raise ForbiddenError("Cannot delete draft versions")
    require(actor, Action.DELETE_VERSION, version.dataset, message="Cannot delete published versions")
    with transaction.atomic():
        append(version.dataset_id, Change.Kind.DELETE_VERSION, actor, {"version": version.version})
        version.delete()


def require_draft(version: Version, *, message: str = "Only draft versions can be modified.") -> None:
    """Raise ImmutableError unless the version is a draft."""
    if not version.is_draft:
        raise ImmutableError(message)


def set_star(*, actor: Actor, dataset: Dataset, starred: bool) -> int:
    """Give or take back the actor's star; returns how many stars the dataset has now."""
    require(actor, Action.STAR)
    with transaction.atomic():
        if starred:
            _, changed = Star.objects.get_or_create(dataset=dataset, user=actor.user)
        else:
            changed = bool(Star.objects.filter(dataset=dataset, user=actor.user).delete()[0])
        if changed:
            Dataset.objects.filter(pk=dataset.pk).update(star_count=F("star_count") + (1 if starred else -1))
    dataset.refresh_from_db(fields=["star_count"])
    return dataset.star_count
