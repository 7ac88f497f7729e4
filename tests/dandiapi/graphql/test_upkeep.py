"""Looking after a dataset: its draft put back, its content checked, what is kept of it forgotten; its contributors."""

from typing import Any

import pytest
import yaml
from django.db import connection

from archive.bids.models import FileText
from archive.datasets.models import Dataset, Version
from archive.embargo.services import release
from archive.publishing.services import publish
from archive.snapshots.writing.checks import fault_of_commit
from archive.storage import services as store
from archive.timeline.models import Change, Job
from tests.dandiapi.graphql.asking import Asker
from tests.dandiapi.graphql.test_datasets import id_of, person
from tests.dandiapi.graphql.test_snapshots import described
from tests.factories import (
    make_admin,
    make_asset,
    make_blob,
    make_editor,
    make_embargoed_dataset,
    make_zarr,
    make_zarr_asset,
    owner_of,
    upload_zarr,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db

RESET = "mutation($id: ID!, $ref: String!) { resetDraft(datasetId: $id, ref: $ref) }"
DELETE = 'mutation($id: ID!) { deleteFiles(datasetId: $id, files: [{path: "sub-1"}]) }'
FSCK = "mutation($id: ID!) { fsckDataset(datasetId: $id) }"
CHECKED = """query($id: ID!) { dataset(id: $id) { draft { head fileCheck { hexsha datasetId refs
  annexFsck { file key errorMessages success } } } } }"""
GIT = """mutation($id: ID!, $commit: String!) { createGitEvent(datasetId: $id, commit: $commit,
  reference: "refs/heads/main") { id success timestamp event { type ref message } user { id } } }"""
CONTRIBUTORS = """mutation($id: String!, $people: [ContributorInput!]!) {
  updateContributors(datasetId: $id, newContributors: $people) { success dataset {
    draft { contributors { name givenName familyName orcid contributorType order } } } } }"""


@pytest.fixture
def dataset(writer: Worker) -> Dataset:
    """A private dataset with a description, a README and a file, all in its repository."""
    made = described(make_embargoed_dataset())
    make_asset(made, "sub-1/a.nii", blob=make_blob(made))
    writer.run()
    return made


def owner(dataset: Dataset) -> Asker:
    return Asker.of(person(dataset))


def paths(dataset: Dataset) -> set[str]:
    return set(dataset.assets.filter(retired=None).values_list("path", flat=True))


def draft(dataset: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = owner(dataset).ask(CHECKED, id=id_of(dataset))["dataset"]["draft"]
    return found


# --- The draft --------------------------------------------------------------------------------------------------------


def test_draft_is_put_back_to_a_commit(dataset: Dataset, writer: Worker) -> None:
    head, before = draft(dataset)["head"], paths(dataset)
    readme = dataset.assets.get(path="README").blob_id
    owner(dataset).ask('mutation($id: ID!) { updateReadme(datasetId: $id, value: "Other") }', id=id_of(dataset))
    owner(dataset).ask(DELETE, id=id_of(dataset))
    make_asset(dataset, "new.txt")
    writer.run()
    assert owner(dataset).ask(RESET, id=id_of(dataset), ref=head) == {"resetDraft": True}
    assert paths(dataset) == before
    assert dataset.assets.get(path="README", retired=None).blob_id == readme


def test_draft_that_is_as_it_was_is_left_alone(dataset: Dataset) -> None:
    head, count = draft(dataset)["head"], Change.objects.count()
    owner(dataset).ask(RESET, id=id_of(dataset), ref=head)
    assert Change.objects.count() == count


def test_draft_is_put_back_to_a_version(dataset: Dataset, writer: Worker) -> None:
    before = paths(dataset)
    publish(actor=owner_of(dataset), dataset=dataset, label="1.0.0", rules=Version.Rules.BIDS)
    writer.run()
    make_asset(dataset, "new.txt")
    owner(dataset).ask(RESET, id=id_of(dataset), ref="1.0.0")
    assert paths(dataset) == before


@pytest.mark.parametrize("ref", ["f" * 40, "2.0.0", "", "HEAD~1"])
def test_draft_is_not_put_back_to_what_there_is_not(dataset: Dataset, ref: str) -> None:
    said = owner(dataset).refusal(RESET, id=id_of(dataset), ref=ref)
    assert said == "ref: It is neither a commit of the repository nor a version."


def test_draft_is_not_put_back_to_a_commit_whose_files_are_collected(
    dataset: Dataset, writer: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = draft(dataset)["head"]
    owner(dataset).ask(DELETE, id=id_of(dataset))
    writer.run()
    dataset.assets.filter(path="sub-1/a.nii").delete()
    before = paths(dataset)
    said = owner(dataset).refusal(RESET, id=id_of(dataset), ref=head)
    assert said == "Not everything of that commit is kept any more: sub-1/a.nii should not be there."
    assert paths(dataset) == before


def test_draft_is_put_back_with_the_revisions_of_its_zarr_archives(dataset: Dataset, writer: Worker) -> None:
    zarr = make_zarr(dataset)
    make_zarr_asset(zarr)
    upload_zarr(writer, zarr)
    writer.run()
    head, before = draft(dataset)["head"], dataset.assets.get(zarr=zarr, retired=None).zarr_revision
    publish(actor=owner_of(dataset), dataset=dataset, label="1.0.0", rules=Version.Rules.BIDS)
    for ref in (head, "1.0.0", head):
        upload_zarr(writer, zarr, {"0/0/0": f"other bytes, before {ref}".encode()})
        writer.run()
        assert dataset.assets.get(zarr=zarr, retired=None).zarr_revision != before
        owner(dataset).ask(RESET, id=id_of(dataset), ref=ref)
        assert dataset.assets.get(zarr=zarr, retired=None).zarr_revision == before


def test_draft_is_put_back_to_what_an_archive_showed_before_any_version_did(dataset: Dataset, writer: Worker) -> None:
    zarr = make_zarr(dataset)
    make_zarr_asset(zarr)
    upload_zarr(writer, zarr)
    writer.run()
    head, before = draft(dataset)["head"], dataset.assets.get(zarr=zarr, retired=None).zarr_revision
    upload_zarr(writer, zarr, {"0/0/0": b"other bytes"})
    writer.run()
    owner(dataset).ask(RESET, id=id_of(dataset), ref=head)
    assert dataset.assets.get(zarr=zarr, retired=None).zarr_revision == before


def test_files_are_kept_from_being_collected_while_the_draft_is_put_back(
    dataset: Dataset, writer: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = draft(dataset)["head"]
    owner(dataset).ask(DELETE, id=id_of(dataset))
    writer.run()
    held = []
    locked = "SELECT count(*) FROM pg_locks WHERE relation = 'archive_asset'::regclass AND mode = 'RowShareLock'"

    def compare(*arguments: Any) -> str:
        with connection.cursor() as cursor:
            cursor.execute(locked)
            held.append(cursor.fetchone()[0])
        return fault_of_commit(*arguments)

    monkeypatch.setattr("archive.snapshots.services.fault_of_commit", compare)
    owner(dataset).ask(RESET, id=id_of(dataset), ref=head)
    assert held == [1]


def test_editor_does_not_open_what_was_never_open_by_putting_the_draft_back(dataset: Dataset, writer: Worker) -> None:
    editor = make_editor(dataset)
    publish(actor=owner_of(dataset), dataset=dataset, label="1.0.0", rules=Version.Rules.BIDS)
    writer.run()
    owner(dataset).ask(DELETE, id=id_of(dataset))
    release(actor=owner_of(dataset), dataset=dataset, starts_anew=True)
    writer.run()
    said = Asker.of(editor).refusal(RESET, id=id_of(dataset), ref="1.0.0")
    assert said == "Some of those files were never open: only an owner of the dataset brings them back."
    assert owner(dataset).ask(RESET, id=id_of(dataset), ref="1.0.0") == {"resetDraft": True}


# --- Content ----------------------------------------------------------------------------------------------------------


def test_check_of_content_names_what_the_store_lacks(dataset: Dataset, writer: Worker) -> None:
    asset = dataset.assets.select_related("blob").get(path="sub-1/a.nii")
    assert asset.blob
    store.delete(asset.blob.key)
    assert draft(dataset)["fileCheck"] is None
    assert owner(dataset).ask(FSCK, id=id_of(dataset)) == {"fsckDataset": True}
    writer.run()
    found = draft(dataset)
    [failure] = found["fileCheck"].pop("annexFsck")
    assert failure["file"] == "sub-1/a.nii"
    assert failure["key"].startswith(f"SHA256E-s{asset.size}--")
    assert failure["errorMessages"] == ["The store does not have it."]
    assert found["fileCheck"] == {"hexsha": found["head"], "datasetId": id_of(dataset), "refs": ["main"]}


def test_check_that_is_asked_for_twice_is_made_once(dataset: Dataset) -> None:
    for _ in range(2):
        owner(dataset).ask(FSCK, id=id_of(dataset))
    assert Job.objects.filter(kind="check_content").count() == 1


# --- The repository, and what is kept ---------------------------------------------------------------------------------


def test_push_is_told_as_an_event_when_its_commit_is_there(dataset: Dataset) -> None:
    head, count = draft(dataset)["head"], Change.objects.count()
    event = owner(dataset).ask(GIT, id=id_of(dataset), commit=head)["createGitEvent"]
    assert event["event"]["type"] == "git"
    assert event["event"]["ref"] == "refs/heads/main"
    assert event["user"] == {"id": str(person(dataset).uuid)}
    said = owner(dataset).refusal(GIT, id=id_of(dataset), commit="f" * 40)
    assert said == "commit: There is no such commit in the repository: push it first."
    assert Change.objects.count() == count


def test_what_is_kept_of_a_dataset_is_forgotten_and_made_anew(dataset: Dataset, writer: Worker) -> None:
    draft(dataset)
    owner(dataset).ask("query($id: ID!) { dataset(id: $id) { name } }", id=id_of(dataset))
    assert FileText.objects.exists()
    admin = Asker.of(make_admin())
    assert admin.ask("mutation($id: ID!) { cacheClear(datasetId: $id) }", id=id_of(dataset)) == {"cacheClear": True}
    assert not FileText.objects.exists()
    writer.run()
    assert owner(dataset).ask("query($id: ID!) { dataset(id: $id) { name } }", id=id_of(dataset))


# --- Contributors -----------------------------------------------------------------------------------------------------

JANE = {
    "name": "Doe, Jane",
    "givenName": "Jane",
    "familyName": "Doe",
    "orcid": "https://orcid.org/0000-0002-1825-0097/",
}


def test_contributors_are_written_and_read_in_their_order(dataset: Dataset) -> None:
    people = [JANE | {"order": 2}, {"name": "Lab", "contributorType": "HostingInstitution", "order": 1}]
    answer = owner(dataset).ask(CONTRIBUTORS, id=id_of(dataset), people=people)["updateContributors"]
    assert answer["success"] is True
    lab, jane = answer["dataset"]["draft"]["contributors"]
    assert (lab["name"], lab["order"], lab["contributorType"]) == ("Lab", 1, "HostingInstitution")
    assert jane == JANE | {"orcid": "0000-0002-1825-0097", "order": 2, "contributorType": "Researcher"}


@pytest.mark.parametrize(
    ("people", "said"),
    [
        ([{"orcid": "0000-0002-1825-0097"}], "Each needs a name"),
        ([{"name": "A", "orcid": "0000-0002-1825-0098"}], "'0000-0002-1825-0098' is no ORCID iD."),
        ([{"name": "A" * 301}], "at most 300 characters"),
        ([{"name": "A\u0085B"}], "of one line"),
        ([{"name": "A"}] * 1001, "at most 1000 contributors"),
    ],
)
def test_contributors_that_cannot_be_are_refused(dataset: Dataset, people: list[dict[str, str]], said: str) -> None:
    refused = owner(dataset).refusal(CONTRIBUTORS, id=id_of(dataset), people=people)
    assert refused.startswith("contributors: ")
    assert said in refused
    assert "datacite.yml" not in paths(dataset)


def test_contributors_are_what_a_plain_reader_of_yaml_finds(dataset: Dataset) -> None:
    owner(dataset).ask(CONTRIBUTORS, id=id_of(dataset), people=[JANE])
    blob = dataset.assets.get(path="datacite.yml").blob
    assert blob
    owner(dataset).ask("query($id: ID!) { dataset(id: $id) { draft { contributors { name } } } }", id=id_of(dataset))
    attributes = yaml.safe_load(FileText.objects.get(blob=blob).text)["data"]["attributes"]
    assert attributes["types"] == {"resourceTypeGeneral": "Dataset"}
    [creator], [contributor] = attributes["creators"], attributes["contributors"]
    assert creator["nameIdentifiers"][0]["nameIdentifier"] == "https://orcid.org/0000-0002-1825-0097"
    assert (contributor["order"], "order" in creator) == (1, False)
