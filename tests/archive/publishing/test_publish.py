"""Publishing: a version is a point on the timeline, fixed when it is asked for (docs/architecture.md#versions)."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from archive.accounts.policy import ANONYMOUS
from archive.assets.models import Asset, Folder
from archive.assets.queries import AssetDocuments, assets_of
from archive.assets.services import change_assets, remove_asset
from archive.datasets.models import Dataset, Version
from archive.datasets.services import update_draft
from archive.errors import ArchiveError, ConflictError, ForbiddenError, InvalidError, LockedError, Reason
from archive.publishing.services import publish
from archive.publishing.work import PUBLISH_JOB
from archive.timeline.models import Change, Job
from archive.timeline.queries import changes, position
from archive.timeline.work.jobs import drain_due_jobs
from tests.archive.assets.state import files_of, recounted, sums_of
from tests.factories import (
    acting,
    attachable_row,
    make_asset,
    make_dataset,
    make_embargoed_dataset,
    make_published_version,
    make_user,
    make_valid_dataset,
    new_asset,
    owner_of,
    valid_dandiset_metadata,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def _draft(dataset: Dataset) -> Version:
    return dataset.versions.get(version="draft")


def _publish(dataset: Dataset, release_notes: str = "") -> Version:
    """Ask for a version, and leave the rest to a worker."""
    job = publish(actor=owner_of(dataset), dataset=dataset, release_notes=release_notes)
    return Version.objects.get(pk=job.subject)


def _describe(dataset: Dataset, description: str) -> None:
    metadata = {**valid_dandiset_metadata(), "description": description}
    update_draft(actor=owner_of(dataset), dataset=dataset, name="Mouse vision", metadata=metadata)


# --- What is published ------------------------------------------------------------------------------------------------


def test_publish_makes_a_version_of_the_draft(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("a.nwb", "sub-1/b.nwb"))
    version = make_published_version(worker, dataset)
    assert version.at == position(dataset.number)
    assert files_of(version) == {"a.nwb": 1, "sub-1/b.nwb": 1}
    assert sums_of(version) == recounted(files_of(version))
    assert (version.name, version.file_count, version.size) == ("Mouse vision", 2, 2)
    change = changes(dataset.number).last()
    assert change
    assert (change.kind, change.details) == (Change.Kind.PUBLISH, {"version": version.version})


def test_publish_composes_the_metadata_of_a_published_version(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    job = publish(actor=owner_of(dataset), dataset=dataset, release_notes="The first.")
    worker.run()
    version = Version.objects.get(pk=job.subject)
    metadata = version.metadata
    assert metadata["version"] == version.version
    assert metadata["id"] == f"DANDI:{dataset.identifier}/{version.version}"
    assert metadata["doi"] == version.doi == f"10.80507/dandi.{dataset.identifier}/{version.version}"
    assert metadata["assetsSummary"]["numberOfFiles"] == 1
    assert metadata["releaseNotes"] == "The first."
    assert metadata["datePublished"] == version.created.isoformat()
    assert metadata["manifestLocation"][0].endswith(f"/{dataset.identifier}/{version.version}/assets.yaml")


def test_version_and_draft_are_publishing_until_a_worker_has_finished(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    version = _publish(dataset)
    assert version.status == Version.Status.PUBLISHING
    assert _draft(dataset).status == Version.Status.PUBLISHING


def test_published_files_name_the_publication_that_first_showed_them(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("a.nwb",))
    first = make_published_version(worker, dataset)
    make_asset(dataset, "b.nwb")
    worker.run()
    second = make_published_version(worker, dataset)
    make_asset(dataset, "c.nwb")
    documents = AssetDocuments(dataset, reader=ANONYMOUS)
    published = {asset.path: documents.document(asset).get("publishedBy") for asset in Asset.objects.all()}
    assert published == {
        "a.nwb": first.metadata["publishedBy"],
        "b.nwb": second.metadata["publishedBy"],
        "c.nwb": None,
    }
    assert first.metadata["publishedBy"] != second.metadata["publishedBy"]


def test_versions_of_the_same_minute_have_different_names(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    names = [make_published_version(worker, dataset).version]
    for name in "bc":
        make_asset(dataset, f"{name}.nwb")
        worker.run()
        names.append(make_published_version(worker, dataset).version)
    assert len(set(names)) == 3
    assert names == sorted(names)


# --- The point --------------------------------------------------------------------------------------------------------


def test_edits_after_the_request_are_not_in_the_version(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("a.nwb", "b.nwb"))
    version = _publish(dataset)
    make_asset(dataset, "c.nwb")
    gone = Asset.objects.get(path="a.nwb")
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=gone.asset_id)
    _describe(dataset, "Something else.")
    worker.run()
    version.refresh_from_db()
    assert version.status == Version.Status.VALID
    assert files_of(version) == {"a.nwb": 1, "b.nwb": 1}
    assert version.metadata["description"] == "What a mouse saw."
    assert version.metadata["assetsSummary"]["numberOfFiles"] == 2


@pytest.mark.parametrize("rules", [Version.Rules.DANDI, Version.Rules.BIDS])
def test_version_is_summarised_as_the_draft_was_at_the_request(worker: Worker, rules: Version.Rules) -> None:
    dataset = make_valid_dataset(worker, paths=("sub-1_a.nwb",))
    # The draft's own summary lags behind: files have been judged since, and the draft has not.
    make_asset(dataset, "sub-2_b.nwb")
    old = _draft(dataset).metadata
    worker.run()
    dataset.versions.update(metadata=old)
    job = publish(actor=owner_of(dataset), dataset=dataset, rules=rules)
    Job.objects.filter(pk=job.pk).update(next_attempt="2999-01-01T00:00Z")
    make_asset(dataset, "sub-3_c.nwb")
    worker.run()
    Job.objects.filter(pk=job.pk).update(next_attempt=timezone.now())
    worker.run()
    summary = Version.objects.get(pk=job.subject, status=Version.Status.VALID).metadata["assetsSummary"]
    assert (old["assetsSummary"]["numberOfFiles"], summary["numberOfFiles"], summary["numberOfSubjects"]) == (1, 2, 2)


def test_draft_that_is_edited_while_it_is_published_is_not_called_published(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    _publish(dataset)
    make_asset(dataset, "b.nwb")
    assert _draft(dataset).status == Version.Status.PENDING
    worker.run()
    assert _draft(dataset).status == Version.Status.VALID


def test_draft_stays_published_until_it_is_edited(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    make_published_version(worker, dataset)
    worker.run()
    assert _draft(dataset).status == Version.Status.PUBLISHED
    _describe(dataset, "Something else.")
    assert _draft(dataset).status == Version.Status.PENDING


def test_version_goes_on_showing_its_state_whatever_becomes_of_the_draft(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("a/b", "a/c", "d"))
    version = make_published_version(worker, dataset)
    shown = list(assets_of(version).order_by("path").values("asset_id", "path", "status", "metadata"))
    blob = attachable_row(dataset, size=9)
    change_assets(
        actor=owner_of(dataset),
        dataset=dataset,
        add=[new_asset("a/b", blob), new_asset("e", blob)],
        remove=["a/b", "d"],
    )
    worker.run()
    make_published_version(worker, dataset)
    change_assets(actor=owner_of(dataset), dataset=dataset, remove=["a/b", "a/c", "e"])
    assert list(assets_of(version).order_by("path").values("asset_id", "path", "status", "metadata")) == shown
    assert sums_of(version) == recounted({"a/b": 1, "a/c": 1, "d": 1})


# --- Cost -------------------------------------------------------------------------------------------------------------


def _rows() -> int:
    return sum(model._default_manager.count() for model in (Asset, Change, Folder, Job, Version))


def _cost(worker: Worker, files: int) -> tuple[int, int, int]:
    """Rows and queries that asking for a version of so many files costs, and queries that finishing it does."""
    dataset = make_dataset()
    blob = attachable_row(dataset)
    add = [new_asset(f"sub-{number}/a.nwb", blob) for number in range(files)]
    change_assets(actor=owner_of(dataset), dataset=dataset, add=add)
    worker.run()
    actor, rows = owner_of(dataset), _rows()
    with CaptureQueriesContext(connection) as asking:
        publish(actor=actor, dataset=dataset)
    with CaptureQueriesContext(connection) as finishing:
        drain_due_jobs(PUBLISH_JOB)
    assert dataset.versions.filter(status=Version.Status.VALID).exists()
    return _rows() - rows, len(asking), len(finishing)


def test_publish_of_many_files_costs_what_publish_of_few_does(worker: Worker) -> None:
    few, many = _cost(worker, 3), _cost(worker, 300)
    assert few == many
    # A change, a version, the job, and the next one that writes manifests.
    assert many[0] == 4


# --- Refusals ---------------------------------------------------------------------------------------------------------


def _embargoed(worker: Worker) -> Dataset:
    return make_embargoed_dataset()


def _being_published(worker: Worker) -> Dataset:
    dataset = make_valid_dataset(worker)
    _publish(dataset)
    return dataset


def _being_published_and_edited(worker: Worker) -> Dataset:
    dataset = _being_published(worker)
    Job.objects.filter(kind=PUBLISH_JOB).update(next_attempt="2999-01-01T00:00Z")
    make_asset(dataset, "b.nwb")
    worker.run()
    return dataset


def _published(worker: Worker) -> Dataset:
    dataset = make_valid_dataset(worker)
    make_published_version(worker, dataset)
    return dataset


def _just_made(worker: Worker) -> Dataset:
    return make_dataset()


def _with_a_pending_file(worker: Worker) -> Dataset:
    dataset = make_valid_dataset(worker)
    Asset.objects.update(status="Pending")
    return dataset


def _validating(worker: Worker) -> Dataset:
    dataset = make_valid_dataset(worker)
    Version.objects.update(status="Validating")
    return dataset


def _empty(worker: Worker) -> Dataset:
    dataset = make_dataset()
    worker.run()
    return dataset


def _with_an_invalid_file(worker: Worker) -> Dataset:
    dataset = make_dataset()
    make_asset(dataset, encodingFormat=None)
    worker.run()
    return dataset


@pytest.mark.parametrize(
    ("make", "error", "reason"),
    [
        (_embargoed, InvalidError, Reason.NOT_RELEASED),
        (_being_published, LockedError, Reason.BEING_PUBLISHED),
        (_being_published_and_edited, LockedError, Reason.BEING_PUBLISHED),
        (_published, InvalidError, Reason.UNCHANGED),
        (_just_made, ConflictError, Reason.NOT_VALIDATED),
        (_with_a_pending_file, ConflictError, Reason.NOT_VALIDATED),
        (_validating, ConflictError, Reason.BEING_VALIDATED),
        (_empty, InvalidError, Reason.NOT_VALID),
        (_with_an_invalid_file, InvalidError, Reason.NOT_VALID),
    ],
)
def test_publish_is_refused(
    worker: Worker, make: Callable[[Worker], Dataset], error: type[ArchiveError], reason: Reason
) -> None:
    dataset = make(worker)
    before = [position(dataset.number), Version.objects.count(), Job.objects.count()]
    with pytest.raises(error) as caught:
        publish(actor=owner_of(dataset), dataset=dataset)
    assert caught.value.reason == reason
    assert [position(dataset.number), Version.objects.count(), Job.objects.count()] == before


def test_publish_is_refused_to_strangers(worker: Worker) -> None:
    with pytest.raises(ForbiddenError, match="Only the owners"):
        publish(actor=acting(make_user()), dataset=make_valid_dataset(worker))


def test_publish_refuses_endless_release_notes(worker: Worker) -> None:
    with pytest.raises(InvalidError) as caught:
        _publish(make_valid_dataset(worker), "a" * 5001)
    assert caught.value.field == "release_notes"


@pytest.mark.parametrize(
    "fields", [{"version": "0.260101.0000"}, {"version": "draft", "at": 1}, {"version": "1.0", "at": 1}]
)
def test_rows_refuse_a_version_that_is_neither_draft_nor_point(fields: dict[str, Any]) -> None:
    dataset = make_embargoed_dataset()
    dataset.versions.all().delete()
    with pytest.raises(IntegrityError, match="version_draft_has_no_point"), transaction.atomic():
        Version.objects.create(dataset=dataset, name="x", metadata={"schemaVersion": "0"}, **fields)
