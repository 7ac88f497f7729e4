"""Changing datasets: creating and deleting them, the draft's metadata, reviewer links, stars."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from archive.accounts.models import Grant, ReviewerLink
from archive.accounts.policy import Action, Actor, require
from archive.accounts.queries import digest_of
from archive.accounts.services import new_secret
from archive.addresses import own_page
from archive.datasets.models import Dataset, Star, Version
from archive.datasets.queries import edition_of, find_draft, require_not_releasing
from archive.datasets.roles import (
    MAX_PEOPLE,
    accept_invitations,
    give_role,
    remove_person,
    set_editors,
    set_owners,
    set_viewers,
    take_role,
)
from archive.datasets.work import computed_metadata, hold_draft, request_doi, run_draft_hooks, withdraw_doi
from archive.errors import ForbiddenError, ImmutableError, InvalidError, NotFoundError, Reason, StaleError
from archive.identifiers.names import check_project_name, parse_dandiset_number, registers_dois
from archive.identifiers.services import DATASET_SEQUENCE, next_number
from archive.metadata.documents import (
    default_dandiset_metadata,
    funder,
    migrated_metadata,
    strip_version_metadata,
    with_schema_version,
)
from archive.metadata.queries import schema_info
from archive.timeline.models import Change
from archive.timeline.services import append

# What is passed on of other modules of this room, beside what is below.
__all__ = [
    "MAX_PEOPLE",
    "accept_invitations",
    "give_role",
    "remove_person",
    "set_editors",
    "set_owners",
    "set_viewers",
    "take_role",
]

MAX_NAME = 300
MAX_EMBARGO = timedelta(days=730)
MAX_FUNDED_EMBARGO = timedelta(days=1825)
LINK_PREFIX = "rev_"
MAX_REASON = 1000
SUCCESSOR = r"/datasets[\w/.:-]{0,200}"
LINK_LIFETIME = timedelta(days=90)
MAX_LINK_LIFETIME = timedelta(days=366)
MAX_LINKS = 100


@dataclass(frozen=True, kw_only=True)
class Embargo:
    """The terms of an embargo: its last day, by default the longest allowed, and who funds the dataset."""

    end: date | None = None
    funding_source: str = ""
    award_number: str = ""

    @property
    def last_day(self) -> date:
        return self.end or _today() + MAX_EMBARGO


def create_dataset(
    *,
    actor: Actor,
    name: str,
    metadata: dict[str, Any],
    embargo: Embargo | None = None,
    is_private: bool = False,
    project_name: str | None = None,
) -> Dataset:
    """Make a dataset with its draft; the actor becomes its owner.

    It is open, unless it is to be under an embargo, or private: closed until its owners release it. An administrator
    may choose its number by an `identifier` in the metadata. InvalidError for a project name that cannot be, or is
    taken.
    """
    require(actor, Action.CREATE_DATASET)
    _check_creator(actor)
    _check_name(name)
    if embargo:
        check_embargo(embargo)
    if project_name is not None:
        check_project_name(project_name)
    access = Dataset.Access.PRIVATE if is_private else Dataset.Access.OPEN
    with transaction.atomic():
        number = _choose_number(actor, metadata.get("identifier"))
        _require_free_name(project_name)
        dataset = Dataset.objects.create(
            number=number,
            project_name=project_name,
            access=Dataset.Access.EMBARGOED if embargo else access,
            embargo_end=embargo.last_day if embargo else None,
        )
        details = {"embargoed": embargo is not None, **({"private": True} if is_private else {})}
        change = append(number, Change.Kind.CREATE_DATASET, actor, details)
        if actor.user:
            Grant.objects.create(dataset=dataset, user=actor.user, role=Grant.Role.OWNER)
        draft = Version(dataset=dataset, version=Version.DRAFT, name=name, created=change.recorded)
        submitted = {**_defaults(actor), **strip_version_metadata(metadata)}
        draft.metadata = computed_metadata(draft, _with_funder(submitted, embargo))
        draft.save()
        run_draft_hooks(draft)
    return dataset


def _require_free_name(project_name: str | None) -> None:
    """Raise InvalidError if a dataset has the name. Whoever takes a number, as the caller has, does so alone."""
    if project_name is not None and Dataset.objects.filter(project_name=project_name).exists():
        raise InvalidError(f"There is a dataset of the name {project_name!r} already.", field="project_name")


def _check_creator(actor: Actor) -> None:
    """Raise InvalidError if the actor is a person without a name: no metadata that name them so would ever be valid."""
    if actor.user and not actor.user.has_full_name:
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
    require_not_releasing(dataset)
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
    """Migrate the draft's metadata to the current schema; return False if they conform to it already.

    Raises InvalidError, and changes nothing, if no program can migrate them. With `dry_run` nothing is changed either.
    """
    draft = find_draft(dataset.number)
    if draft is None or draft.metadata["schemaVersion"] == schema_info().current:
        return False
    metadata = migrated_metadata(strip_version_metadata(draft.metadata))
    if not dry_run:
        editions = {edition_of(draft)}
        update_draft(actor=actor, dataset=dataset, name=draft.name, metadata=metadata, editions=editions)
    return True


def create_reviewer_link(
    *, actor: Actor, dataset: Dataset, label: str, expires: datetime | None = None, secret: str = ""
) -> tuple[ReviewerLink, str]:
    """Make a secret by which anybody reads the dataset, blinded, until it expires, in LINK_LIFETIME unless said.

    Returns the link and its secret, which cannot be had again: a new one, unless it is given.
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
    secret = secret or new_secret(LINK_PREFIX)
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


def delete_dataset(*, actor: Actor, dataset: Dataset, reason: str = "", successor: str = "") -> None:
    """Delete a dataset of which no version is for everybody. Its history stays; its blobs stay until they are swept.

    If everybody could read it, `find_tombstone` tells them why it is gone, and of a `successor`: the address of another
    dataset's page.
    """
    require(actor, Action.DELETE_DATASET, dataset)
    if successor and not re.fullmatch(SUCCESSOR, successor):
        raise InvalidError("It must be the address of a dataset's page: /datasets/…", field="redirect")
    with transaction.atomic():
        # As it is now: it may have been released meanwhile.
        dataset = hold_draft(dataset).dataset
        require_not_releasing(dataset)
        _withdraw_private_versions(dataset)
        told = {"reason": reason[:MAX_REASON], "successor": successor, "was_open": dataset.is_released}
        append(dataset.number, Change.Kind.DELETE_DATASET, actor, told)
        dataset.delete()


def _withdraw_private_versions(dataset: Dataset) -> None:
    """Withdraw what the versions of a dataset have registered; ForbiddenError if they stay, or one is being made."""
    made = dataset.versions.filter(at__isnull=False)
    if made.filter(status=Version.Status.PUBLISHING).exists():
        raise ForbiddenError(
            "The dataset cannot be deleted while it is being published.", reason=Reason.NOT_DELETED_NOW
        )
    if dataset.is_released and made.exists():
        raise ForbiddenError("A dataset that has published versions cannot be deleted.", reason=Reason.HAS_VERSIONS)
    for version in made:
        withdraw_doi(version)


def delete_version(*, actor: Actor, version: Version) -> None:
    """Withdraw a published version. No other version of the dataset gets any of its names."""
    _withdraw(actor, version, Action.DELETE_VERSION)


def delete_private_version(*, actor: Actor, version: Version) -> None:
    """Withdraw a published version as `delete_version` does; as an owner, one that never was for everybody."""
    with transaction.atomic():
        is_public = hold_draft(version.dataset).dataset.is_released
        _withdraw(actor, version, Action.DELETE_VERSION if is_public else Action.DELETE_PRIVATE_VERSION)


def _withdraw(actor: Actor, version: Version, action: Action) -> None:
    if version.is_draft:
        raise ForbiddenError("A draft cannot be deleted; delete its dataset instead.", reason=Reason.DRAFT_STAYS)
    require(actor, action, version.dataset)
    with transaction.atomic():
        named = {"version": version.version, "label": version.label, "ordinal": version.ordinal}
        append(version.dataset_id, Change.Kind.DELETE_VERSION, actor, named)
        withdraw_doi(version)
        version.delete()


def queue_doi_registration(*, version: Version) -> bool:
    """Queue a job that registers the DOI of a version, or updates it; return False if it is to have none here."""
    if version.is_draft or not registers_dois():
        return False
    with transaction.atomic():
        request_doi(version)
    return True


def request_doi_registration(*, actor: Actor, version: Version) -> None:
    """Have the DOI of a version registered, or brought up to date; InvalidError if it is to have none."""
    require(actor, Action.PUBLISH, version.dataset)
    if not version.doi:
        raise InvalidError("It has no DOI: versions get one when they are published, and open.")
    queue_doi_registration(version=version)


def require_draft(version: Version, *, message: str = "Only draft versions can be modified.") -> None:
    """Raise ImmutableError unless the version is a draft."""
    if not version.is_draft:
        raise ImmutableError(message)


def require_published_version(version: Version) -> None:
    """Raise InvalidError if the version is a draft."""
    if version.is_draft:
        raise InvalidError("This can be done to a version, and not to the draft.")


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
