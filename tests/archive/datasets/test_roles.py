"""Editors; and roles that wait for people who have no account yet, under what they will have proven."""

import pytest
from django.db import IntegrityError

from archive.accounts.models import Grant, Invitation
from archive.accounts.policy import ANONYMOUS, Action, may
from archive.accounts.queries import editors_of, editors_seen_by, is_orcid, owners_of, viewers_of
from archive.accounts.services import set_github_login, set_orcid
from archive.assets.services import add_asset, remove_asset
from archive.blobs.queries import attachable_blobs
from archive.datasets.models import Version
from archive.datasets.services import accept_invitations, set_editors, set_owners, set_viewers, update_draft
from archive.errors import ForbiddenError, InvalidError, NotFoundError
from archive.publishing.services import publish
from archive.timeline.models import Change
from tests.factories import (
    acting,
    make_asset,
    make_dataset,
    make_editor,
    make_embargoed_dataset,
    make_user,
    make_viewer,
    owner_of,
    valid_asset_metadata,
    valid_dandiset_metadata,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db

ORCID = "0000-0002-1825-0097"
OTHER_ORCID = "0000-0001-5109-3700"


def test_editor_changes_the_draft_and_makes_versions(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    editor = acting(make_editor(dataset))
    asset = make_asset(dataset)
    remove_asset(actor=editor, dataset=dataset, asset_id=asset.asset_id)
    update_draft(actor=editor, dataset=dataset, name="Renamed", metadata=valid_dandiset_metadata())
    job = publish(actor=editor, dataset=dataset, label="1.0.0", rules=Version.Rules.BIDS)
    worker.run()
    assert dataset.versions.get(pk=job.subject).label == "1.0.0"


def test_editor_uses_bytes_of_a_closed_dataset_in_it_and_nowhere_else() -> None:
    dataset = make_embargoed_dataset()
    editor = make_editor(dataset)
    blob = make_asset(dataset).blob
    assert blob
    again = valid_asset_metadata("sub-2/again.nwb")
    add_asset(actor=acting(editor), dataset=dataset, blob_id=blob.pk, metadata=again)
    assert blob not in attachable_blobs(acting(editor))
    with pytest.raises(NotFoundError):
        add_asset(actor=acting(editor), dataset=make_dataset(editor), blob_id=blob.pk, metadata=again)


def test_editors_are_made_by_owners_alone() -> None:
    dataset = make_dataset()
    somebody = make_user()
    for actor in (acting(make_editor(dataset)), acting(make_viewer(dataset)), acting(make_user())):
        with pytest.raises(ForbiddenError):
            set_editors(actor=actor, dataset=dataset, usernames=[somebody.username])


def test_everybody_has_one_role() -> None:
    dataset = make_dataset()
    person = make_user()
    owner = owner_of(dataset)
    set_viewers(actor=owner, dataset=dataset, usernames=[person.username])
    assert set_editors(actor=owner, dataset=dataset, usernames=[person.username]) == [person]
    assert (list(editors_of(dataset.number)), list(viewers_of(dataset.number))) == ([person], [])
    with pytest.raises(InvalidError, match="is an editor"):
        set_viewers(actor=owner, dataset=dataset, usernames=[person.username])
    set_owners(actor=owner, dataset=dataset, usernames=[owner.user.username, person.username])  # type: ignore[union-attr]
    assert list(editors_of(dataset.number)) == []
    with pytest.raises(InvalidError, match="is an owner"):
        set_editors(actor=owner, dataset=dataset, usernames=[person.username])


def test_history_tells_of_editors() -> None:
    dataset = make_dataset()
    editor = make_editor(dataset)
    set_editors(actor=owner_of(dataset), dataset=dataset, usernames=[])
    changes = Change.objects.filter(dataset_id=dataset.number, kind=Change.Kind.CHANGE_EDITORS).order_by("number")
    added, removed = (change.details for change in changes)
    assert [person["username"] for person in added["added_editors"]] == [editor.username]
    assert [person["username"] for person in removed["removed_editors"]] == [editor.username]


def test_last_owner_cannot_go() -> None:
    dataset = make_dataset()
    owner = owner_of(dataset)
    for names in ([], ["nobody@example.org"], [ORCID]):
        with pytest.raises(InvalidError):
            set_owners(actor=owner, dataset=dataset, usernames=names, may_wait=True)
    assert list(owners_of(dataset.number)) == [owner.user]


# --- Who has no account yet -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("orcid", "is_one"),
    [
        (ORCID, True),
        (OTHER_ORCID, True),
        ("0000-0002-1694-233X", True),
        ("0000-0002-1694-233x", True),
        ("0000-0002-1825-0098", False),
        ("0000000218250097", False),
        ("0000-0002-1825-009", False),
        (f"{ORCID}\n", False),
    ],
)
def test_orcid_is_told_by_its_checksum(orcid: str, is_one: bool) -> None:
    assert is_orcid(orcid) is is_one


def test_role_waits_for_an_orcid_until_somebody_proves_it() -> None:
    dataset = make_embargoed_dataset()
    set_editors(actor=owner_of(dataset), dataset=dataset, usernames=[ORCID])
    assert [(each.kind, each.value) for each in Invitation.objects.all()] == [("orcid", ORCID)]
    (told,) = editors_seen_by(owner_of(dataset), dataset)
    assert (told.username, told.email, told.is_invited) == (ORCID, None, True)
    other, person = make_user(), make_user()
    set_orcid(user=other, orcid=OTHER_ORCID)
    accept_invitations(user=other)
    accept_invitations(user=person)
    assert list(editors_of(dataset.number)) == []
    set_orcid(user=person, orcid=ORCID)
    accept_invitations(user=person)
    assert list(editors_of(dataset.number)) == [person]
    assert not Invitation.objects.exists()
    assert may(acting(person), Action.CHANGE_DRAFT, dataset)


def test_role_waits_for_a_name_only_when_that_is_asked_for() -> None:
    dataset = make_dataset()
    with pytest.raises(InvalidError, match="User jane-doe not found"):
        set_viewers(actor=owner_of(dataset), dataset=dataset, usernames=["jane-doe"])
    set_viewers(actor=owner_of(dataset), dataset=dataset, usernames=["Jane-Doe"], may_wait=True)
    person = make_user()
    set_github_login(user=person, login="Jane-Doe")
    accept_invitations(user=person)
    assert list(viewers_of(dataset.number)) == [person]


def test_person_is_named_by_their_orcid_once_it_is_theirs() -> None:
    dataset = make_dataset()
    person = make_user()
    set_orcid(user=person, orcid=ORCID)
    assert set_editors(actor=owner_of(dataset), dataset=dataset, usernames=[ORCID]) == [person]
    assert not Invitation.objects.exists()


def test_invitation_takes_no_role_away() -> None:
    dataset = make_dataset()
    owner = owner_of(dataset)
    set_viewers(actor=owner, dataset=dataset, usernames=[ORCID])
    person = make_editor(dataset)
    set_orcid(user=person, orcid=ORCID)
    accept_invitations(user=person)
    assert Grant.objects.get(dataset=dataset, user=person).role == Grant.Role.EDITOR


def test_orcid_passes_to_who_proves_it() -> None:
    before, now = make_user(), make_user()
    set_orcid(user=before, orcid=ORCID)
    set_orcid(user=now, orcid=ORCID)
    before.refresh_from_db()
    assert before.orcid is None
    with pytest.raises(IntegrityError):
        set_orcid(user=before, orcid="nonsense")


def test_everybody_has_a_uuid_of_their_own() -> None:
    assert make_user().uuid != make_user().uuid
    assert not may(ANONYMOUS, Action.CHANGE_EDITORS, make_dataset())
