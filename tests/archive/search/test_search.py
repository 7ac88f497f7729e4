"""Finding datasets by what is said of them, and by what their files are (docs/architecture.md#search)."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import timezone

from archive.accounts.policy import ANONYMOUS, Actor
from archive.accounts.services import set_github_login
from archive.assets.services import remove_asset
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import DatasetFilter
from archive.datasets.services import delete_dataset, delete_version
from archive.errors import InvalidError
from archive.publishing.services import publish
from archive.search.models import Document, Facts, IndexedAsset
from archive.search.queries import (
    FileFilter,
    count_files,
    genotypes_of,
    search_datasets,
    search_datasets_by_files,
    species_of,
)
from archive.search.work import index_draft
from archive.timeline.models import Projection
from tests.archive.search.described import MOUSE, RAT, add_file, animal, describe, finish, technique
from tests.factories import (
    acting,
    make_admin,
    make_asset,
    make_dataset,
    make_embargoed_dataset,
    make_published_version,
    make_user,
    make_valid_dataset,
    owner_of,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db

Find = Callable[..., list[Dataset]]


@pytest.fixture
def find(worker: Worker) -> Find:
    """What a search finds when all work is done."""

    def found(search: str, actor: Actor = ANONYMOUS) -> list[Dataset]:
        finish(worker)
        return list(search_datasets(actor, DatasetFilter(embargoed=True), search))

    return found


# --- At once ----------------------------------------------------------------------------------------------------------


def _found_at_once(search: str) -> list[Dataset]:
    """What a search finds before any worker has done anything."""
    return list(search_datasets(ANONYMOUS, DatasetFilter(), search))


def test_search_finds_a_dataset_that_has_just_been_made() -> None:
    make_dataset(name="Bats")
    dataset = make_dataset(name="Hippocampus of naïve mice")
    for search in ("hippocampus", '"of naive mice"', dataset.identifier, "ippoc", f"DANDI:{dataset.identifier}"):
        assert _found_at_once(search) == [dataset]


def test_search_finds_what_has_just_been_renamed_by_its_new_name_alone() -> None:
    dataset = make_dataset(name="Hippocampus of naïve mice")
    describe(dataset, name="Retina", keywords=["saccades"], contributor=[{"name": "Hopper, Grace"}])
    for search in ("retina", "saccades", "hopper"):
        assert _found_at_once(search) == [dataset]
    assert _found_at_once("hippocampus") == []


def test_search_finds_by_the_new_name_until_a_worker_has_looked_at_large_metadata(find: Find) -> None:
    dataset = make_dataset(name="Hippocampus")
    describe(dataset, name="Retina", keywords=[f"word-{number}" for number in range(20_000)] + ["saccades"])
    assert _found_at_once("retina") == _found_at_once(dataset.identifier) == [dataset]
    assert find("saccades") == [dataset]


def test_search_knows_the_newest_version_as_the_newest_when_the_draft_is_renamed(find: Find, worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    make_published_version(worker, dataset)
    describe(dataset, name="Retina")
    newest = Document.objects.filter(is_newest=True)
    before = [document.version.is_draft for document in newest.select_related("version")]
    assert find("retina") == [dataset]
    assert [document.version.is_draft for document in newest.select_related("version")] == before == [False]


def test_search_is_not_set_back_by_a_worker_that_has_read_what_was_there_before() -> None:
    dataset = make_dataset(name="Hippocampus")
    before = Version.objects.get(dataset=dataset)
    describe(dataset, name="Retina")
    index_draft(before)
    assert _found_at_once("retina") == [dataset]


# --- Words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "search", ["hippocampus bats", '"naive hippocampus"', "h_ppo", "hip%pus", "snakeXcase", "100!", "%_%", "'", '"o n"']
)
def test_search_finds_nothing_that_is_not_there(find: Find, search: str) -> None:
    describe(make_dataset(), name="Hippocampus of naive mice", description="100% snake_case")
    assert find(search) == []


def test_search_wants_all_words_in_one_version(find: Find, worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    describe(dataset, name="All about owls")
    worker.run()
    make_published_version(worker, dataset)
    describe(dataset, name="All about bats")
    assert find("owls") == [dataset]
    assert find("bats") == [dataset]
    assert find("owls bats") == []


def test_search_finds_what_was_just_published(find: Find, worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    version = publish(actor=owner_of(dataset), dataset=dataset)
    worker.run()
    name = Version.objects.get(pk=version.subject).version
    assert find(f'"{dataset.identifier}/{name}"') == [dataset]


def test_search_forgets_a_version_that_is_withdrawn(find: Find, worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    version = make_published_version(worker, dataset)
    delete_version(actor=acting(make_admin()), version=version)
    assert find(f'"{dataset.identifier}/{version.version}"') == []


def test_search_forgets_a_dataset_that_is_deleted(find: Find, worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    worker.run()
    delete_dataset(actor=owner_of(dataset), dataset=dataset)
    assert find("mouse") == []
    assert (Document.objects.count(), Facts.objects.count(), IndexedAsset.objects.count()) == (0, 0, 0)


def test_search_shows_what_is_embargoed_to_its_owner_alone(find: Find) -> None:
    dataset = make_embargoed_dataset()
    assert find("mouse") == []
    assert find("mouse", acting(make_user())) == []
    assert find("mouse", owner_of(dataset)) == [dataset]


def test_search_shows_nothing_before_a_version_is_published_in_full(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    publish(actor=owner_of(dataset), dataset=dataset)
    assert not Document.objects.filter(version__at__isnull=False).exists()


# --- Operators --------------------------------------------------------------------------------------------------------


def test_search_finds_names_in_the_summary_of_one_version(find: Find) -> None:
    dataset = make_dataset()
    add_file(dataset, wasAttributedTo=[animal()], measurementTechnique=[technique()])
    make_dataset()
    assert find("species:mouse") == [dataset]
    assert find('species:"mus MUSCULUS" technique:spike') == [dataset]
    assert find("species:rat") == []
    assert find("species:mouse technique:patch") == []
    assert find("approach:mouse") == []


def test_search_reads_nothing_but_names(find: Find) -> None:
    dataset = make_dataset()
    add_file(dataset, wasAttributedTo=[animal()])
    assert find("species:SpeciesType") == []


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("created_before:2020-01-02", 1),
        ("created_before:2020-01-01", 0),
        ("created_after:2020-01-01", 1),
        ("created_after:2020-01-02", 0),
        ("modified_after:2021-06-15 modified_before:2021-06-16", 1),
        ("modified_before:2021-06-15", 0),
        ("published_after:1990-01-01", 0),
        ("created_after:2020-01-01 mouse", 1),
    ],
)
def test_search_knows_days(find: Find, search: str, expected: int) -> None:
    dataset = make_dataset()
    # No work is left that would write the document again.
    find("")
    Dataset.objects.filter(pk=dataset.pk).update(created=datetime(2020, 1, 1, tzinfo=UTC))
    Document.objects.update(modified=datetime(2021, 6, 15, 12, tzinfo=UTC))
    assert len(find(search)) == expected


def test_search_takes_dates_of_the_newest_version(find: Find, worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    version = make_published_version(worker, dataset)
    find("")
    Document.objects.filter(version__at__isnull=True).update(modified=datetime(2001, 1, 1, tzinfo=UTC))
    assert find("modified_before:2002-01-01") == []
    assert find(f"published_after:{version.created:%Y-%m-%d}") == [dataset]
    delete_version(actor=acting(make_admin()), version=version)
    assert find(f"published_after:{timezone.now():%Y-%m-%d}") == []
    assert find(f"modified_after:{timezone.now():%Y-%m-%d}") == [dataset]


@pytest.mark.parametrize("name", ["jane@EXAMPLE.org", "Jane", "doe", '"jane doe"'])
def test_search_finds_what_somebody_owns(find: Find, name: str) -> None:
    user = make_user(first_name="Jane", last_name="Doe")
    user.email = user.username = "jane@example.org"
    user.save()
    dataset = make_dataset(user)
    make_dataset(make_user(first_name="Ann", last_name="Other"))
    assert find(f"owner:{name}") == [dataset]


@pytest.mark.parametrize("name", ["amazing-grace", "Amazing-Grace"])
def test_search_finds_owners_by_the_login_that_they_are_shown_by(find: Find, name: str) -> None:
    dataset = make_dataset()
    owner = owner_of(dataset).user
    assert owner
    set_github_login(user=owner, login="Amazing-Grace")
    make_dataset()
    assert find(f"owner:{name}") == [dataset]


def test_search_finds_no_owner_by_part_of_a_name(find: Find) -> None:
    make_dataset(make_user(first_name="Jane", last_name="Doe"))
    assert find("owner:Jan") == []


@pytest.mark.parametrize(
    ("kind", "expected"), [("nwb", 1), ("image", 0), ("application/", 1), ("APPLICATION/x-nwb", 1)]
)
def test_search_finds_file_types(find: Find, kind: str, expected: int) -> None:
    add_file(make_dataset())
    assert len(find(f"file_type:{kind}")) == expected


def test_search_refuses_what_it_cannot_read() -> None:
    with pytest.raises(InvalidError, match="Did you mean"):
        search_datasets(ANONYMOUS, DatasetFilter(), "onwer:jane")


# --- Files ------------------------------------------------------------------------------------------------------------


def test_files_without_a_filter_are_all(worker: Worker) -> None:
    dataset = make_dataset()
    assert list(search_datasets_by_files(ANONYMOUS, DatasetFilter(), "", FileFilter())) == [dataset]
    assert count_files([dataset], FileFilter()) == {dataset.number: {}}


def test_files_that_left_the_draft_are_found_no_more(worker: Worker) -> None:
    dataset = make_dataset()
    asset = make_asset(dataset, wasAttributedTo=[animal()])
    worker.run()
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    worker.run()
    assert list(search_datasets_by_files(ANONYMOUS, DatasetFilter(), "", FileFilter(species=(MOUSE,)))) == []
    assert species_of(ANONYMOUS) == []
    assert list(Facts.objects.values_list("file_count", flat=True)) == [0]


def test_files_are_counted_once_when_followed_again(worker: Worker) -> None:
    dataset = make_dataset()
    add_file(dataset)
    worker.run()
    Projection.objects.filter(name="facets").update(cursor=0)
    worker.run()
    assert [facts.file_count for facts in Facts.objects.all()] == [1]


@pytest.mark.parametrize(
    "said",
    [
        {"wasAttributedTo": None},
        {"wasAttributedTo": [1, {"species": "mouse", "genotype": 3}]},
        {"measurementTechnique": {"name": "x"}},
        {"measurementTechnique": [{"name": None}, "y"]},
        {"encodingFormat": None},
        {"encodingFormat": "x" * 1000},
    ],
)
def test_files_with_odd_metadata_have_no_facts_but_are_there(worker: Worker, said: dict[str, Any]) -> None:
    add_file(make_dataset(), **said)
    worker.run()
    assert [facts.file_count for facts in Facts.objects.all()] == [1]
    assert species_of(ANONYMOUS) == genotypes_of(ANONYMOUS) == []


def test_choices_are_of_what_may_be_read(worker: Worker) -> None:
    hidden, shown = make_embargoed_dataset(), make_dataset()
    add_file(hidden, wasAttributedTo=[animal(RAT, genotype="secret")])
    add_file(shown, wasAttributedTo=[animal(MOUSE, genotype="Pvalb-Cre")])
    worker.run()
    assert species_of(ANONYMOUS) == [MOUSE]
    assert species_of(owner_of(hidden)) == [MOUSE, RAT]
    assert species_of(ANONYMOUS, "MUS") == [MOUSE]
    assert species_of(ANONYMOUS, "rat") == []
    assert genotypes_of(ANONYMOUS) == ["Pvalb-Cre"]
    assert genotypes_of(ANONYMOUS, "pvalb") == ["Pvalb-Cre"]


def test_choices_of_genotypes_are_ten_at_most(worker: Worker) -> None:
    people = [animal(genotype=f"g{number:02}") for number in range(12)]
    add_file(make_dataset(), wasAttributedTo=people)
    worker.run()
    assert genotypes_of(ANONYMOUS, "g") == [f"g{number:02}" for number in range(10)]
