"""What the BIDS validator says, in OpenNeuro's dialect; and as the validation of a draft on DANDI's."""

from typing import Any

import pytest
from django.test import Client

from archive.bids_validation.models import BidsTree, BidsVerdict
from archive.datasets.models import Dataset
from archive.timeline.models import Job
from dandiapi.graphql import context
from tests.dandiapi.graphql.asking import Asker
from tests.dandiapi.graphql.test_datasets import id_of
from tests.factories import make_asset, make_dataset, make_editor, make_embargoed_dataset, make_reviewer_link

pytestmark = pytest.mark.django_db

ISSUES = [
    {"code": "NO_AUTHORS", "subCode": "x", "severity": "error", "location": "/dataset_description.json", "line": 3},
    {"code": "JSON_KEY_RECOMMENDED", "severity": "warning", "issueMessage": "Say more.", "rule": "rules.a"},
]
CODES = [
    {"code": "NO_AUTHORS", "severity": "error", "count": 1, "message": "Say who.", "locations": ["/a/b.json"]},
    {"code": "JSON_KEY_RECOMMENDED", "severity": "warning", "count": 7, "message": "", "locations": []},
]
SUMMARY = {
    "subjects": ["01"],
    "sessions": [],
    "tasks": ["words"],
    "modalities": ["MRI", "MEG"],
    "secondaryModalities": ["MRI_Structural"],
    "subjectMetadata": [{"participantId": "01", "age": 34, "sex": "F"}, {"participantId": "02", "age": "89+"}],
    "totalFiles": 5,
    "size": 99,
    "dataProcessed": False,
    "pet": {"BodyPart": ["Brain"]},
    "schemaVersion": "1.2.3",
}
TOLD = """query($id: ID!) { dataset(id: $id) { draft { head issuesStatus { errors warnings } validation {
  id datasetId errors warnings codeMessages { code message }
  issues { code subCode severity location rule issueMessage line affects } }
  summary { modalities primaryModality secondaryModalities subjects sessions tasks size totalFiles dataProcessed
    schemaVersion pet { BodyPart } validatorMetadata { validator version }
    subjectMetadata { participantId age sex group } } } } }"""


def validated(dataset: Dataset | None = None, **given: Any) -> Dataset:
    dataset = dataset or make_dataset()
    values = {"state": "done", "errors": 1, "warnings": 1, "issues": ISSUES, "codes": CODES, "summary": SUMMARY} | given
    verdict = BidsVerdict.objects.create(
        tree=f"{dataset.number:064}",
        validator="bids-validator-deno 3.0.2",
        code_messages={"NO_AUTHORS": "Say who."},
        **values,
    )
    draft = dataset.versions.get()
    BidsTree.objects.create(version=draft, files_changed=draft.files_changed, verdict=verdict)
    return dataset


def test_verdict_is_told_in_the_words_of_the_dialect() -> None:
    dataset = validated()
    draft = Asker().ask(TOLD, id=id_of(dataset))["dataset"]["draft"]
    validation, summary = draft["validation"], draft["summary"]
    assert draft["issuesStatus"] == {"errors": 1, "warnings": 1}
    assert (validation["id"], validation["datasetId"]) == (draft["head"], id_of(dataset))
    assert (validation["errors"], validation["warnings"]) == (1, 1)
    assert validation["codeMessages"] == [{"code": "NO_AUTHORS", "message": "Say who."}]
    empty = dict.fromkeys(("subCode", "location", "rule", "issueMessage", "line", "affects"))
    assert validation["issues"] == [empty | issue for issue in ISSUES]
    assert (summary["modalities"], summary["primaryModality"]) == (["mri", "meg"], "mri")
    assert [each["age"] for each in summary["subjectMetadata"]] == [34, None]
    assert (summary["size"], summary["totalFiles"], summary["dataProcessed"]) == (99, 5, False)
    assert summary["pet"] == {"BodyPart": ["Brain"]}
    assert summary["validatorMetadata"]["version"] == "bids-validator-deno 3.0.2"


def test_issues_are_told_by_their_codes_as_older_clients_expect_them() -> None:
    dataset = validated()
    asked = """query($id: ID!) { dataset(id: $id) { draft { issues {
      key code reason severity additionalFileCount files { key severity path file { name relativePath } } } } } }"""
    first, second = Asker().ask(asked, id=id_of(dataset))["dataset"]["draft"]["issues"]
    assert (first["key"], first["reason"], first["severity"]) == ("NO_AUTHORS", "Say who.", "error")
    [file] = first["files"]
    assert (file["path"], file["file"]) == ("a/b.json", {"name": "b.json", "relativePath": "a/b.json"})
    assert (second["additionalFileCount"], second["files"]) == (7, [])


def test_verdict_is_told_by_rest_and_on_the_page(client: Client) -> None:
    dataset, other = validated(), make_dataset()
    told = client.get(f"/api/dandisets/{dataset.identifier}/versions/draft/bids-validation/").json()
    assert (told["state"], told["errors"], told["warnings"], told["codes"]) == ("done", 1, 1, CODES)
    missing = client.get(f"/api/dandisets/{other.identifier}/versions/draft/bids-validation/")
    detail = "The BIDS validator has not looked at these files."
    assert (missing.status_code, missing.json()) == (404, {"detail": detail})
    page = client.get(f"/dandiset/{dataset.identifier}/draft").content.decode()
    assert "BIDS: 1 error, 1 warning" in page
    assert "<code>/a/b.json</code>" in page
    assert "BIDS" not in client.get(f"/dandiset/{other.identifier}/draft").content.decode()


def test_issues_of_one_file_are_told_with_its_validation(client: Client) -> None:
    dataset = make_dataset()
    assets = {path: make_asset(dataset, path) for path in ("dataset_description.json", "sub-1/b.nii")}
    validated(dataset)
    base = f"/api/dandisets/{dataset.identifier}/versions/draft/assets"
    told = {path: client.get(f"{base}/{asset.asset_id}/validation/").json() for path, asset in assets.items()}
    assert told["sub-1/b.nii"]["bids_issues"] == []
    [issue] = told["dataset_description.json"]["bids_issues"]
    assert (issue["code"], issue["sub_code"], issue["severity"]) == ("NO_AUTHORS", "x", "error")
    assert (issue["line"], issue["message"]) == (3, "")


def test_verdict_on_what_is_hidden_is_told_to_nobody(client: Client) -> None:
    hidden = make_embargoed_dataset()
    address = f"/api/dandisets/{hidden.identifier}/versions/draft/bids-validation/"
    info = client.get(f"/api/dandisets/{hidden.identifier}/versions/draft/info/")
    assert client.get(address).status_code == info.status_code == 401


def test_reviewer_reads_issues_without_the_values_that_they_are_about() -> None:
    dataset = validated(make_embargoed_dataset())
    _, secret = make_reviewer_link(dataset)
    issues = Asker(secret).ask(TOLD, id=id_of(dataset))["dataset"]["draft"]["validation"]["issues"]
    assert [(issue["code"], issue["issueMessage"]) for issue in issues] == [(each["code"], None) for each in ISSUES]


@pytest.mark.parametrize("state", ["pending", "failed"])
def test_nothing_is_told_while_there_is_no_verdict(state: str) -> None:
    dataset = validated(state=state)
    draft = Asker().ask(TOLD, id=id_of(dataset))["dataset"]["draft"]
    assert (draft["validation"], draft["summary"], draft["issuesStatus"]) == (None, None, None)


def test_issues_of_many_verdicts_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = validated(), validated()
    both = f"""{{ a: dataset(id: "{id_of(one)}") {{ draft {{ validation {{ issues {{ code }} }} }} }}
      b: dataset(id: "{id_of(other)}") {{ draft {{ validation {{ warnings issues {{ code }} }} }} }} }}"""
    assert len(Asker().ask(both)["b"]["draft"]["validation"]["issues"]) == 2
    monkeypatch.setattr(context, "MAX_TOLD", 3)
    answer = Asker().post(both).json()
    assert len(answer["data"]["a"]["draft"]["validation"]["issues"]) == 2
    assert answer["data"]["b"]["draft"]["validation"] == {"warnings": 1, "issues": None}
    assert answer["errors"][0]["message"] == "The answer would be too long: ask for less at once."


def test_dataset_is_validated_again_when_an_editor_asks() -> None:
    dataset = make_dataset()
    again = f'mutation {{ revalidate(datasetId: "{id_of(dataset)}", ref: "HEAD") }}'
    assert Asker.of(make_editor(dataset)).ask(again) == {"revalidate": True}
    assert Job.objects.filter(kind="validate_bids", dataset_id=dataset.number).count() == 1
