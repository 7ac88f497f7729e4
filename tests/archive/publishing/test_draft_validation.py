"""The projection that settles what is pending: files, then the draft (docs/dialects/dandi.md#validation)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from archive.accounts.policy import ANONYMOUS, SYSTEM
from archive.assets.models import Asset
from archive.assets.queries import CONTENT, AssetDocuments
from archive.assets.services import change_assets, remove_asset
from archive.blobs.models import Blob
from archive.blobs.work import CHECKSUM_JOB
from archive.datasets.models import Dataset, Version
from archive.datasets.services import delete_dataset, update_draft
from archive.metadata.problems import Problem, validate_asset, validate_version
from archive.metadata.summary import asset_contribution
from archive.publishing import work
from archive.publishing.queries import asset_problems, find_version_details, has_unsettled_assets
from archive.timeline.models import Projection
from archive.timeline.work.jobs import drain_due_jobs
from archive.timeline.work.projections import advance_projection
from tests.archive.assets.state import contributed_values, counted_values
from tests.factories import (
    attachable_row,
    make_asset,
    make_blob,
    make_dataset,
    make_published_version,
    make_valid_dataset,
    new_asset,
    owner_of,
    valid_dandiset_metadata,
)
from tests.plans import count_rows, plans_of
from tests.worker import Worker

INVALID: dict[str, Any] = {"wasAttributedTo": [{"schemaKey": "Participant"}]}

pytestmark = pytest.mark.django_db


def _validate(dataset: Dataset) -> None:
    advance_projection(dataset.number, "validation")


def _draft(dataset: Dataset) -> Version:
    return dataset.versions.get(version="draft")


def _projection(dataset: Dataset) -> Projection:
    return Projection.objects.get(dataset_id=dataset.number, name="validation")


def _describe(dataset: Dataset, **metadata: Any) -> Version:
    metadata = {**valid_dandiset_metadata(), **metadata}
    return update_draft(actor=owner_of(dataset), dataset=dataset, name="Mouse vision", metadata=metadata)


def _paths(status: str) -> set[str]:
    return set(Asset.objects.filter(status=status).values_list("path", flat=True))


def test_validation_settles_files_and_draft_in_one_run() -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb")
    make_asset(dataset, "b.nwb")
    _validate(dataset)
    assert _paths("Valid") == {"a.nwb", "b.nwb"}
    assert (_draft(dataset).status, _draft(dataset).problems) == (Version.Status.VALID, [])
    assert (_projection(dataset).state, _projection(dataset).cursor) == ("following", 3)


def test_validation_says_what_is_wrong_with_a_file() -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb")
    bad = make_asset(dataset, "b.nwb", **INVALID)
    _validate(dataset)
    bad.refresh_from_db()
    assert (bad.status, bad.contribution) == (Asset.Status.INVALID, None)
    assert bad.problems
    assert {problem["path"] for problem in asset_problems(_draft(dataset))} == {"b.nwb"}
    assert _paths("Valid") == {"a.nwb"}


ODD = [
    {},
    INVALID,
    {"schemaKey": "Nonsense"},
    {"encodingFormat": None},
    {"schemaVersion": "0.0.1"},
    {"wasAttributedTo": [{"schemaKey": "Participant", "identifier": 'é\\u0001 "{}'}]},
    {"wasAttributedTo": [{"schemaKey": "Participant", "identifier": "1", "species": {"schemaKey": "SpeciesType"}}]},
    {"approach": [{"schemaKey": "ApproachType", "name": "ü"}, {"schemaKey": "ApproachType", "name": "a"}]},
    {"approach": [{"schemaKey": "ApproachType", "name": 1.0}], "keywords": ["\U0001f41f"]},
    {"variableMeasured": [{"schemaKey": "PropertyValue", "value": value} for value in "cab"]},
]


def test_verdicts_are_kept_as_they_are_found(worker: Worker) -> None:
    dataset = make_dataset()
    for number, metadata in enumerate(ODD):
        make_asset(dataset, f"sub-{number}/sub-{number}_sample-é.nwb", **metadata)
    worker.run()
    documents = AssetDocuments(dataset, reader=SYSTEM)
    for asset in Asset.objects.select_related(*CONTENT):
        candidate = documents.candidate(asset, timezone.now())
        problems = [problem.as_dict() for problem in validate_asset(candidate)]
        contribution = None if problems else asset_contribution(candidate)
        found = (Asset.Status.INVALID if problems else Asset.Status.VALID, problems, contribution)
        assert (asset.status, asset.problems, asset.contribution) == found
    assert Asset.objects.filter(status=Asset.Status.VALID, contribution__isnull=False).exists()
    assert Asset.objects.filter(status=Asset.Status.INVALID, contribution__isnull=True).count() > 2
    assert contributed_values(dataset) == counted_values(dataset)


def test_validation_says_what_is_wrong_with_the_draft() -> None:
    dataset = make_dataset()
    make_asset(dataset)
    _describe(dataset, license=["nonsense"])
    _validate(dataset)
    draft = _draft(dataset)
    assert draft.status == Version.Status.INVALID
    assert [problem["field"] for problem in draft.problems] == ["license.0"]


def test_validation_finds_a_draft_without_files_invalid() -> None:
    dataset = make_dataset()
    _validate(dataset)
    assert _draft(dataset).status == Version.Status.INVALID


def test_validation_of_a_draft_that_was_mended_forgets_its_problems() -> None:
    dataset = make_dataset()
    make_asset(dataset)
    _describe(dataset, license=["nonsense"])
    _validate(dataset)
    _describe(dataset)
    assert _draft(dataset).status == Version.Status.PENDING
    _validate(dataset)
    assert (_draft(dataset).status, _draft(dataset).problems) == (Version.Status.VALID, [])


def test_validation_summarises_the_valid_files() -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=attachable_row(dataset, size=10))
    make_asset(dataset, "b.nwb", blob=attachable_row(dataset, size=20))
    make_asset(dataset, "c.nwb", blob=attachable_row(dataset, size=40), **INVALID)
    _validate(dataset)
    summary = _draft(dataset).metadata["assetsSummary"]
    assert (summary["numberOfFiles"], summary["numberOfBytes"]) == (2, 30)
    assert [standard["name"] for standard in summary["dataStandard"]] == ["Neurodata Without Borders (NWB)"]


def test_validation_settles_a_file_that_adds_nothing_to_the_summary() -> None:
    dataset = make_dataset()
    make_asset(dataset, "README.md", encodingFormat="text/markdown")
    _validate(dataset)
    assert _paths("Valid") == {"README.md"}


def test_validation_takes_many_files_batch_by_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "VALIDATION_BATCH", 2)
    dataset = make_dataset()
    for name in "abcde":
        make_asset(dataset, name)
    _validate(dataset)
    assert _paths("Valid") == set("abcde")


def test_validation_looks_at_no_file_twice(monkeypatch: pytest.MonkeyPatch, worker: Worker) -> None:
    looked: list[str] = []

    def looking(metadata: dict[str, Any]) -> list[Problem]:
        looked.append(metadata["path"])
        return validate_asset(metadata)

    monkeypatch.setattr(work, "validate_asset", looking)
    dataset = make_valid_dataset(worker, paths=("a.nwb",))
    make_asset(dataset, "b.nwb")
    _describe(dataset)
    worker.run()
    assert looked == ["a.nwb", "b.nwb"]


# --- SHA-256 ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("late_checksums")
def test_validation_waits_for_a_digest_and_says_so() -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    make_asset(dataset, "b.nwb")
    _validate(dataset)
    assert (_paths("Pending"), _paths("Valid")) == ({"a.nwb"}, {"b.nwb"})
    assert (_projection(dataset).state, _projection(dataset).reason) == (
        "waiting",
        "1 files wait for their SHA-256 or Zarr checksum.",
    )
    waiting = "asset is currently being validated, please wait."
    assert asset_problems(_draft(dataset)) == [{"field": "", "message": waiting, "path": "a.nwb"}]


@pytest.mark.usefixtures("late_checksums")
def test_validation_goes_on_as_soon_as_the_digest_is_known(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    _validate(dataset)
    # Nobody makes the validation due: it is the digest's nudge that does.
    worker.run()
    assert _paths("Valid") == {"a.nwb"}
    assert _draft(dataset).status == Version.Status.VALID


@pytest.mark.usefixtures("late_checksums")
def test_validation_misses_no_digest_that_becomes_known_while_it_is_at_work(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slowly(metadata: dict[str, Any]) -> list[Problem]:
        drain_due_jobs(CHECKSUM_JOB)
        worker.run()
        return validate_version(metadata)

    dataset = make_dataset()
    make_asset(dataset, "a.nwb", blob=make_blob(dataset))
    monkeypatch.setattr(work, "validate_version", slowly)
    _validate(dataset)
    assert Blob.objects.get().sha256
    assert _paths("Valid") == {"a.nwb"}


# --- Changes meanwhile ------------------------------------------------------------------------------------------------


def _while_validating(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Let somebody change something between the reading and the writing of the next validation of a draft."""

    def disturbed(metadata: dict[str, Any]) -> list[Problem]:
        monkeypatch.setattr(work, "validate_version", validate_version)
        problems = validate_version(metadata)
        change()
        return problems

    monkeypatch.setattr(work, "validate_version", disturbed)


def _run_once(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """One look at the draft, as of a worker that dies right after it."""
    monkeypatch.setattr("archive.timeline.work.projections.MAX_ROUNDS", 1)
    _validate(dataset)


def test_verdict_on_a_draft_that_was_edited_meanwhile_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset()
    make_asset(dataset)
    _while_validating(monkeypatch, lambda: _describe(dataset, description="Better.", license=["nonsense"]))
    _run_once(dataset, monkeypatch)
    draft = _draft(dataset)
    assert (draft.status, draft.metadata["description"]) == (Version.Status.PENDING, "Better.")


def test_verdict_on_a_draft_whose_files_were_changed_meanwhile_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb")
    _while_validating(monkeypatch, lambda: make_asset(dataset, "b.nwb"))
    _run_once(dataset, monkeypatch)
    assert _draft(dataset).status == Version.Status.PENDING


def test_draft_that_was_edited_meanwhile_is_validated_again_by_the_next_run(monkeypatch: pytest.MonkeyPatch) -> None:
    dataset = make_dataset()
    make_asset(dataset)
    _while_validating(monkeypatch, lambda: _describe(dataset, license=["nonsense"]))
    _validate(dataset)
    assert _draft(dataset).status == Version.Status.PENDING
    _validate(dataset)
    assert _draft(dataset).status == Version.Status.INVALID


def test_file_that_was_removed_while_it_was_validated_stays_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    def removing(metadata: dict[str, Any]) -> list[Problem]:
        monkeypatch.undo()
        remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
        return []

    dataset = make_dataset()
    asset = make_asset(dataset)
    monkeypatch.setattr(work, "validate_asset", removing)
    _validate(dataset)
    asset.refresh_from_db()
    assert asset.retired
    assert _draft(dataset).file_count == 0


def test_validation_leaves_a_published_draft_alone(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    make_published_version(worker, dataset)
    Projection.objects.update(cursor=0)
    _validate(dataset)
    assert _draft(dataset).status == Version.Status.PUBLISHED


def test_validation_of_a_dataset_that_is_gone_ends() -> None:
    dataset = make_dataset()
    number = dataset.number
    delete_dataset(actor=owner_of(dataset), dataset=dataset)
    advance_projection(number, "validation")
    assert Projection.objects.get(name="validation").state == "following"


# --- What readers are told --------------------------------------------------------------------------------------------


def test_details_of_a_draft_tell_of_uploads_and_files(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    details = find_version_details(ANONYMOUS, dataset.number, "draft")
    assert (details.version, details.active_uploads, details.asset_problems) == (_draft(dataset), 0, [])
    make_asset(dataset, "b.nwb")
    assert [each["path"] for each in find_version_details(ANONYMOUS, dataset.number, "draft").asset_problems] == [
        "b.nwb"
    ]


@pytest.mark.parametrize(
    "ask",
    [
        lambda dataset: find_version_details(ANONYMOUS, dataset.number, "draft"),
        lambda dataset: has_unsettled_assets(dataset, Asset.Status.PENDING),
        lambda dataset: asset_problems(_draft(dataset)),
        _validate,
    ],
    ids=["details", "publishing", "problems", "validation"],
)
def test_unsettled_assets_are_found_by_their_index_though_most_are_believed_to_be_pending(
    ask: Callable[[Dataset], Any],
) -> None:
    dataset = make_dataset()
    blob = attachable_row(dataset)
    add = [new_asset(f"{number}.nwb", blob) for number in range(1000)]
    change_assets(actor=owner_of(dataset), dataset=dataset, add=add)
    count_rows("archive_asset")
    Asset.objects.update(status=Asset.Status.VALID)
    plans = plans_of(lambda: ask(dataset), "archive_asset")
    asked = [plan for sql, plan in plans.items() if "'Pending'" in sql or "<> 'Valid'" in sql]
    assert asked
    assert [plan for plan in asked if "using asset_unsettled" not in plan] == []


def test_details_of_a_published_version_know_of_nothing_wrong(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    version = make_published_version(worker, dataset)
    make_asset(dataset, "b.nwb")
    details = find_version_details(ANONYMOUS, dataset.number, version.version)
    assert (details.version, details.active_uploads, details.asset_problems) == (version, 0, [])
    assert asset_problems(version) == []


def test_validation_dates_its_verdict() -> None:
    dataset = make_dataset()
    asset = make_asset(dataset)
    Asset.objects.update(modified=timezone.now() - timedelta(days=1))
    _validate(dataset)
    asset.refresh_from_db()
    assert asset.modified > asset.created
