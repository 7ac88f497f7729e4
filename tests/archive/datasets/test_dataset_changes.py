"""Making, changing and ending datasets."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from archive.accounts.models import Grant
from archive.accounts.policy import Actor
from archive.accounts.queries import owners_of
from archive.assets.models import Asset
from archive.assets.services import add_asset
from archive.blobs.models import Blob
from archive.datasets.models import Dataset, Version
from archive.datasets.services import (
    create_dataset,
    delete_dataset,
    delete_version,
    require_draft,
    set_owners,
    update_draft,
)
from archive.embargo.services import release
from archive.errors import ArchiveError, ForbiddenError, ImmutableError, InvalidError, NotFoundError
from archive.metadata.documents import strip_version_metadata
from archive.publishing.services import publish
from archive.timeline.models import Change
from archive.timeline.queries import changes, position
from tests.factories import (
    acting,
    make_admin,
    make_asset,
    make_blob_row,
    make_dataset,
    make_embargoed_dataset,
    make_nameless_user,
    make_published_version,
    make_releasing_dataset,
    make_unapproved_user,
    make_user,
    make_valid_dataset,
    owner_of,
    valid_asset_metadata,
    valid_dandiset_metadata,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def _draft(dataset: Dataset) -> Version:
    return dataset.versions.get(version="draft")


def _create(actor: Actor | None = None, name: str = "Mouse vision", **metadata: Any) -> Dataset:
    return create_dataset(actor=actor or acting(make_user()), name=name, metadata=metadata)


def _update(dataset: Dataset, name: str = "Mouse hearing", **metadata: Any) -> Version:
    metadata = {**valid_dandiset_metadata(), **metadata}
    return update_draft(actor=owner_of(dataset), dataset=dataset, name=name, metadata=metadata)


# --- Creating ---------------------------------------------------------------------------------------------------------


def test_create_numbers_datasets_one_after_the_other() -> None:
    first, second = _create(), _create()
    assert second.number == first.number + 1
    assert first.identifier == f"{first.number:06}"


def test_create_makes_an_open_dataset_of_its_creators() -> None:
    user = make_user()
    dataset = _create(acting(user))
    assert dataset.access == Dataset.Access.OPEN
    assert list(owners_of(dataset.number)) == [user]
    assert [(change.kind, change.details) for change in changes(dataset.number)] == [
        (Change.Kind.CREATE_DATASET, {"embargoed": False})
    ]


def test_create_makes_an_empty_draft_that_is_not_validated_yet() -> None:
    draft = _draft(_create(name="Mouse vision"))
    assert (draft.name, draft.status, draft.at) == ("Mouse vision", Version.Status.PENDING, None)
    assert (draft.file_count, draft.size, draft.doi) == (0, 0, None)


def test_create_makes_the_creator_the_contact_unless_told_otherwise() -> None:
    user = make_user(first_name="Jane", last_name="Doe")
    draft = _draft(_create(acting(user), description="What a mouse saw."))
    assert draft.contact_person == "Doe, Jane"
    assert draft.metadata["description"] == "What a mouse saw."
    other = _draft(_create(acting(user), contributor=[{"name": "Power, Max", "roleName": ["dcite:ContactPerson"]}]))
    assert other.contact_person == "Power, Max"


def test_create_lets_nobody_say_what_the_archive_knows_better() -> None:
    dataset = _create(version="1.0", dateCreated="1900-01-01", doi="10.1/x", assetsSummary={"numberOfFiles": 9})
    metadata = _draft(dataset).metadata
    assert metadata["version"] == "draft"
    assert metadata["identifier"] == f"DANDI:{dataset.identifier}"
    assert metadata["dateCreated"][:4] == str(datetime.now(UTC).year)
    assert metadata["assetsSummary"]["numberOfFiles"] == 0
    assert "doi" not in metadata


@pytest.mark.parametrize(("first", "last"), [("", ""), ("Jane", " "), ("", "Doe"), ("Jane", "Doe, PhD")])
def test_create_refuses_a_creator_without_a_name_and_says_where_to_give_it(first: str, last: str) -> None:
    nameless = make_nameless_user(first_name=first, last_name=last)
    with pytest.raises(InvalidError, match="give your first and last name first, at http.*/account/about-you/"):
        _create(acting(nameless))


@pytest.mark.parametrize("name", ["", "  ", "a" * 301])
def test_create_refuses_a_name_that_is_none(name: str) -> None:
    with pytest.raises(InvalidError) as caught:
        _create(name=name)
    assert caught.value.field == "name"
    assert not Dataset.objects.exists()


def test_create_refuses_who_is_not_approved() -> None:
    with pytest.raises(ForbiddenError):
        _create(acting(make_unapproved_user()))


def test_create_takes_the_number_that_an_administrator_chose_and_then_goes_round_it() -> None:
    first = _create()
    chosen = _create(acting(make_admin()), identifier=f"DANDI:{first.number + 1:06}")
    assert chosen.number == first.number + 1
    assert _create().number == first.number + 2


def test_create_lets_only_administrators_choose_a_number() -> None:
    with pytest.raises(ForbiddenError, match="Only administrators"):
        _create(identifier="000777")


@pytest.mark.parametrize("identifier", ["777", "OTHER:000777", 1_000_000, ["000777"]])
def test_create_refuses_a_number_that_is_none(identifier: object) -> None:
    with pytest.raises(InvalidError, match="Invalid Identifier"):
        _create(acting(make_admin()), identifier=identifier)


def test_create_refuses_a_number_that_is_taken() -> None:
    taken = _create()
    with pytest.raises(InvalidError, match="There is a dataset"):
        _create(acting(make_admin()), identifier=taken.identifier)


# --- The draft's metadata ---------------------------------------------------------------------------------------------


def test_update_keeps_name_and_metadata_and_asks_for_validation(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    draft = _update(dataset, "Mouse hearing", description="What a mouse heard.")
    draft.refresh_from_db()
    assert (draft.name, draft.metadata["name"]) == ("Mouse hearing", "Mouse hearing")
    assert draft.metadata["description"] == "What a mouse heard."
    assert draft.status == Version.Status.PENDING
    last = changes(dataset.number).last()
    assert last
    assert (last.kind, last.details["name"]) == (Change.Kind.UPDATE_METADATA, "Mouse hearing")
    assert last.details["metadata"] == strip_version_metadata(draft.metadata)


def test_update_with_what_was_read_changes_nothing(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    before, draft = position(dataset.number), _draft(dataset)
    after = update_draft(actor=owner_of(dataset), dataset=dataset, name=draft.name, metadata=draft.metadata)
    assert position(dataset.number) == before
    assert (after.status, after.modified) == (Version.Status.VALID, draft.modified)


def test_update_drops_what_is_not_sent() -> None:
    dataset = make_dataset()
    metadata = valid_dandiset_metadata()
    del metadata["description"]
    draft = update_draft(actor=owner_of(dataset), dataset=dataset, name="Mouse vision", metadata=metadata)
    assert "description" not in draft.metadata


def test_update_refuses_a_stranger() -> None:
    dataset = make_dataset()
    with pytest.raises(ForbiddenError):
        update_draft(actor=acting(make_user()), dataset=dataset, name="Mine", metadata=valid_dandiset_metadata())
    assert _draft(dataset).name == "Mouse vision"


@pytest.mark.parametrize("version", [None, 8, ["0.8.0"]])
def test_update_keeps_a_schema_version_that_is_none_for_validation_to_judge(version: object) -> None:
    dataset = make_dataset()
    _update(dataset, schemaVersion=version)
    assert _draft(dataset).metadata["schemaVersion"] == version


def _update_draft(dataset: Dataset) -> object:
    return _update(dataset)


def _set_owners(dataset: Dataset) -> object:
    return set_owners(actor=owner_of(dataset), dataset=dataset, usernames=[make_user().username])


def _delete(dataset: Dataset) -> None:
    delete_dataset(actor=owner_of(dataset), dataset=dataset)


@pytest.mark.parametrize("change", [_update_draft, _set_owners, _delete, make_asset])
def test_changes_are_refused_while_a_dataset_is_being_released(change: Any) -> None:
    dataset = make_releasing_dataset()
    with pytest.raises(InvalidError, match="Nothing of the dataset can be changed"):
        change(dataset)


# --- Owners -----------------------------------------------------------------------------------------------------------


def test_set_owners_makes_exactly_these_the_owners() -> None:
    jane, joan, max_ = make_user(), make_user(), make_user(first_name="Max", last_name="Power")
    dataset = make_dataset(jane)
    set_owners(actor=acting(jane), dataset=dataset, usernames=[jane.username, joan.username])
    owners = set_owners(actor=acting(jane), dataset=dataset, usernames=[max_.username, joan.username])
    assert owners == [joan, max_]
    last = changes(dataset.number).last()
    assert last
    assert [owner["username"] for owner in last.details["removed_owners"]] == [jane.username]
    assert last.details["added_owners"] == [{"username": max_.username, "email": max_.email, "name": "Max Power"}]


def test_set_owners_to_who_they_are_changes_nothing() -> None:
    user = make_user()
    dataset = make_dataset(user)
    set_owners(actor=acting(user), dataset=dataset, usernames=[user.username])
    assert position(dataset.number) == 1


@pytest.mark.parametrize(
    ("usernames", "message"),
    [([], "Cannot remove all draft owners"), (["nobody@example.org"], "User nobody@example.org not found")],
)
def test_set_owners_refuses_to_leave_a_dataset_to_nobody(usernames: list[str], message: str) -> None:
    user = make_user()
    dataset = make_dataset(user)
    with pytest.raises(InvalidError, match=message):
        set_owners(actor=acting(user), dataset=dataset, usernames=usernames)
    assert list(owners_of(dataset.number)) == [user]


def test_set_owners_refuses_a_stranger() -> None:
    stranger = make_user()
    with pytest.raises(ForbiddenError, match="Only the owners"):
        set_owners(actor=acting(stranger), dataset=make_dataset(), usernames=[stranger.username])


def test_rows_refuse_to_grant_the_same_twice() -> None:
    dataset = make_dataset()
    with pytest.raises(IntegrityError), transaction.atomic():
        Grant.objects.create(dataset=dataset, user=dataset.grants.get().user)


# --- Ending -----------------------------------------------------------------------------------------------------------


def test_delete_leaves_the_history_and_the_bytes() -> None:
    dataset = make_dataset()
    make_asset(dataset)
    delete_dataset(actor=owner_of(dataset), dataset=dataset)
    assert not Dataset.objects.exists()
    assert not Asset.objects.exists()
    assert Blob.objects.count() == 1
    assert [change.kind for change in Change.objects.order_by("number")] == [
        Change.Kind.CREATE_DATASET,
        Change.Kind.ADD_ASSET,
        Change.Kind.DELETE_DATASET,
    ]


def test_delete_never_gives_the_number_to_another() -> None:
    dataset = make_dataset()
    number = dataset.number
    delete_dataset(actor=owner_of(dataset), dataset=dataset)
    assert make_dataset().number == number + 1


def test_delete_is_refused_of_what_has_been_published(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    make_published_version(worker, dataset)
    with pytest.raises(ForbiddenError, match="has published versions"):
        delete_dataset(actor=owner_of(dataset), dataset=dataset)


def test_private_versions_go_with_their_dataset_unless_it_was_released_meanwhile(worker: Worker) -> None:
    one, other = make_embargoed_dataset(), make_embargoed_dataset()
    for dataset in (one, other):
        publish(actor=owner_of(dataset), dataset=dataset, label="1.0.0", rules=Version.Rules.BIDS)
    worker.run()
    as_it_was = Dataset.objects.get(pk=other.pk)
    release(actor=owner_of(other), dataset=other)
    worker.run()
    with pytest.raises(ForbiddenError):
        delete_dataset(actor=owner_of(other), dataset=as_it_was)
    delete_dataset(actor=owner_of(one), dataset=one)
    assert [*Dataset.objects.all()] == [other]


def test_delete_is_refused_to_a_stranger() -> None:
    with pytest.raises(ForbiddenError, match="Only the owners"):
        delete_dataset(actor=acting(make_user()), dataset=make_dataset())


def _administrators_add(actor: Actor, dataset: Dataset) -> object:
    blob = make_blob_row(make_user())
    return add_asset(actor=actor, dataset=dataset, blob_id=blob.pk, metadata=valid_asset_metadata("a.nwb"))


@pytest.mark.parametrize(
    "change",
    [
        lambda actor, dataset: update_draft(
            actor=actor, dataset=dataset, name="Late", metadata=valid_dandiset_metadata()
        ),
        lambda actor, dataset: set_owners(actor=actor, dataset=dataset, usernames=[make_user().username]),
        lambda actor, dataset: delete_dataset(actor=actor, dataset=dataset),
        lambda actor, dataset: publish(actor=actor, dataset=dataset),
        _administrators_add,
    ],
    ids=["update", "owners", "delete", "publish", "add"],
)
def test_change_that_waited_while_the_dataset_was_deleted_finds_nothing(change: Any) -> None:
    dataset, actor = make_dataset(), acting(make_admin())
    waiting = Dataset.objects.get()
    delete_dataset(actor=actor, dataset=dataset)
    with pytest.raises(NotFoundError):
        change(actor, waiting)
    assert position(waiting.number) == 2


def test_version_is_withdrawn_by_an_administrator_only(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    version = make_published_version(worker, dataset)
    with pytest.raises(ForbiddenError, match="Only administrators"):
        delete_version(actor=owner_of(dataset), version=version)
    delete_version(actor=acting(make_admin()), version=version)
    assert [each.version for each in dataset.versions.all()] == ["draft"]
    last = changes(dataset.number).last()
    assert last
    named = {"version": version.version, "label": None, "ordinal": 1}
    assert (last.kind, last.details) == (Change.Kind.DELETE_VERSION, named)


def test_draft_is_never_withdrawn() -> None:
    with pytest.raises(ForbiddenError, match="A draft cannot be deleted"):
        delete_version(actor=acting(make_admin()), version=_draft(make_dataset()))


def test_require_draft_refuses_a_published_version(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    version = make_published_version(worker, dataset)
    require_draft(_draft(dataset))
    with pytest.raises(ImmutableError) as caught:
        require_draft(version)
    assert isinstance(caught.value, ArchiveError)
