"""Editing the documents at the root of a dataset, deleting files, and making snapshots."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any
from uuid import UUID

import orjson
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from archive import paths
from archive.accounts.policy import SYSTEM, Action, Actor, require
from archive.accounts.queries import is_orcid
from archive.assets.queries import live_assets
from archive.assets.services import BatchFile, change_assets, require_changeable, take_batch
from archive.bids import documents
from archive.bids.documents import (
    CHANGES,
    DATACITE,
    DESCRIPTION,
    MAX_CONTRIBUTORS,
    README_NAMES,
    UNNAMED,
    Contributor,
)
from archive.bids.models import MAX_REASON, Deprecation, Statement
from archive.bids.queries import descriptions_of_versions, texts_of_versions
from archive.bids.waiting import wait_for_version
from archive.blobs.services import keep_contents
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import edition_of, find_draft
from archive.datasets.services import MAX_NAME, require_published_version, update_draft
from archive.errors import ConflictError, InvalidError, StaleError
from archive.identifiers.names import check_label, openneuro_doi_name, openneuro_identifier
from archive.publishing.services import publish
from archive.timeline.models import Change
from archive.timeline.services import append, hold

MAX_DELETED = 1000
MAX_CONTRIBUTOR = 300
NAMES_SHOWN = 10
MAX_STATEMENT = 2**16
# The character that stands for bytes that are no UTF-8.
REPLACED = "\ufffd"

Texts = Mapping[str, str]


# --- Statements -------------------------------------------------------------------------------------------------------


def add_statement(*, actor: Actor, dataset: Dataset, values: Mapping[str, Any]) -> None:
    """Add to what the owners state about a dataset; what they stated before under other names stays."""
    require(actor, Action.CHANGE_DRAFT, dataset)
    with transaction.atomic():
        hold(dataset.number)
        statement, _ = Statement.objects.get_or_create(dataset=dataset)
        if {**statement.values, **values} == statement.values:
            return
        append(dataset.number, Change.Kind.STATE, actor, {"values": {**values}})
        statement.values = {**statement.values, **values}
        if len(orjson.dumps(statement.values)) > MAX_STATEMENT:
            raise InvalidError(f"A statement has at most {MAX_STATEMENT} bytes.", field="metadata")
        statement.user = actor.user
        statement.save()


# --- Names ------------------------------------------------------------------------------------------------------------


def name_draft(dataset: Dataset) -> None:
    """Give a draft that nobody has named, as tools make them, the name that its description has."""
    draft = find_draft(dataset.number)
    if draft is None or draft.name != UNNAMED:
        return
    name = descriptions_of_versions([draft])[draft].name[:MAX_NAME]
    if not name.strip() or name == openneuro_identifier(dataset.number):
        return
    # Who edits the metadata just now names it as well.
    with suppress(StaleError):
        update_draft(actor=SYSTEM, dataset=dataset, name=name, metadata=draft.metadata, editions={edition_of(draft)})


# --- Documents --------------------------------------------------------------------------------------------------------


def update_description(*, actor: Actor, dataset: Dataset, field: str, value: str | Sequence[str]) -> None:
    """Set one field of the draft's description."""
    if not field:
        raise InvalidError("It needs the name of a field.", field="field")
    is_text = isinstance(value, str)
    if field in (documents.LISTS if is_text else documents.TEXTS):
        raise InvalidError(f"{field} is {'a list of texts' if is_text else 'one text'}.", field="value")
    changed = {field: value if isinstance(value, str) else [*value]}
    with _rewriting(
        actor,
        dataset,
        [DESCRIPTION],
        lambda texts: {DESCRIPTION: documents.with_fields(texts.get(DESCRIPTION), changed)},
    ):
        pass


def update_readme(*, actor: Actor, dataset: Dataset, text: str) -> None:
    """Set the text of the draft's README; of whichever there is, else of `README.md`."""
    with _rewriting(
        actor, dataset, README_NAMES, lambda texts: {documents.readme_name(texts) or README_NAMES[0]: text}
    ):
        pass


def update_contributors(*, actor: Actor, dataset: Dataset, contributors: Sequence[Contributor]) -> None:
    """Make exactly these people the contributors, and the creators, that the draft's `datacite.yml` names."""
    if not len(contributors) <= MAX_CONTRIBUTORS:
        raise InvalidError(f"A dataset has at most {MAX_CONTRIBUTORS} contributors.", field="contributors")
    for each in contributors:
        _check_contributor(each)
    with _rewriting(
        actor,
        dataset,
        [DATACITE],
        lambda texts: {DATACITE: documents.with_contributors(texts.get(DATACITE), contributors)},
    ):
        pass


def _check_contributor(each: Contributor) -> None:
    texts = (each.name, each.contributor_type, each.given_name or "", each.family_name or "")
    is_plain = all(text.isprintable() and len(text) <= MAX_CONTRIBUTOR for text in texts)
    if not each.name.strip() or not is_plain:
        raise InvalidError(
            f"Each needs a name, and texts of one line, of at most {MAX_CONTRIBUTOR} characters.",
            field="contributors",
        )
    if each.orcid and not is_orcid(each.orcid):
        raise InvalidError(f"{each.orcid[:40]!r} is no ORCID iD.", field="contributors")


@contextmanager
def _rewriting(
    actor: Actor, dataset: Dataset, names: Collection[str], rewrite: Callable[[Texts], Texts]
) -> Iterator[None]:
    """Write files of the draft anew: what `rewrite` makes of the texts of those there are, but for what is the same.

    The body runs in the same transaction. Raises ConflictError if somebody else changes one of them meanwhile.
    """
    require_changeable(actor, dataset)
    seen = _blobs_at(dataset, names)
    draft = Version.objects.get(dataset=dataset, version=Version.DRAFT)
    texts = texts_of_versions([draft], names)[draft]
    # What is not UTF-8 was replaced when it was read, and would be lost when it is written.
    broken = {name for name, text in texts.items() if REPLACED in text}
    if unread := sorted((seen.keys() - texts.keys()) | broken):
        raise InvalidError(f"Not a file of UTF-8 text that can be edited here: {', '.join(unread)}")
    written = {name: text for name, text in rewrite(texts).items() if text != texts.get(name)}
    contents = [_encoded(text) for text in written.values()]
    blobs = keep_contents(actor=actor, dataset=dataset, contents=contents) if contents else []
    put = [BatchFile(name, blob_id=blob.pk) for name, blob in zip(written, blobs, strict=True)]
    with transaction.atomic():
        hold(dataset.number)
        if _blobs_at(dataset, names) != seen:
            raise ConflictError("Somebody else has changed the same file meanwhile; please look at it and try again.")
        if put:
            take_batch(actor=actor, dataset=dataset, put=put)
        yield


def _blobs_at(dataset: Dataset, names: Collection[str]) -> dict[str, UUID | None]:
    return dict(live_assets(dataset).filter(path__in=names).values_list("path", "blob_id"))


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise InvalidError("The text has characters that are none.", field="value") from None


# --- Files ------------------------------------------------------------------------------------------------------------


def delete_files(*, actor: Actor, dataset: Dataset, names: Collection[str]) -> None:
    """Remove files of the draft, and all files of folders, as one change. `:` in a name stands for `/`.

    Raises InvalidError, naming them, if there is nothing at some of the names.
    """
    require_changeable(actor, dataset)
    wanted = {name.replace(":", "/").strip("/") for name in names}
    if not 0 < len(wanted) <= MAX_DELETED or "" in wanted:
        raise InvalidError(f"It takes the names of 1 to {MAX_DELETED} files or folders.", field="files")
    with transaction.atomic():
        hold(dataset.number)
        within = Q(path__in=wanted)
        for name in wanted:
            within |= Q(path__startswith=f"{name}/")
        found = set(live_assets(dataset).filter(within).values_list("path", flat=True))
        there = found | {folder for path in found for folder in paths.ancestors(path)}
        if missing := sorted(wanted - there):
            raise InvalidError(f"There is no file or folder at: {', '.join(missing[:NAMES_SHOWN])}", field="files")
        change_assets(actor=actor, dataset=dataset, remove=found)


# --- Snapshots --------------------------------------------------------------------------------------------------------


def create_snapshot(*, actor: Actor, dataset: Dataset, tag: str, changes: Sequence[str] = ()) -> Version:
    """Make a version of the draft, whose CHANGES say what changed and whose description has its DOI; returns it.

    When this returns, it can be read, listed and cloned. Refuses as `publish` does, and then has changed nothing;
    fails as `wait_for_version` does.
    """
    require(actor, Action.PUBLISH, dataset)
    check_label(tag)
    names = [CHANGES, DESCRIPTION]
    with _rewriting(actor, dataset, names, lambda texts: _announcing(dataset, tag, changes, texts)):
        job = publish(actor=actor, dataset=dataset, label=tag, rules=Version.Rules.BIDS)
    return wait_for_version(job)


def _announcing(dataset: Dataset, tag: str, changes: Sequence[str], texts: Texts) -> Texts:
    """Return the documents of a dataset as they tell of a version that is to be made."""
    described = documents.with_doi_and_license(texts.get(DESCRIPTION), openneuro_doi_name(dataset.number, tag))
    told = {DESCRIPTION: described} if described else {}
    if changes:
        told[CHANGES] = documents.with_changes(texts.get(CHANGES, ""), tag, timezone.now().date(), changes)
    return told


def deprecate_version(*, actor: Actor, version: Version, reason: str) -> None:
    """Say of a version that it is not to be used any more, and why."""
    require(actor, Action.PUBLISH, version.dataset)
    require_published_version(version)
    if not 0 < len(reason.strip()) <= MAX_REASON:
        raise InvalidError(f"It has 1 to {MAX_REASON} characters.", field="reason")
    with transaction.atomic():
        hold(version.dataset_id)
        Deprecation.objects.update_or_create(version=version, defaults={"reason": reason, "user": actor.user})
        details = {"version": version.version, "reason": reason}
        append(version.dataset_id, Change.Kind.DEPRECATE_VERSION, actor, details)


def undo_deprecation(*, actor: Actor, version: Version) -> None:
    """Take back that a version is not to be used any more."""
    require(actor, Action.PUBLISH, version.dataset)
    with transaction.atomic():
        hold(version.dataset_id)
        if Deprecation.objects.filter(version=version).delete()[0]:
            append(version.dataset_id, Change.Kind.UNDO_DEPRECATION, actor, {"version": version.version})
