"""Datasets in OpenNeuro's dialect: what is told of them, who makes, opens, shares and deletes them."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from archive.accounts.models import User
from archive.accounts.services import create_token
from archive.datasets.models import Dataset, Version
from tests.dandiapi.graphql.asking import Asker
from tests.factories import make_admin, make_dataset, make_embargoed_dataset, make_unapproved_user, make_user, owner_of

pytestmark = pytest.mark.django_db

CREATE = """mutation { createDataset(affirmedDefaced: true) {
  id public uploader { id } permissions { userPermissions { level } } } }"""
NO_READ = "You do not have access to read this dataset."
NO_ADMIN = "You do not have admin access to this dataset."
NOT_SIGNED_IN = "You must be logged in to do this."


def id_of(dataset: Dataset) -> str:
    return f"ds{dataset.number:06}"


def person(dataset: Dataset) -> User:
    user = owner_of(dataset).user
    assert user
    return user


def levels(dataset: Dataset) -> dict[str, str]:
    return {grant.user.username: grant.role for grant in dataset.grants.select_related("user")}


# --- Reading ----------------------------------------------------------------------------------------------------------

WHOLE = """query($id: ID!) { dataset(id: $id) {
  id created name public publishDate worker starred onBrainlife uploader { id name orcid }
  permissions { id userPermissions { datasetId userId level user { id name email } } }
  draft { id head modified dataset { id } }
  snapshots { id tag created hexsha }
  latestSnapshot { id tag hexsha dataset { id } }
  analytics { views downloads } stars { datasetId } followers { userId } comments { id } events { id }
  derivatives { name }
} }"""


def test_dataset_is_told_in_the_words_of_the_dialect() -> None:
    dataset = make_dataset(make_user(first_name="Jane", last_name="Doe"))
    told = Asker().ask(WHOLE, id=id_of(dataset))["dataset"]
    owner = person(dataset)
    assert (told["id"], told["public"], told["worker"]) == (id_of(dataset), True, "archive-0")
    assert told["uploader"] == {"id": str(owner.uuid), "name": "Jane Doe", "orcid": None}
    [permission] = told["permissions"]["userPermissions"]
    assert (permission["level"], permission["userId"]) == ("admin", str(owner.uuid))
    assert permission["user"]["email"] is None
    assert told["created"].endswith("Z")


def test_dataset_without_versions_has_a_latest_snapshot_that_is_the_commit_of_the_draft() -> None:
    told = Asker().ask(WHOLE, id=id_of(make_dataset()))["dataset"]
    assert told["snapshots"] == []
    assert len(told["latestSnapshot"]["tag"]) == 40
    assert told["latestSnapshot"]["hexsha"] == told["draft"]["head"]


@pytest.mark.parametrize("name", ["ds999999", "000000", "nothing", "", "ds1"])
def test_dataset_that_is_not_there_is_answered_like_one_that_is_hidden(name: str) -> None:
    assert Asker().refusal(WHOLE, id=name) == NO_READ
    assert Asker().refusal(WHOLE, id=id_of(make_embargoed_dataset())) == NO_READ


def test_administrator_is_told_what_there_is_not() -> None:
    assert Asker.of(make_admin()).refusal(WHOLE, id="ds999999") == "Dataset ds999999 does not exist."


PAGE = """query($n: Int, $after: String) { datasets(first: $n, after: $after, orderBy: {created: descending}) {
  edges { id cursor node { id name public created uploader { id name }
    permissions { userPermissions { level user { id } } }
    draft { id head modified } snapshots { id tag hexsha created } latestSnapshot { id tag hexsha } analytics { views }
    stars { userId } starred publishDate metadata { datasetId } } }
  pageInfo { count hasNextPage hasPreviousPage startCursor endCursor } } }"""


def test_list_is_read_page_by_page() -> None:
    made = [id_of(make_dataset()) for _ in range(3)]
    first = Asker().ask(PAGE, n=2)["datasets"]
    second = Asker().ask(PAGE, n=2, after=first["pageInfo"]["endCursor"])["datasets"]
    assert [edge["node"]["id"] for edge in first["edges"] + second["edges"]] == made[::-1]
    assert (first["pageInfo"]["count"], first["pageInfo"]["hasNextPage"]) == (3, True)
    assert (second["pageInfo"]["hasNextPage"], second["pageInfo"]["hasPreviousPage"]) == (False, True)


def test_list_of_nothing_is_an_empty_list_and_odd_cursors_begin_it() -> None:
    for after in ("", "nothing", "eyJvZmZzZXQiOiAtMX0=", "bnVsbA=="):
        asked = Asker().ask(PAGE, n=0, after=after)["datasets"]
        assert (asked["edges"], asked["pageInfo"]["count"]) == ([], 0)


@pytest.mark.parametrize("is_owner", [False, True])
def test_page_of_25_costs_as_many_queries_as_one_of_1(is_owner: bool) -> None:
    user = make_user()
    for _ in range(25):
        make_dataset(user)
    asker = Asker.of(user) if is_owner else Asker()

    def cost(size: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(asker.ask(PAGE, n=size)["datasets"]["edges"]) == size
        return len(captured)

    cost(1)
    assert cost(25) == cost(1)
    assert cost(25) <= 15


def test_person_is_found_by_uuid_and_orcid_and_their_address_is_their_own() -> None:
    jane = make_user(first_name="Jane")
    jane.orcid = "0000-0002-1825-0097"
    jane.save()
    asked = "query($id: ID!) { user(id: $id) { id name email provider } }"
    for name in (str(jane.uuid), jane.orcid):
        assert Asker.of(make_user()).ask(asked, id=name)["user"]["email"] is None
        told = Asker.of(jane).ask(asked, id=name)["user"]
        assert (told["id"], told["email"], told["provider"]) == (str(jane.uuid), jane.email, "orcid")
    assert Asker.of(jane).ask(asked, id="nobody") == {"user": None}
    assert Asker().refusal(asked, id=jane.orcid) == NOT_SIGNED_IN


def test_people_are_searched_by_those_who_are_signed_in() -> None:
    asked = "query($text: String) { users(search: $text) { totalCount users { id name } } }"
    jane = make_user(first_name="Janet")
    assert Asker.of(make_user()).ask(asked, text="Janet")["users"]["totalCount"] == 1
    assert Asker.of(make_user()).ask(asked, text=jane.email)["users"]["totalCount"] == 0
    assert Asker.of(make_admin()).ask(asked, text=jane.email)["users"]["totalCount"] == 1


def test_history_and_reviewers_are_for_those_who_may_know() -> None:
    dataset = make_dataset()
    asked = (
        "query($id: ID!) { dataset(id: $id) { history { id authorEmail } reviewers { id url expiration datasetId } } }"
    )
    owner = Asker.of(person(dataset))
    owner.ask("mutation($id: ID!) { createReviewer(datasetId: $id) { id } }", id=id_of(dataset))
    [link] = owner.ask(asked, id=id_of(dataset))["dataset"]["reviewers"]
    assert (link["datasetId"], link["url"]) == (id_of(dataset), "")
    assert Asker().ask(asked, id=id_of(dataset))["dataset"] == {"history": [], "reviewers": []}


def test_site_tells_where_it_is_and_which_versions_are_open(client: Client) -> None:
    dataset, closed = make_dataset(), make_embargoed_dataset()
    for each in (dataset, closed):
        draft = each.versions.get()
        Version.objects.create(
            dataset=each, version="0.260101.0001", label="1.0.0", at=1, metadata=draft.metadata, status="Valid"
        )
    assert "window.OpenNeuroConfig = {" in client.get("/crn/config.js").content.decode()
    for address in ("/sitemap.xml", "/crn/sitemap"):
        text = client.get(address).getvalue().decode()  # type: ignore[attr-defined]
        assert f"/datasets/{id_of(dataset)}/versions/1.0.0<" in text
        assert id_of(closed) not in text


# --- Changing ---------------------------------------------------------------------------------------------------------


def test_dataset_is_made_private_and_is_there_in_every_dialect(client: Client) -> None:
    user = make_user()
    made = Asker.of(user).ask(CREATE)["createDataset"]
    assert (made["public"], made["uploader"]["id"]) == (False, str(user.uuid))
    assert made["permissions"]["userPermissions"] == [{"level": "admin"}]
    assert Asker().refusal(WHOLE, id=made["id"]) == NO_READ
    _, secret = create_token(user=user, name="dandi")
    found = client.get(f"/api/dandisets/{made['id'][2:]}/", headers={"Authorization": f"token {secret}"})
    assert found.json()["draft_version"]["name"] == "Unnamed Dataset"


def test_making_a_dataset_needs_a_sign_in_an_approval_and_an_affirmation() -> None:
    assert Asker().refusal(CREATE) == "You must be logged in to create a dataset."
    unaffirmed = "mutation { createDataset { id } }"
    assert Asker.of(make_user()).refusal(unaffirmed) == "New dataset must be defaced or have participant consent."
    assert "not been approved" in Asker.of(make_unapproved_user()).refusal(CREATE)
    assert Dataset.objects.count() == 0


PERMIT = """mutation($id: ID!, $email: String!, $level: String!) {
  updatePermissions(datasetId: $id, userEmail: $email, level: $level) { id userPermissions { level user { id } } } }"""
PERMIT_ORCID = """mutation($id: ID!, $orcid: String!, $level: String!) {
  updateOrcidPermissions(datasetId: $id, userOrcid: $orcid, level: $level) { userPermissions { level } } }"""
REMOVE = "mutation($id: ID!, $user: String!) { removePermissions(datasetId: $id, userId: $user) }"


def test_roles_are_given_changed_and_taken() -> None:
    dataset, jane = make_dataset(), make_user()
    owner = Asker.of(person(dataset))
    for level, role in (("ro", "viewer"), ("rw", "editor"), ("admin", "owner"), ("rw", "editor"), ("ro", "viewer")):
        told = owner.ask(PERMIT, id=id_of(dataset), email=jane.email, level=level)["updatePermissions"]
        assert levels(dataset)[jane.username] == role
        assert {"level": level, "user": {"id": str(jane.uuid)}} in told["userPermissions"]
    assert owner.ask(REMOVE, id=id_of(dataset), user=str(jane.uuid)) == {"removePermissions": True}
    assert levels(dataset) == {person(dataset).username: "owner"}


def test_role_is_given_by_orcid_and_waits_for_who_has_no_account() -> None:
    dataset, jane = make_dataset(), make_user()
    User.objects.filter(pk=jane.pk).update(orcid="0000-0002-1825-0097")
    owner = Asker.of(person(dataset))
    owner.ask(PERMIT_ORCID, id=id_of(dataset), orcid="0000-0002-1825-0097", level="rw")
    assert levels(dataset)[jane.username] == "editor"
    owner.ask(PERMIT, id=id_of(dataset), email="new@example.org", level="admin")
    owner.ask(PERMIT_ORCID, id=id_of(dataset), orcid="0000-0001-5109-3700", level="ro")
    waiting = dict(dataset.invitations.values_list("value", "role"))
    assert waiting == {"new@example.org": "owner", "0000-0001-5109-3700": "viewer"}


def test_last_owner_stays() -> None:
    dataset = make_dataset()
    owner = Asker.of(person(dataset))
    assert "Cannot remove all" in owner.refusal(REMOVE, id=id_of(dataset), user=str(person(dataset).uuid))
    assert "Cannot remove all" in owner.refusal(PERMIT, id=id_of(dataset), email=person(dataset).email, level="ro")
    assert levels(dataset) == {person(dataset).username: "owner"}


def test_role_that_there_is_not_is_refused_with_those_that_there_are() -> None:
    dataset = make_dataset()
    said = Asker.of(person(dataset)).refusal(PERMIT, id=id_of(dataset), email="a@example.org", level="owner")
    assert said == "level: It is one of admin, rw, ro."


@pytest.mark.parametrize(
    "mutation", ["publishDataset(datasetId: $id)", "updatePublic(datasetId: $id, publicFlag: true)"]
)
def test_private_dataset_is_opened_for_good(mutation: str) -> None:
    user = make_user()
    asker = Asker.of(user)
    made = asker.ask(CREATE)["createDataset"]["id"]
    text = f"mutation($id: ID!) {{ {mutation} }}"
    assert set(asker.ask(text, id=made).values()) == {True}
    assert Asker().ask(WHOLE, id=made)["dataset"]["public"] is True
    assert set(asker.ask(text, id=made).values()) == {True}
    back = "mutation($id: ID!) { updatePublic(datasetId: $id, publicFlag: false) }"
    assert "cannot be made private" in asker.refusal(back, id=made)


DELETE = 'mutation($id: ID!, $to: String) { deleteDataset(id: $id, reason: "a test", redirect: $to) }'


def test_deleted_dataset_says_why_it_is_gone_if_it_was_open() -> None:
    dataset, hidden = make_dataset(), make_embargoed_dataset()
    for each in (dataset, hidden):
        Asker.of(person(each)).ask(DELETE, id=id_of(each), to="/datasets/ds000007")
    error = Asker().error(WHOLE, id=id_of(dataset))
    assert error["message"] == f"Dataset {id_of(dataset)} has been deleted. Reason: a test."
    assert error["extensions"] == {"code": "DELETED_DATASET", "redirect": "/datasets/ds000007"}
    assert Asker().refusal(WHOLE, id=id_of(hidden)) == NO_READ


def test_deletion_leads_to_pages_of_this_archive_alone() -> None:
    dataset = make_dataset()
    said = Asker.of(person(dataset)).refusal(DELETE, id=id_of(dataset), to="https://evil.example")
    assert said.startswith("redirect: ")
    assert Dataset.objects.filter(pk=dataset.pk).exists()


def test_star_is_given_and_taken_back() -> None:
    dataset, asker = make_dataset(), Asker.of(make_user())
    star = "mutation($id: ID!) { starDataset(datasetId: $id) { starred newStar { datasetId } } }"
    assert [asker.ask(star, id=id_of(dataset))["starDataset"]["starred"] for _ in range(3)] == [True, False, True]
    assert asker.ask(WHOLE, id=id_of(dataset))["dataset"]["starred"] is True


STATE = """mutation($id: ID!, $said: MetadataInput!) { addMetadata(datasetId: $id, metadata: $said) {
  datasetId species ages modalities trialCount firstSnapshotCreatedAt associatedPaperDOI } }"""
STATED = "query($id: ID!) { dataset(id: $id) { metadata { datasetId species affirmedDefaced affirmedConsent ages } } }"


def test_owners_state_what_no_file_says_and_add_to_it() -> None:
    user = make_user()
    asker = Asker.of(user)
    made = asker.ask(CREATE)["createDataset"]["id"]
    empty = {"species": None, "ages": None}
    affirmed = {"datasetId": made, "affirmedDefaced": True, "affirmedConsent": False}
    assert asker.ask(STATED, id=made)["dataset"]["metadata"] == affirmed | empty
    said = {
        "datasetId": made,
        "species": "Mouse",
        "ages": [1, 2.5],
        "modalities": ["MRI"],
        "trialCount": 3,
        "firstSnapshotCreatedAt": "2026-01-02T03:04:05.000Z",
        "associatedPaperDOI": "10.1/a",
    }
    assert asker.ask(STATE, id=made, said=said)["addMetadata"] == said
    asker.ask(STATE, id=made, said={"datasetId": "ds000099", "species": "Rat"})
    told = asker.ask(STATED, id=made)["dataset"]["metadata"]
    assert told == affirmed | {"species": "Rat", "ages": [1, 2.5]}


@pytest.mark.parametrize(
    ("said", "reason"),
    [({"species": "x" * 70_000}, "metadata: A statement has at most 65536 bytes."), ({"species": "a\0b"}, "NUL")],
)
def test_statement_that_cannot_be_kept_is_refused(said: dict[str, Any], reason: str) -> None:
    dataset = make_dataset()
    asker = Asker.of(person(dataset))
    assert reason in asker.refusal(STATE, id=id_of(dataset), said={"datasetId": "", **said})
    assert asker.ask(STATED, id=id_of(dataset))["dataset"]["metadata"]["species"] is None
