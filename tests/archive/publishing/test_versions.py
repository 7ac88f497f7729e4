"""Versions of several kinds: with labels, by other rules than DANDI's, of datasets that are not open."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import IntegrityError, connections
from django.utils import timezone

from archive.accounts.policy import ANONYMOUS
from archive.assets.queries import assets_of, find_asset_anywhere
from archive.assets.services import remove_asset
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import (
    VersionOrder,
    find_named_dataset,
    find_version,
    latest_of,
    page_of_versions,
)
from archive.datasets.services import create_dataset, delete_version, update_draft
from archive.embargo.queries import opened_by_release
from archive.embargo.services import release
from archive.embargo.work import OPENED_JOB
from archive.errors import ArchiveError, ForbiddenError, InvalidError, LockedError, NotFoundError
from archive.metadata.problems import Problem
from archive.metadata.queries import schema_info
from archive.publishing import work
from archive.publishing.rules import RULES, Candidate, Document, document_problems
from archive.publishing.services import cancel_job, publish, retry_job, set_version_access
from archive.timeline.models import Change, Job
from archive.timeline.queries import find_open_job
from archive.timeline.services import start_job
from archive.timeline.work.jobs import run_job
from tests.factories import (
    acting,
    make_admin,
    make_asset,
    make_dataset,
    make_editor,
    make_embargoed_dataset,
    make_published_version,
    make_user,
    make_valid_dataset,
    make_viewer,
    owner_of,
    valid_dandiset_metadata,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db

BIDS = Version.Rules.BIDS
DOCUMENTS = Version.Rules.DOCUMENTS


def make_private_dataset() -> Dataset:
    return create_dataset(
        actor=acting(make_user()), name="Mouse vision", metadata=valid_dandiset_metadata(), is_private=True
    )


def make_version(worker: Worker, dataset: Dataset, label: str | None = None, rules: Version.Rules = BIDS) -> Version:
    worker.run()
    job = publish(actor=owner_of(dataset), dataset=dataset, label=label, rules=rules)
    worker.run()
    return dataset.versions.get(pk=job.subject)


# --- Names ------------------------------------------------------------------------------------------------------------


def test_version_is_found_by_all_its_names(worker: Worker) -> None:
    dataset = make_dataset()
    first, second = make_version(worker, dataset), make_version(worker, dataset, "1.0.0")
    for name in (second.version, "1.0.0", "2"):
        assert find_version(ANONYMOUS, dataset.number, name) == second
    assert find_version(ANONYMOUS, dataset.number, "1") == first
    for name in ("3", "0", "1.0", "latest", ""):
        with pytest.raises(NotFoundError):
            find_version(ANONYMOUS, dataset.number, name)


def test_label_of_digits_comes_before_the_ordinal(worker: Worker) -> None:
    dataset = make_dataset()
    labelled = make_version(worker, dataset, "2")
    second = make_version(worker, dataset, "second")
    assert find_version(ANONYMOUS, dataset.number, "1") == find_version(ANONYMOUS, dataset.number, "2") == labelled
    assert find_version(ANONYMOUS, dataset.number, second.version) == second


@pytest.mark.parametrize("label", ["1", "V1.0", "v1.0"])
def test_label_that_another_version_answers_to_is_refused(worker: Worker, label: str) -> None:
    dataset = make_dataset()
    make_version(worker, dataset, "v1.0")
    with pytest.raises(InvalidError, match="already"):
        publish(actor=owner_of(dataset), dataset=dataset, label=label, rules=BIDS)


def test_names_of_a_withdrawn_version_are_given_to_no_other(worker: Worker) -> None:
    dataset = make_dataset()
    make_version(worker, dataset, "0.9.0")
    withdrawn = make_version(worker, dataset, "1.0.0")
    delete_version(actor=acting(make_admin()), version=withdrawn)
    with pytest.raises(InvalidError, match="which was withdrawn"):
        publish(actor=owner_of(dataset), dataset=dataset, label="1.0.0", rules=BIDS)
    with pytest.raises(InvalidError, match="which was withdrawn"):
        publish(actor=owner_of(dataset), dataset=dataset, label="2", rules=BIDS)
    version = make_version(worker, dataset, "9" * 20)
    assert version.version > withdrawn.version
    assert version.ordinal == 3


@pytest.mark.parametrize(
    "label", ["draft", "latest", "main", "Git-Annex", "FETCH_HEAD", "a" * 40, "e\u0301", "0.260102.0304", "a b", ""]
)
def test_label_that_cannot_be_is_refused_and_nothing_is_made(label: str) -> None:
    dataset = make_dataset()
    with pytest.raises(InvalidError) as caught:
        publish(actor=owner_of(dataset), dataset=dataset, label=label, rules=BIDS)
    assert caught.value.field == "label"
    assert dataset.versions.count() == 1
    assert not Change.objects.filter(dataset_id=dataset.number, kind=Change.Kind.PUBLISH).exists()


def test_label_that_is_taken_is_refused_in_its_dataset_alone(worker: Worker) -> None:
    dataset = make_dataset()
    make_version(worker, dataset, "1.0.0")
    with pytest.raises(InvalidError, match=r"has a version '1\.0\.0' already"):
        publish(actor=owner_of(dataset), dataset=dataset, label="1.0.0", rules=BIDS)
    assert make_version(worker, make_dataset(), "1.0.0").label == "1.0.0"


@pytest.mark.parametrize("label", ["Draft", "0.260102.0304", "a/b", ""])
def test_postgres_refuses_labels_that_would_mean_something_else(worker: Worker, label: str) -> None:
    version = make_version(worker, make_dataset())
    with pytest.raises(IntegrityError):
        Version.objects.filter(pk=version.pk).update(label=label)


@pytest.mark.django_db(transaction=True)
def test_one_of_two_clients_gets_the_label_when_both_want_it_at_once(worker: Worker) -> None:
    dataset = make_dataset()
    owner = owner_of(dataset)

    def attempt(_: int) -> str:
        try:
            return publish(actor=owner, dataset=dataset, label="1.0.0", rules=BIDS).kind
        except ArchiveError as error:
            return error.code
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as threads:
        outcomes = sorted(threads.map(attempt, range(4)))
    assert outcomes == ["locked", "locked", "locked", "publish"]
    worker.run()
    assert list(dataset.versions.filter(at__isnull=False).values_list("label", "ordinal")) == [("1.0.0", 1)]


def test_ordinals_count_the_versions_and_are_not_given_twice_while_the_newest_stands(worker: Worker) -> None:
    dataset = make_dataset()
    versions = [make_version(worker, dataset) for _ in range(3)]
    versions[0].delete()
    versions.append(make_version(worker, dataset))
    assert list(dataset.versions.exclude(at=None).order_by("at").values_list("ordinal", flat=True)) == [2, 3, 4]


def test_project_name_finds_its_dataset_as_its_numbers_do() -> None:
    owner = acting(make_user())
    dataset = create_dataset(actor=owner, name="A", metadata=valid_dandiset_metadata(), project_name="Mouse-1")
    for name in ("Mouse-1", dataset.identifier, f"ds{dataset.identifier}"):
        assert find_named_dataset(ANONYMOUS, name) == dataset
    for name in ("mouse-1", "Mouse", "999999", "ds999999"):
        with pytest.raises(NotFoundError):
            find_named_dataset(ANONYMOUS, name)
    with pytest.raises(InvalidError, match="of the name 'Mouse-1' already"):
        create_dataset(actor=owner, name="B", metadata=valid_dandiset_metadata(), project_name="Mouse-1")


# --- Rules ------------------------------------------------------------------------------------------------------------


def test_version_by_other_rules_is_made_of_a_draft_that_dandi_would_not_publish(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb")
    update_draft(actor=owner_of(dataset), dataset=dataset, name="Mouse vision", metadata={"license": ["none"]})
    version = make_version(worker, dataset, "1.0.0")
    assert (version.status, version.rules, version.verdict, version.doi) == ("Invalid", "bids", None, None)
    assert version.problems
    assert "doi" not in version.metadata
    assert [asset.path for asset in assets_of(version)] == ["a.nwb"]
    assert latest_of(ANONYMOUS, dataset).published is None
    assert dataset.versions.get(version="draft").status == Version.Status.INVALID


def test_version_says_when_files_of_it_are_not_valid(worker: Worker) -> None:
    dataset = make_dataset()
    for path, version in {"a.nwb": "0.0.1", "b.nwb": schema_info().current}.items():
        make_asset(dataset, path, schemaVersion=version)
    worker.run()
    made = make_version(worker, dataset)
    assert made.problems == [{"field": "", "message": "1 of its files are not valid."}]
    assert made.metadata["assetsSummary"]["numberOfFiles"] == 1


def test_version_by_other_rules_waits_for_files_that_nobody_has_looked_at(worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb")
    job = publish(actor=owner_of(dataset), dataset=dataset, rules=BIDS)
    run_job(job.id)
    assert dataset.versions.get(pk=job.subject).status == Version.Status.PUBLISHING
    worker.run()
    Job.objects.filter(pk=job.pk).update(next_attempt=timezone.now())
    worker.run()
    version = dataset.versions.get(pk=job.subject)
    assert (version.status, version.metadata["assetsSummary"]["numberOfFiles"]) == (Version.Status.VALID, 1)


def test_version_by_other_rules_waits_for_no_file_that_has_been_removed(worker: Worker) -> None:
    dataset = make_dataset()
    asset = make_asset(dataset, "a.nwb")
    job = publish(actor=owner_of(dataset), dataset=dataset, rules=BIDS)
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    run_job(job.id)
    assert {"field": "", "message": "1 of its files are not valid."} in dataset.versions.get(pk=job.subject).problems


def test_version_by_other_rules_is_what_dandi_publishes_when_it_is_valid(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    version = make_version(worker, dataset, "1.0.0")
    assert (version.status, version.problems) == ("Valid", [])
    assert version.doi == f"10.80507/dandi.{dataset.identifier}/{version.version}"
    assert latest_of(ANONYMOUS, dataset).published == version
    # The draft has not been published by DANDI's rules, and still can be.
    assert make_published_version(worker, dataset).rules == Version.Rules.DANDI


def test_version_by_dandi_rules_keeps_its_verdict(worker: Worker) -> None:
    version = make_published_version(worker, make_valid_dataset(worker))
    assert (version.rules, version.verdict, version.label) == ("dandi", [], None)


def test_versions_of_several_kinds_are_listed_together(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    make_version(worker, dataset, "1.0.0")
    make_published_version(worker, dataset)
    make_version(worker, dataset, "3", rules=DOCUMENTS)
    listed = page_of_versions(ANONYMOUS, dataset, limit=10, order=VersionOrder.OLDEST_FIRST)
    assert [(one.label, one.rules) for one in listed if not one.is_draft] == [
        ("1.0.0", "bids"),
        (None, "dandi"),
        ("3", "documents"),
    ]


def test_one_version_is_made_at_a_time() -> None:
    dataset = make_dataset()
    publish(actor=owner_of(dataset), dataset=dataset, label="1", rules=BIDS)
    with pytest.raises(LockedError):
        publish(actor=owner_of(dataset), dataset=dataset, label="2", rules=BIDS)


def test_version_that_failed_is_made_again_as_it_was_asked_for(worker: Worker, monkeypatch: Any) -> None:
    dataset = make_dataset()
    with monkeypatch.context() as patch:
        patch.setattr(
            "archive.publishing.work.RULES",
            RULES | {DOCUMENTS: type(RULES[DOCUMENTS])(judge=lambda _: [Problem("a.json", "Is not right.")])},
        )
        job = publish(actor=owner_of(dataset), dataset=dataset, label="1.0.0", rules=DOCUMENTS)
        worker.run()
    failed = Job.objects.get(pk=job.pk)
    assert (failed.state, failed.reason) == ("failed", "a.json: Is not right.")
    assert dataset.versions.count() == 1
    retry_job(actor=owner_of(dataset), job=failed)
    worker.run()
    assert list(dataset.versions.exclude(at=None).values_list("label", "rules")) == [("1.0.0", "documents")]


def test_documents_are_held_to_the_schemas_that_they_name() -> None:
    schema = {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}}
    documents = [Document("a.json", {"title": "A"}, schema), Document("b.json", {"title": 1}, schema)]
    found = document_problems(Candidate([], [*documents, Document("c.json", {}, schema)]))
    assert [problem.field for problem in found] == ["b.json: $.title", "c.json: $"]


# --- Private datasets -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [make_private_dataset, make_embargoed_dataset])
def test_version_of_a_closed_dataset_is_as_closed_as_that(worker: Worker, make: Any) -> None:
    dataset = make()
    make_asset(dataset, "a.nwb")
    version = make_version(worker, dataset, "1.0.0")
    assert find_version(owner_of(dataset), dataset.number, "1.0.0") == version
    for actor in (ANONYMOUS, acting(make_user())):
        with pytest.raises(NotFoundError):
            find_version(actor, dataset.number, "1.0.0")
    assert version.doi is None
    assert version.metadata["access"][0]["status"] == "dandi:EmbargoedAccess"


@pytest.mark.parametrize("make", [make_private_dataset, make_embargoed_dataset])
def test_dandi_publishes_no_closed_dataset(worker: Worker, make: Any) -> None:
    dataset = make()
    worker.run()
    with pytest.raises(InvalidError, match="not open"):
        publish(actor=owner_of(dataset), dataset=dataset)


def test_private_dataset_has_no_end_and_no_notice(worker: Worker) -> None:
    dataset = make_private_dataset()
    assert (dataset.access, dataset.embargo_end, dataset.is_released) == ("PRIVATE", None, False)
    draft = dataset.versions.get()
    assert draft.metadata["access"] == [{"schemaKey": "AccessRequirements", "status": "dandi:EmbargoedAccess"}]


def test_release_opens_the_versions_and_what_they_show(worker: Worker) -> None:
    dataset = make_private_dataset()
    gone = make_asset(dataset, "gone.nwb")
    worker.run()
    version = make_version(worker, dataset, "1.0.0")
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=gone.asset_id)
    told = opened_by_release(owner_of(dataset), dataset)
    assert (told.versions, told.removed_paths, told.keeps_history) == (["1.0.0"], ["gone.nwb"], True)
    release(actor=owner_of(dataset), dataset=dataset)
    assert [asset.path for asset in assets_of(find_version(ANONYMOUS, dataset.number, "1.0.0"))] == ["gone.nwb"]
    worker.run()
    version.refresh_from_db()
    assert version.problems == []
    assert version.metadata["access"][0]["status"] == "dandi:OpenAccess"
    assert version.doi == f"10.80507/dandi.{dataset.identifier}/{version.version}"
    dataset.refresh_from_db()
    assert (dataset.access, dataset.released) == ("OPEN", 0)


def test_release_opens_what_it_was_said_to_when_the_only_version_is_closed(worker: Worker) -> None:
    dataset = make_private_dataset()
    gone = make_asset(dataset, "gone.nwb")
    worker.run()
    version = make_version(worker, dataset, "1.0.0")
    set_version_access(actor=owner_of(dataset), version=version, is_closed=True)
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=gone.asset_id)
    assert opened_by_release(owner_of(dataset), dataset).keeps_history is False
    release(actor=owner_of(dataset), dataset=dataset)
    worker.run()
    with pytest.raises(NotFoundError):
        find_asset_anywhere(ANONYMOUS, gone.asset_id)


def test_version_that_is_opened_after_a_release_is_as_one_that_was_opened_by_it(worker: Worker) -> None:
    dataset = make_private_dataset()
    make_asset(dataset, "a.nwb")
    worker.run()
    closed = make_version(worker, dataset, "1.0.0")
    set_version_access(actor=owner_of(dataset), version=closed, is_closed=True)
    release(actor=owner_of(dataset), dataset=dataset, starts_anew=False)
    worker.run()
    set_version_access(actor=owner_of(dataset), version=closed, is_closed=False)
    worker.run()
    version = find_version(ANONYMOUS, dataset.number, "1.0.0")
    assert version.metadata["access"][0]["status"] == "dandi:OpenAccess"
    assert version.doi == f"10.80507/dandi.{dataset.identifier}/{version.version}"


def test_what_follows_a_release_is_cancelled_by_those_alone_who_may_release(worker: Worker) -> None:
    dataset = make_private_dataset()
    start_job(OPENED_JOB, subject="1", dataset_id=dataset.number)
    job = find_open_job(OPENED_JOB, "1")
    with pytest.raises(ForbiddenError):
        cancel_job(actor=acting(make_editor(dataset)), job=job)
    assert cancel_job(actor=owner_of(dataset), job=job).state == Job.State.CANCELLED


def test_release_that_starts_anew_leaves_the_versions_closed(worker: Worker) -> None:
    dataset = make_private_dataset()
    make_asset(dataset, "a.nwb")
    make_version(worker, dataset, "1.0.0")
    release(actor=owner_of(dataset), dataset=dataset, starts_anew=True)
    worker.run()
    with pytest.raises(NotFoundError):
        find_version(ANONYMOUS, dataset.number, "1.0.0")
    version = find_version(owner_of(dataset), dataset.number, "1.0.0")
    assert version.is_closed
    with pytest.raises(InvalidError, match="made before the dataset was released"):
        set_version_access(actor=owner_of(dataset), version=version, is_closed=False)


def test_version_that_is_made_during_a_release_says_that_it_is_open(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_private_dataset()
    make_asset(dataset, "a.nwb")
    worker.run()
    honest = work.validate_version

    def released_meanwhile(metadata: dict[str, Any]) -> list[Problem]:
        Dataset.objects.filter(pk=dataset.pk).update(access=Dataset.Access.OPEN, released=0)
        return honest(metadata)

    monkeypatch.setattr(work, "validate_version", released_meanwhile)
    version = make_version(worker, dataset, "1.0.0")
    assert version.metadata["access"][0]["status"] == "dandi:OpenAccess"
    assert version.doi == f"10.80507/dandi.{dataset.identifier}/{version.version}"


def test_what_a_release_opens_is_told_to_owners_alone() -> None:
    dataset = make_private_dataset()
    with pytest.raises(ForbiddenError):
        opened_by_release(acting(make_viewer(dataset)), dataset)
