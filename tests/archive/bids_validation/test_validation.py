"""Verdicts of the real validator, and the reasons why there is none."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest

from archive.accounts.policy import ANONYMOUS
from archive.bids_validation.models import BidsVerdict
from archive.bids_validation.queries import verdicts_of_versions
from archive.bids_validation.services import request_validation
from archive.datasets.models import Dataset
from archive.datasets.queries import find_draft
from archive.errors import ForbiddenError, UnauthenticatedError
from archive.timeline.models import Job
from tests.archive.bids_validation.conftest import VALID, put
from tests.factories import acting, make_user, owner_of
from tests.worker import Worker

pytestmark = pytest.mark.django_db
Make = Callable[[dict[str, bytes]], Dataset]
HALF = """printf '{"issues": {"issues": [{"code": "A", "severity": "error"}'"""


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has no test wait until its dataset is quiet."""
    monkeypatch.setattr("archive.timeline.work.projections._wait_for_quiet", lambda *_: None)


def verdict_on(dataset: Dataset) -> BidsVerdict | None:
    draft = find_draft(dataset.number)
    assert draft
    return verdicts_of_versions(ANONYMOUS, [draft]).get(draft)


def codes(verdict: BidsVerdict, severity: str) -> set[str]:
    return {issue["code"] for issue in verdict.issues if issue["severity"] == severity}


def test_verdict_on_a_valid_dataset_has_warnings_and_no_errors(make_bids: Make) -> None:
    verdict = verdict_on(make_bids({**VALID, "datacite.yml": b"data: {}\n"}))
    assert verdict
    assert (verdict.state, verdict.errors) == ("done", 0), verdict.reason
    assert verdict.warnings == len(verdict.issues) > 0
    assert "JSON_KEY_RECOMMENDED" in verdict.code_messages
    assert sum(code["count"] for code in verdict.codes) == verdict.warnings
    [recommended] = [code for code in verdict.codes if code["code"] == "JSON_KEY_RECOMMENDED"]
    assert recommended["message"] == verdict.code_messages["JSON_KEY_RECOMMENDED"]
    assert recommended["locations"]
    assert verdict.summary["subjects"] == ["01"]
    assert verdict.validator.startswith("bids-validator-deno 3.")


def test_verdict_on_an_invalid_dataset_has_its_errors_first(make_bids: Make) -> None:
    poor = orjson.dumps({"Name": "", "BIDSVersion": "1.10.0", "DatasetType": "raw"})
    verdict = verdict_on(make_bids({**VALID, "dataset_description.json": poor, "stray.xyz": b"1"}))
    assert verdict
    assert {"EMPTY_DATASET_NAME", "NO_AUTHORS", "NOT_INCLUDED"} <= codes(verdict, "error")
    assert verdict.issues[0]["severity"] == "error"


def test_dataset_without_a_description_is_not_validated(make_bids: Make) -> None:
    assert verdict_on(make_bids({"README": b"Words."})) is None


def test_same_tree_is_validated_once(make_bids: Make) -> None:
    dataset, other = make_bids(VALID), make_bids(VALID)
    assert verdict_on(dataset) == verdict_on(other)
    assert Job.objects.filter(kind="validate_bids").count() == 1


def test_draft_has_no_verdict_once_its_files_have_changed(make_bids: Make, program: Callable[[str], None]) -> None:
    program(HALF)
    dataset = make_bids(VALID)
    assert verdict_on(dataset)
    put(dataset, {"CHANGES": b"1.0.0 2026-01-01\n"})
    assert verdict_on(dataset) is None


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("exec sleep 60", "The validator took longer than 1 seconds."),
        (HALF, "The validator has not printed its whole verdict."),
        (f"{HALF}; echo out of luck >&2; exit 3", "The validator ended with status 3. out of luck"),
        ("exit 0", "The validator has not printed its whole verdict."),
        ("kill -9 $$", "The validator ended with status -9."),
    ],
)
def test_validation_that_fails_says_why(
    make_bids: Make, program: Callable[[str], None], settings: Any, script: str, reason: str
) -> None:
    settings.BIDS_VALIDATION_SECONDS = 1
    program(script)
    verdict = verdict_on(make_bids(VALID))
    assert verdict
    assert (verdict.state, verdict.reason) == ("failed", reason)


def test_validator_that_eats_memory_is_ended(make_bids: Make, program: Callable[[str], None], settings: Any) -> None:
    settings.BIDS_VALIDATION_BYTES = 100 * 2**20
    program("""exec python3 -c 'import time; kept = b"1" * (200 << 20); time.sleep(60)'""")
    verdict = verdict_on(make_bids(VALID))
    assert verdict
    assert verdict.reason == "The validator needed more than 100 MiB of memory."


def test_validation_is_done_again_when_editors_ask_for_it_after_a_failure(
    make_bids: Make, program: Callable[[str], None], settings: Any, worker: Worker
) -> None:
    program("exit 3")
    dataset = make_bids(VALID)
    settings.BIDS_VALIDATOR = ""
    draft = find_draft(dataset.number)
    assert draft
    with pytest.raises(ForbiddenError):
        request_validation(actor=acting(make_user()), version=draft)
    with pytest.raises(UnauthenticatedError):
        request_validation(actor=ANONYMOUS, version=draft)
    request_validation(actor=owner_of(dataset), version=draft)
    worker.run()
    verdict = verdict_on(dataset)
    assert verdict
    assert verdict.state == "done"
