"""What workers outside of this archive report, by their tokens."""

from typing import Any

import jwt
import pytest
from django.core.management import CommandError, call_command

from archive.accounts.services import set_admin
from archive.bids_validation.models import BidsVerdict
from archive.bids_validation.work import begin_validation
from archive.datasets.models import Dataset, Version
from archive.monitor.models import ReportedTask
from tests.dandiapi.graphql.asking import Asker
from tests.dandiapi.graphql.test_datasets import id_of
from tests.dandiapi.graphql.test_snapshots import described
from tests.factories import acting, make_admin, make_embargoed_dataset, make_reviewer_link, make_user
from tests.worker import Worker

pytestmark = pytest.mark.django_db

VALIDATION = """mutation($id: ID!, $head: ID!, $issues: [ValidatorIssueInput!]!) { updateValidation(validation: {
  datasetId: $id, id: $head, issues: $issues, codeMessages: [{code: "A", message: "Mind."}],
  validatorMetadata: {validator: "another", version: "9"}}) }"""
SUMMARY = """mutation($id: ID!, $head: ID!) { updateSummary(summary: {datasetId: $id, id: $head, size: 3, totalFiles: 2,
  modalities: ["MRI"], subjects: ["01"], subjectMetadata: [{participantId: "01", age: 9}], pet: {BodyPart: ["Brain"]}
  }) { id modalities totalFiles pet { BodyPart } subjectMetadata { participantId age } } }"""
CHECK = """mutation($id: ID!, $head: String!, $remote: String) { updateFileCheck(datasetId: $id, hexsha: $head,
  refs: ["main"], remote: $remote, annexFsck: [{file: "a", key: "MD5E-s1--0", success: false, errorMessages: ["Gone."]},
  {file: "b", success: true}]) { hexsha refs remote annexFsck { file key errorMessages success } } }"""
TOLD = """query($id: ID!) { dataset(id: $id) { draft { head issuesStatus { errors warnings }
  validation { issues { code severity } codeMessages { code message } }
  fileCheck { hexsha remote annexFsck { file } } } } }"""
TASK = """mutation { updateWorkerTask(id: "t1", taskName: "fsck", worker: "w", args: [1], executionTime: 5,
  startedAt: "2026-01-02T03:04:05Z") { id taskName args executionTime startedAt error } }"""
ISSUES = [{"code": "A", "severity": "warning"}, {"code": "B", "severity": "error"}]


def token(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("create_worker_token", make_admin().username, *arguments)
    return capsys.readouterr().out.strip()


@pytest.fixture
def dataset(writer: Worker) -> Dataset:
    """A private dataset whose repository has its files."""
    made = described(make_embargoed_dataset())
    writer.run()
    return made


@pytest.fixture
def reporter(capsys: pytest.CaptureFixture[str]) -> Asker:
    return Asker(token(capsys))


def told(asker: Asker, dataset: Dataset) -> dict[str, Any]:
    found: dict[str, Any] = asker.ask(TOLD, id=id_of(dataset))["dataset"]["draft"]
    return found


def test_issues_of_a_worker_are_the_verdict(dataset: Dataset, reporter: Asker) -> None:
    head = told(reporter, dataset)["head"]
    assert reporter.ask(VALIDATION, id=id_of(dataset), head=head, issues=ISSUES) == {"updateValidation": True}
    found = told(reporter, dataset)
    assert found["issuesStatus"] == {"errors": 1, "warnings": 1}
    assert [issue["code"] for issue in found["validation"]["issues"]] == ["B", "A"]
    assert found["validation"]["codeMessages"] == [{"code": "A", "message": "Mind."}]
    assert BidsVerdict.objects.get(errors=1).validator == "another 9"


def test_summary_of_a_worker_is_told_as_the_validators_own(dataset: Dataset, reporter: Asker) -> None:
    head = told(reporter, dataset)["head"]
    reporter.ask(VALIDATION, id=id_of(dataset), head=head, issues=[])
    assert reporter.ask(SUMMARY, id=id_of(dataset), head=head)["updateSummary"] == {
        "id": head,
        "modalities": ["mri"],
        "totalFiles": 2,
        "pet": {"BodyPart": ["Brain"]},
        "subjectMetadata": [{"participantId": "01", "age": 9}],
    }


@pytest.mark.parametrize("first", ["issues", "summary"])
def test_summary_and_issues_are_told_together_whichever_come_first(
    dataset: Dataset, reporter: Asker, first: str
) -> None:
    head = told(reporter, dataset)["head"]
    reports = [(VALIDATION, {"issues": ISSUES}), (SUMMARY, {})]
    for document, given in reports if first == "issues" else reports[::-1]:
        reporter.ask(document, id=id_of(dataset), head=head, **given)
    asked = "query($id: ID!) { dataset(id: $id) { draft { issuesStatus { errors } summary { totalFiles } } } }"
    assert reporter.ask(asked, id=id_of(dataset))["dataset"]["draft"] == {
        "issuesStatus": {"errors": 1},
        "summary": {"totalFiles": 2},
    }


def test_report_stands_for_its_dataset_alone(dataset: Dataset, reporter: Asker, writer: Worker) -> None:
    other = described(make_embargoed_dataset())
    writer.run()
    head = told(reporter, dataset)["head"]
    reporter.ask(VALIDATION, id=id_of(dataset), head=head, issues=ISSUES)
    assert told(reporter, dataset)["issuesStatus"] == {"errors": 1, "warnings": 1}
    begin_validation(Version.objects.get(dataset=other, version=Version.DRAFT))
    assert told(reporter, other)["issuesStatus"] is None


HOSTILE: dict[str, tuple[str, str]] = {
    "NUL in a name": ("kwargs: {a: 1}", "A text has no NUL characters."),
    "deep": (f"args: {'[' * 60}{']' * 60}", "It is more than 50 deep."),
    "huge": ("args: [99999999999999999999999]", "A whole number is at most"),
    "infinite": ("args: [1e999]", "A number is finite."),
    "beyond the years": ('startedAt: "9999-12-31T23:59:59-14:00"', "A DateTime is a text such as"),
    "before the years": ('startedAt: "0001-01-01T00:00:00+14:00"', "A DateTime is a text such as"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_task_that_nobody_can_keep_is_refused_by_what_is_wrong(reporter: Asker, name: str) -> None:
    argument, said = HOSTILE[name]
    if name == "NUL in a name":
        asked = 'mutation($kwargs: JSON) { updateWorkerTask(id: "1", kwargs: $kwargs) { id } }'
        refused = reporter.refusal(asked, kwargs={"\0": 1})
    else:
        refused = reporter.refusal(f'mutation {{ updateWorkerTask(id: "1", {argument}) {{ id }} }}')
    assert said in refused
    assert not ReportedTask.objects.exists()


def test_summary_and_verdict_that_cannot_be_are_refused(dataset: Dataset, reporter: Asker) -> None:
    head = told(reporter, dataset)["head"]
    asked = """mutation($id: ID!, $head: ID!) { updateSummary(
      summary: {datasetId: $id, id: $head, size: -5, totalFiles: 1}) { id } }"""
    assert "Nothing has fewer than 0 bytes" in reporter.refusal(asked, id=id_of(dataset), head=head)
    long = [{"code": "A", "severity": "error", "location": "x" * 4001}]
    assert "at most 4000 characters" in reporter.refusal(VALIDATION, id=id_of(dataset), head=head, issues=long)


def test_worker_of_a_demoted_administrator_reports_no_more(
    dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    admin = make_admin()
    call_command("create_worker_token", admin.username)
    worker = Asker(capsys.readouterr().out.strip())
    assert told(worker, dataset)
    set_admin(actor=acting(make_admin()), user=admin, is_admin=False)
    assert worker.refusal(TASK) == "Only the workers of the archive may do this."
    assert worker.refusal(TOLD, id=id_of(dataset)) == "You do not have access to read this dataset."


def test_check_tells_who_reads_it_blinded_nothing_that_workers_wrote(dataset: Dataset, reporter: Asker) -> None:
    head = told(reporter, dataset)["head"]
    reporter.ask(CHECK, id=id_of(dataset), head=head, remote="s3 of Jane Doe")
    _, secret = make_reviewer_link(dataset)
    asked = "query($id: ID!) { dataset(id: $id) { draft { fileCheck { remote annexFsck { file errorMessages } } } } }"
    found = Asker(secret).ask(asked, id=id_of(dataset))["dataset"]["draft"]["fileCheck"]
    assert found == {"remote": None, "annexFsck": [{"file": "a", "errorMessages": []}]}


def test_check_of_a_worker_tells_failures_alone(dataset: Dataset, reporter: Asker) -> None:
    head = told(reporter, dataset)["head"]
    failure = {"file": "a", "key": "MD5E-s1--0", "errorMessages": ["Gone."], "success": False}
    found = reporter.ask(CHECK, id=id_of(dataset), head=head, remote="s3-PUBLIC")["updateFileCheck"]
    assert found == {"hexsha": head, "refs": ["main"], "remote": "s3-PUBLIC", "annexFsck": [failure]}
    assert told(reporter, dataset)["fileCheck"]["annexFsck"] == [{"file": "a"}]


def test_report_about_a_commit_that_is_not_there_is_refused(dataset: Dataset, reporter: Asker) -> None:
    assert reporter.refusal(CHECK, id=id_of(dataset), head="f" * 40) == "Not Found"
    assert reporter.refusal(VALIDATION, id=id_of(dataset), head="f" * 40, issues=[]) == "Not Found"


def test_check_that_is_too_long_is_refused(dataset: Dataset, reporter: Asker) -> None:
    head = told(reporter, dataset)["head"]
    said = reporter.refusal(CHECK, id=id_of(dataset), head=head, remote="x" * 101)
    assert said == "remote: The name of a remote has at most 100 characters."


def test_task_of_a_worker_is_kept_and_added_to(reporter: Asker) -> None:
    first = reporter.ask(TASK)["updateWorkerTask"]
    assert first["startedAt"] == "2026-01-02T03:04:05.000Z"
    second = reporter.ask('mutation { updateWorkerTask(id: "t1", error: "No.") { taskName args error } }')
    assert second["updateWorkerTask"] == {"taskName": "fsck", "args": [1], "error": "No."}
    assert ReportedTask.objects.get().execution_time == 5


def test_task_that_is_too_long_is_refused(reporter: Asker) -> None:
    asked = "mutation($id: ID!, $args: JSON) { updateWorkerTask(id: $id, args: $args) { id } }"
    assert reporter.refusal(asked, id="x" * 201) == "id: It has at most 200 characters."
    assert "at most 65536 bytes" in reporter.refusal(asked, id="1", args=["x" * 2**16])
    assert not ReportedTask.objects.exists()


def test_token_of_a_worker_reports_about_its_dataset_alone(
    dataset: Dataset, capsys: pytest.CaptureFixture[str]
) -> None:
    other = make_embargoed_dataset()
    secret = token(capsys, "--dataset", id_of(dataset))
    claims = jwt.decode(secret, options={"verify_signature": False})
    assert (claims["scopes"], claims["dataset"]) == (["dataset:worker"], id_of(dataset))
    narrow = Asker(secret)
    assert told(narrow, dataset)["head"]
    assert narrow.refusal(TOLD, id=id_of(other)) == "You do not have access to read this dataset."
    assert narrow.refusal(TASK) == "This token is for something else."


def test_worker_changes_nothing_else(dataset: Dataset, reporter: Asker) -> None:
    said = reporter.refusal('mutation($id: ID!) { updateReadme(datasetId: $id, value: "x") }', id=id_of(dataset))
    assert said == "This token is for something else."
    users = reporter.refusal('query { users(search: "a") { totalCount } }')
    assert users == "This token is for something else."


def test_indexer_reads_everything_and_changes_nothing(dataset: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    secret = token(capsys, "--indexer")
    claims = jwt.decode(secret, options={"verify_signature": False})
    assert claims["scopes"] == ["dataset:indexing"]
    assert claims["exp"] - claims["iat"] <= 3 * 3600
    indexer = Asker(secret)
    head = told(indexer, dataset)["head"]
    found = indexer.ask("query { datasets { edges { id } } }")["datasets"]["edges"]
    assert [each["id"] for each in found] == [id_of(dataset)]
    refused = indexer.refusal(VALIDATION, id=id_of(dataset), head=head, issues=[])
    assert refused == "This token is for something else."


def test_token_of_a_worker_is_for_administrators_alone() -> None:
    with pytest.raises(CommandError, match="Only administrators"):
        call_command("create_worker_token", make_user().username)
    with pytest.raises(CommandError, match="There is no account"):
        call_command("create_worker_token", "nobody@example.org")
