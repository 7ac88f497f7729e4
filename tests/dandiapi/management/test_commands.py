"""What operators do by commands: each says what it would do, does it, and says what it did."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from archive.accounts.queries import find_token, owners_of
from archive.assets.models import Asset, Folder, SummaryValue
from archive.blobs.models import Blob
from archive.datasets.models import Dataset, Version
from archive.datasets.services import create_dataset
from archive.garbage.queries import AGE
from archive.search.models import Document
from archive.snapshots.models import Bundle
from archive.timeline.models import Change, Job, Projection
from tests.datacite import PASSWORD, USER, running_datacite
from tests.factories import (
    acting,
    attachable_row,
    make_asset,
    make_blob,
    make_dataset,
    make_nameless_user,
    make_published_version,
    make_user,
    make_valid_dataset,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db

ABOUT_DATASETS = [
    "migrate_version_metadata",
    "rebuild_search",
    "rebuild_snapshots",
    "recount_folders",
    "recount_summaries",
    "register_dois",
    "revalidate",
    "write_manifests",
]


def run(command: str, *arguments: str) -> str:
    """What the command says."""
    output = StringIO()
    call_command(command, *arguments, stdout=output, stderr=output)
    return output.getvalue()


@pytest.fixture
def dataset(worker: Worker) -> Dataset:
    """A published dataset with nothing left to do."""
    dataset = make_valid_dataset(worker, paths=("a/b.nwb", "c.nwb"))
    make_published_version(worker, dataset)
    return dataset


# --- Which datasets ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ABOUT_DATASETS)
@pytest.mark.parametrize(
    ("arguments", "message"),
    [([], "Name some datasets"), (["999999"], "no dataset 999999"), (["x"], "valid Dandiset identifier")],
)
def test_command_refuses_what_is_no_dataset(command: str, arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        run(command, *arguments)


@pytest.mark.parametrize("command", ABOUT_DATASETS)
def test_dry_run_changes_nothing(command: str, dataset: Dataset) -> None:
    before = [list(model.objects.order_by("pk").values()) for model in (Change, Job, Projection, Version, Asset)]
    assert run(command, "--all", "--dry-run")
    after = [list(model.objects.order_by("pk").values()) for model in (Change, Job, Projection, Version, Asset)]
    assert after == before


# --- Doing again ------------------------------------------------------------------------------------------------------


def test_revalidate_has_draft_and_assets_judged_again(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    Asset.objects.update(status=Asset.Status.INVALID, problems=[{"field": "x", "message": "an old rule"}])
    assert run("revalidate", dataset.identifier) == "Asked for the validation of 1 drafts.\n"
    worker.run()
    assert Asset.objects.get().status == Asset.Status.VALID
    assert dataset.versions.get().status == Version.Status.VALID


def test_revalidate_leaves_the_assets_if_asked_to(worker: Worker) -> None:
    make_valid_dataset(worker)
    Asset.objects.update(status=Asset.Status.INVALID)
    run("revalidate", "--all", "--versions-only")
    worker.run()
    assert Asset.objects.get().status == Asset.Status.INVALID


def test_revalidate_leaves_a_published_draft_as_it_is(dataset: Dataset, worker: Worker) -> None:
    run("revalidate", "--all")
    worker.run()
    assert dataset.versions.get(version="draft").status == Version.Status.PUBLISHED


def test_write_manifests_starts_a_job_for_each_version(dataset: Dataset) -> None:
    Job.objects.filter(kind="manifest").delete()
    assert run("write_manifests", "--all", "--published-only") == "Asked for the manifests of 1 versions.\n"
    assert Job.objects.filter(kind="manifest", state="queued").count() == 1


def test_rebuild_search_brings_back_what_is_lost(dataset: Dataset, worker: Worker) -> None:
    before = set(Document.objects.values_list("version_id", flat=True))
    Document.objects.all().delete()
    run("rebuild_search", dataset.identifier)
    worker.run()
    assert set(Document.objects.values_list("version_id", flat=True)) == before


def test_rebuild_snapshots_writes_the_same_commits_again(writer: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, blob=make_blob(dataset))
    writer.run()
    [before] = Bundle.objects.filter(repository=dataset.number)
    assert run("rebuild_snapshots", dataset.identifier).endswith("Wrote 1 of 1 repositories again.\n")
    [after] = Bundle.objects.filter(repository=dataset.number)
    assert (after.main, after.annex) == (before.main, before.annex)
    assert after.key != before.key


def test_rebuild_snapshots_says_what_it_cannot_do(writer: Worker) -> None:
    dataset = make_dataset()
    asset = make_asset(dataset, blob=make_blob(dataset))
    writer.run()
    Asset.objects.filter(pk=asset.pk).delete()
    assert "cannot be written again" in run("rebuild_snapshots", dataset.identifier)


def test_recount_folders_says_what_is_wrong_and_puts_it_right(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("a/b.nwb", "a/c.nwb"))
    Folder.objects.filter(path="a").update(file_count=7)
    assert run("recount_folders", "--all", "--dry-run") == f"{dataset.identifier}/a is wrong.\n1 folders are wrong.\n"
    run("recount_folders", "--all")
    assert Folder.objects.get(path="a", retired=None).file_count == 2
    assert run("recount_folders", "--all") == "0 folders were wrong.\n"


def test_recount_summaries_says_what_is_wrong_and_puts_it_right(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("sub-1_a.nwb", "sub-2_b.nwb"))
    summary = dataset.versions.get().metadata["assetsSummary"]
    SummaryValue.objects.filter(part="subjects", value="1").delete()
    SummaryValue.objects.filter(part="subjects", value="2").update(asset_count=3)
    told = run("recount_summaries", "--all", "--dry-run")
    assert sorted(told.splitlines()) == [
        "000001 subjects: 1 is counted wrong.",
        "000001 subjects: 2 is counted wrong.",
        "2 values are counted wrong.",
    ]
    run("recount_summaries", "--all")
    assert run("recount_summaries", "--all") == "0 values were counted wrong.\n"
    worker.run()
    draft = dataset.versions.get()
    assert (draft.status, draft.metadata["assetsSummary"]) == (Version.Status.VALID, summary)


@pytest.mark.usefixtures("late_checksums")
def test_calculate_sha256_asks_for_those_that_are_missing(worker: Worker) -> None:
    dataset = make_dataset()
    blob = make_blob(dataset)
    attachable_row(dataset)
    Job.objects.all().delete()
    assert run("calculate_sha256", "--dry-run") == "1 blobs have no SHA-256.\n"
    assert run("calculate_sha256") == "Asked for the SHA-256 of 1 blobs.\n"
    worker.run()
    assert Blob.objects.get(pk=blob.pk).sha256


@pytest.mark.parametrize("blob_id", ["x", "00000000-0000-4000-8000-000000000000"])
def test_calculate_sha256_refuses_what_is_no_blob(blob_id: str) -> None:
    with pytest.raises(CommandError):
        run("calculate_sha256", "--blob-id", blob_id)


def test_register_dois_registers_what_is_not(dataset: Dataset, worker: Worker, settings: Any) -> None:
    with pytest.raises(CommandError, match="registers no DOIs"):
        run("register_dois", "--all")
    with running_datacite(silence=0) as datacite:
        settings.DATACITE_URL, settings.DATACITE_USER, settings.DATACITE_PASSWORD = datacite.url, USER, PASSWORD
        assert run("register_dois", "--all") == "Asked for 1 DOIs.\n"
        worker.run()
        assert run("register_dois", "--all") == "Asked for 0 DOIs.\n"
    assert list(datacite.dois) == [str(dataset.versions.get(doi__isnull=False).doi)]


def test_migrate_version_metadata_speaks_the_present_schema(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    draft = dataset.versions.get()
    current = draft.metadata["schemaVersion"]
    Version.objects.update(metadata={**draft.metadata, "schemaVersion": "0.6.4"})
    assert run("migrate_version_metadata", "--all", "--dry-run") == "Would migrate 1 drafts.\n"
    assert run("migrate_version_metadata", "--all") == "Migrated 1 drafts.\n"
    assert run("migrate_version_metadata", "--all") == "Migrated 0 drafts.\n"
    assert dataset.versions.get().metadata["schemaVersion"] == current


def test_migrate_version_metadata_says_what_it_cannot_do(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    Version.objects.update(metadata={"schemaVersion": "0.1.0"})
    assert f"{dataset.identifier}: The metadata cannot be migrated" in run("migrate_version_metadata", "--all")


# --- Garbage ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def unused() -> Blob:
    blob = make_blob(make_dataset())
    Blob.objects.update(created=timezone.now() - 2 * AGE)
    return blob


def test_collect_garbage_says_collects_and_gives_back(unused: Blob) -> None:
    would = f"Would collect 1 blobs of {unused.size} bytes.\nWould purge 0 events.\n"
    assert run("collect_garbage", "--blobs", "--dry-run") == would
    assert Blob.objects.exists()
    assert f"Collected 1 blobs of {unused.size} bytes; --undo" in run("collect_garbage", "--blobs")
    number = run("collect_garbage", "--list").split("\t")[0]
    assert run("collect_garbage", "--undo", number) == "Gave back 1 blobs.\n"
    assert run("collect_garbage", "--list").strip().endswith("undone")


def test_collect_garbage_collects_nothing_it_is_not_asked_to(unused: Blob) -> None:
    assert run("collect_garbage") == ""
    assert Blob.objects.exists()


@pytest.mark.parametrize("arguments", [["--blobs", "--older-than", "0"], ["--undo", "1"]])
def test_collect_garbage_refuses_what_it_cannot_do(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        run("collect_garbage", *arguments)


# --- People and trials ------------------------------------------------------------------------------------------------


def test_drf_create_token_speaks_as_its_readers_expect() -> None:
    person = make_user()
    words = run("drf_create_token", person.username).split()
    assert (words[:2], words[3:]) == (["Generated", "token"], ["for", "user", person.username])
    token = find_token(words[2])
    assert token
    assert token.user == person


@pytest.mark.parametrize("command", ["create_token", "drf_create_token"])
def test_account_of_a_token_has_a_name_and_so_may_make_datasets(command: str) -> None:
    person = make_nameless_user()
    run(command, person.username)
    person.refresh_from_db()
    dataset = create_dataset(actor=acting(person), name="Moths", metadata={})
    assert dataset.versions.get().contact_person == "User, User"


def test_drf_create_token_refuses_who_is_not_there() -> None:
    with pytest.raises(CommandError, match="does not exist"):
        run("drf_create_token", "nobody@example.org")


def test_create_dev_dandiset_makes_one_that_can_be_worked_with(worker: Worker) -> None:
    assert "Would make" in run("create_dev_dandiset", "--owner", "a@example.org", "--dry-run")
    identifier = run("create_dev_dandiset", "--owner", "a@example.org", "--num-extra-owners", "2").strip()
    dataset = Dataset.objects.get()
    assert (dataset.identifier, owners_of(dataset.number).count()) == (identifier, 3)
    make_asset(dataset)
    worker.run()
    assert dataset.versions.get().status == Version.Status.VALID
