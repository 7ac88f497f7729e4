"""Snapshots, descriptions and READMEs in OpenNeuro's dialect."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.accounts.models import User
from archive.bids import waiting
from archive.blobs.services import keep_contents
from archive.datasets.models import Dataset, Version
from archive.embargo.services import release
from archive.publishing.services import publish
from tests.dandiapi.graphql.asking import Asker
from tests.factories import (
    make_admin,
    make_asset,
    make_dataset,
    make_editor,
    make_embargoed_dataset,
    make_user,
    make_viewer,
    owner_of,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db

NO_READ = "You do not have access to read this dataset."
NO_WRITE = "You do not have access to modify this dataset."
NO_ADMIN = "You do not have admin access to this dataset."
DESCRIPTION = {"Name": "Faces", "BIDSVersion": "1.9.0", "Authors": ["Jane Doe", "Richard Roe"]}

DRAFT = """query($id: ID!) { dataset(id: $id) { name draft { readme
  description { id Name BIDSVersion Authors SeniorAuthor DatasetType License DatasetDOI }
  contributors { name order contributorType } } } }"""
CREATE = """mutation($id: ID!, $tag: String!, $changes: [String!]) {
  createSnapshot(datasetId: $id, tag: $tag, changes: $changes) {
    id tag hexsha readme description { id Name License DatasetDOI } deprecated { reason } } }"""
DELETE = "mutation($id: ID!, $tag: String!) { deleteSnapshot(datasetId: $id, tag: $tag) }"
DEPRECATE = """mutation($id: ID!, $tag: String!) {
  deprecateSnapshot(datasetId: $id, tag: $tag, reason: "Wrong.") { deprecated { id reason user timestamp } } }"""
UNDO = """mutation($id: ID!, $tag: String!) {
  undoDeprecateSnapshot(datasetId: $id, tag: $tag) { deprecated { id } } }"""
DESCRIBE = (
    """mutation($id: ID!) { updateDescription(datasetId: $id, field: "Name", value: "Houses") { id Name Authors } }"""
)
LIST = (
    """mutation($id: ID!) { updateDescriptionList(datasetId: $id, field: "Funding", value: ["A", "B"]) { Funding } }"""
)
README = """mutation($id: ID!) { updateReadme(datasetId: $id, value: "New") }"""
REMOVE = """mutation($id: ID!) { deleteFiles(datasetId: $id, files: [{path: "sub-1:anat"}]) }"""


def id_of(dataset: Dataset) -> str:
    return f"ds{dataset.number:06}"


def person(dataset: Dataset) -> User:
    user = owner_of(dataset).user
    assert user
    return user


def described(dataset: Dataset) -> Dataset:
    for path, content in (("dataset_description.json", json.dumps(DESCRIPTION)), ("README", "About")):
        [blob] = keep_contents(actor=owner_of(dataset), dataset=dataset, contents=[content.encode()])
        make_asset(dataset, path, blob=blob)
    return dataset


@pytest.fixture
def working(writer: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers work whenever a request waits for them."""
    monkeypatch.setattr(waiting, "pause", writer.run)


def test_draft_tells_what_its_documents_say() -> None:
    told = Asker().ask(DRAFT, id=id_of(described(make_dataset())))["dataset"]
    assert (told["name"], told["draft"]["readme"]) == ("Faces", "About")
    description = told["draft"]["description"]
    assert description["Authors"] == ["Jane Doe", "Richard Roe"]
    assert (description["SeniorAuthor"], description["BIDSVersion"]) == ("Richard Roe", "1.9.0")
    assert [each["order"] for each in told["draft"]["contributors"]] == [1, 2]
    assert told["draft"]["contributors"][0]["contributorType"] == "Researcher"


def test_dataset_without_documents_has_a_description_with_its_id() -> None:
    dataset = make_dataset(name="Mice")
    told = Asker().ask(DRAFT, id=id_of(dataset))["dataset"]
    assert (told["name"], told["draft"]["readme"]) == ("Mice", None)
    assert told["draft"]["description"]["Name"] == id_of(dataset)
    assert told["draft"]["description"]["id"]


def test_text_of_a_file_is_read_from_the_store_once(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = described(make_dataset())
    first = Asker().ask(DRAFT, id=id_of(dataset))
    monkeypatch.setattr("archive.bids.queries.read_whole", None)
    assert Asker().ask(DRAFT, id=id_of(dataset)) == first


@pytest.mark.usefixtures("working")
def test_snapshot_is_there_when_it_was_created() -> None:
    dataset = described(make_dataset())
    asker = Asker.of(make_editor(dataset))
    made = asker.ask(CREATE, id=id_of(dataset), tag="1.0.0", changes=["First"])["createSnapshot"]
    assert (made["id"], made["tag"], made["readme"]) == (f"{id_of(dataset)}:1.0.0", "1.0.0", "About")
    assert len(made["hexsha"]) == 40
    assert made["description"]["License"] == "CC0"
    assert made["description"]["DatasetDOI"].endswith(f"/openneuro.{id_of(dataset)}.v1.0.0")
    assert made["deprecated"] is None
    assert dataset.assets.live().filter(path="CHANGES").exists()
    files = dataset.assets.live().count()
    assert asker.refusal(CREATE, id=id_of(dataset), tag="1.0.0") == "tag: The dataset has a version '1.0.0' already."
    assert dataset.assets.live().count() == files
    told = asker.ask(DEPRECATE, id=id_of(dataset), tag="1.0.0")["deprecateSnapshot"]["deprecated"]
    assert (told["id"], told["reason"], told["user"]) == (made["id"], "Wrong.", "Jane Doe")
    assert asker.ask(UNDO, id=id_of(dataset), tag="1.0.0")["undoDeprecateSnapshot"]["deprecated"] is None


def test_snapshot_that_takes_long_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = described(make_dataset())
    monkeypatch.setattr(waiting, "PATIENCE", waiting.PAUSE * 0)
    said = Asker.of(person(dataset)).refusal(CREATE, id=id_of(dataset), tag="1.0.0")
    assert "goes on" in said
    assert dataset.versions.filter(label="1.0.0").exists()


def test_documents_and_files_of_the_draft_are_changed() -> None:
    dataset = described(make_dataset())
    make_asset(dataset, "sub-1/anat/a.nii")
    asker = Asker.of(make_editor(dataset))
    told = asker.ask(DESCRIBE, id=id_of(dataset))["updateDescription"]
    assert (told["Name"], told["Authors"]) == ("Houses", DESCRIPTION["Authors"])
    assert asker.ask(LIST, id=id_of(dataset))["updateDescriptionList"] == {"Funding": ["A", "B"]}
    assert asker.ask(README, id=id_of(dataset)) == {"updateReadme": True}
    assert asker.ask(DRAFT, id=id_of(dataset))["dataset"]["draft"]["readme"] == "New"
    assert asker.ask(REMOVE, id=id_of(dataset)) == {"deleteFiles": True}
    assert asker.refusal(REMOVE, id=id_of(dataset)) == "files: There is no file or folder at: sub-1/anat"
    assert not dataset.assets.live().filter(path__startswith="sub-1").exists()


@pytest.mark.parametrize("document", [CREATE, DESCRIBE, LIST, README, REMOVE])
def test_drafts_are_changed_by_those_who_may(document: str) -> None:
    dataset, hidden = described(make_dataset()), described(make_embargoed_dataset())
    values: dict[str, Any] = {"tag": "1.0.0"} if document == CREATE else {}
    assert "logged in" in Asker().refusal(document, id=id_of(dataset), **values)
    assert Asker.of(make_user()).refusal(document, id=id_of(dataset), **values) == NO_WRITE
    assert Asker.of(make_viewer(hidden)).refusal(document, id=id_of(hidden), **values) == NO_WRITE
    for asker in (Asker(), Asker.of(make_user())):
        assert asker.refusal(document, id=id_of(hidden), **values) == NO_READ


@pytest.mark.usefixtures("working")
def test_snapshot_is_deleted_by_an_owner_while_it_is_private_and_then_by_administrators() -> None:
    dataset = described(make_embargoed_dataset())
    owner, editor, admin = (Asker.of(user) for user in (person(dataset), make_editor(dataset), make_admin()))
    for tag in ("1.0.0", "2.0.0"):
        owner.ask(CREATE, id=id_of(dataset), tag=tag)
    assert editor.refusal(DELETE, id=id_of(dataset), tag="1.0.0") == NO_ADMIN
    assert owner.ask(DELETE, id=id_of(dataset), tag="1.0.0") == {"deleteSnapshot": True}
    release(actor=owner_of(dataset), dataset=dataset)
    assert owner.refusal(DELETE, id=id_of(dataset), tag="2.0.0") == NO_ADMIN
    assert admin.ask(DELETE, id=id_of(dataset), tag="2.0.0") == {"deleteSnapshot": True}
    assert not dataset.versions.exclude(version=Version.DRAFT).exists()


PAGE = """query($n: Int) { datasets(first: $n) { edges { node { id name
  draft { readme description { id Name } contributors { name } }
  snapshots { id tag hexsha description { Name } }
  latestSnapshot { id readme hexsha description { id Name Authors } contributors { name } deprecated { reason } }
} } } }"""


def test_page_of_25_costs_as_many_queries_as_one_of_1(worker: Worker) -> None:
    owner = make_user()
    for _ in range(5):
        dataset = described(make_dataset(owner))
        worker.run()
        for tag in ("1.0.0", "2.0.0"):
            publish(actor=owner_of(dataset), dataset=dataset, label=tag, rules=Version.Rules.BIDS)
            worker.run()
    Asker().ask(PAGE, n=25)

    def cost(size: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            Asker().ask(PAGE, n=size)
        return len(captured)

    cost(1)
    assert cost(5) == cost(1)


@pytest.mark.parametrize(
    ("mutation", "said"),
    [
        (
            'updateDescription(datasetId: $id, field: "Authors", value: "A, B") { id }',
            "value: Authors is a list",
        ),
        ('updateDescriptionList(datasetId: $id, field: "Name", value: ["A"]) { id }', "value: Name is one text."),
        (
            'updatePermissions(datasetId: $id, userEmail: "Jane", level: "ro") { id }',
            "userEmail: It is no e-mail",
        ),
        ('updateOrcidPermissions(datasetId: $id, userOrcid: "12", level: "ro") { id }', "userOrcid: It is no ORCID iD"),
        ('revalidate(datasetId: $id, ref: "zzz")', "Not Found"),
    ],
)
def test_value_that_cannot_be_is_refused_by_its_name(mutation: str, said: str) -> None:
    dataset = described(make_dataset())
    refused = Asker.of(person(dataset)).refusal(f"mutation($id: ID!) {{ {mutation} }}", id=id_of(dataset))
    assert refused.startswith(said)
