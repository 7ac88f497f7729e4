"""Finding datasets and versions that the asker may read; stars."""

from collections.abc import Callable

import pytest
from django.core.cache import cache

from archive.accounts.policy import ANONYMOUS, Actor
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import (
    TOTALS,
    DatasetFilter,
    Totals,
    VersionOrder,
    archive_totals,
    count_versions,
    filtered_datasets,
    find_dataset,
    find_draft,
    find_version,
    has_star,
    latest_versions,
    page_of_versions,
)
from archive.datasets.services import set_star, update_draft
from archive.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from archive.publishing.services import publish
from tests.factories import (
    acting,
    make_asset,
    make_blob_row,
    make_dataset,
    make_embargoed_dataset,
    make_published_version,
    make_unapproved_user,
    make_user,
    make_valid_dataset,
    owner_of,
    valid_dandiset_metadata,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def _found(actor: Actor = ANONYMOUS, **wanted: object) -> list[Dataset]:
    return list(filtered_datasets(actor, DatasetFilter(**wanted)))  # type: ignore[arg-type]


# --- One --------------------------------------------------------------------------------------------------------------


def test_find_dataset_finds_what_is_open_for_anybody() -> None:
    dataset = make_dataset()
    assert find_dataset(ANONYMOUS, dataset.number) == dataset


def test_find_dataset_knows_nothing_of_other_numbers() -> None:
    with pytest.raises(NotFoundError):
        find_dataset(ANONYMOUS, 999_999)


def test_find_dataset_hides_what_is_embargoed() -> None:
    dataset = make_embargoed_dataset()
    assert find_dataset(owner_of(dataset), dataset.number) == dataset
    for actor in (ANONYMOUS, acting(make_user())):
        with pytest.raises(NotFoundError):
            find_dataset(actor, dataset.number)


def test_find_dataset_asks_to_sign_in_for_what_is_embargoed_when_it_is_not_to_be_hidden() -> None:
    dataset = make_embargoed_dataset()
    assert find_dataset(owner_of(dataset), dataset.number, hidden=False) == dataset
    with pytest.raises(UnauthenticatedError):
        find_dataset(ANONYMOUS, dataset.number, hidden=False)
    with pytest.raises(ForbiddenError):
        find_dataset(acting(make_user()), dataset.number, hidden=False)


@pytest.mark.parametrize("version", ["draft", "0.000101.0000"])
def test_find_version_is_as_careful_as_find_dataset(version: str) -> None:
    dataset = make_embargoed_dataset()
    with pytest.raises(NotFoundError):
        find_version(ANONYMOUS, dataset.number, version)
    with pytest.raises(UnauthenticatedError):
        find_version(ANONYMOUS, dataset.number, version, hidden=False)
    with pytest.raises(NotFoundError):
        find_version(ANONYMOUS, 999_999, version)


def test_find_version_knows_draft_and_published_versions(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    version = make_published_version(worker, dataset)
    assert find_version(ANONYMOUS, dataset.number, "draft").is_draft
    assert find_version(ANONYMOUS, dataset.number, version.version) == version
    assert page_of_versions(ANONYMOUS, dataset, limit=10) == [find_draft(dataset.number), version]
    assert page_of_versions(ANONYMOUS, dataset, offset=1, limit=10) == [version]
    assert count_versions(ANONYMOUS, dataset) == 2


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        (VersionOrder.OLDEST_FIRST, ["draft", "first", "second"]),
        (VersionOrder.NEWEST_FIRST, ["second", "first", "draft"]),
        (VersionOrder.BY_PUBLICATION, ["draft", "second", "first"]),
    ],
)
def test_versions_are_in_the_order_that_is_asked_for(worker: Worker, order: VersionOrder, expected: list[str]) -> None:
    dataset = make_valid_dataset(worker)
    names = {make_published_version(worker, dataset).version: "first"}
    make_asset(dataset, "more.nwb")
    worker.run()
    names[make_published_version(worker, dataset).version] = "second"
    found = page_of_versions(ANONYMOUS, dataset, limit=10, order=order)
    assert [names.get(version.version, version.version) for version in found] == expected


def test_version_that_is_being_published_is_not_shown_yet(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    publish(actor=owner_of(dataset), dataset=dataset)
    unfinished = dataset.versions.get(at__isnull=False)
    assert [version.version for version in page_of_versions(ANONYMOUS, dataset, limit=10)] == ["draft"]
    assert latest_versions(ANONYMOUS, [dataset])[dataset.number][1] is None
    with pytest.raises(NotFoundError):
        find_version(ANONYMOUS, dataset.number, unfinished.version)


def test_find_draft_knows_nothing_of_a_dataset_that_is_gone() -> None:
    assert find_draft(999_999) is None


# --- Many -------------------------------------------------------------------------------------------------------------


def test_list_shows_open_datasets_to_anybody_in_the_order_they_were_made() -> None:
    datasets = [make_dataset(), make_dataset()]
    make_embargoed_dataset()
    assert _found() == datasets
    assert _found(embargoed=True) == datasets


def test_list_shows_an_embargoed_dataset_to_its_owner_when_asked_to() -> None:
    dataset = make_embargoed_dataset()
    assert _found(owner_of(dataset)) == []
    assert _found(owner_of(dataset), embargoed=True) == [dataset]


def test_list_shows_what_is_mine() -> None:
    dataset = make_dataset()
    make_dataset()
    assert _found(owner_of(dataset), mine=True) == [dataset]
    assert _found(ANONYMOUS, mine=True) == []


def test_list_leaves_out_what_was_never_published(worker: Worker) -> None:
    make_dataset()
    dataset = make_valid_dataset(worker)
    make_published_version(worker, dataset)
    assert _found(with_unpublished=False) == [dataset]


def test_list_leaves_out_what_is_empty() -> None:
    make_dataset()
    dataset = make_dataset()
    make_asset(dataset)
    assert _found(with_empty=False) == [dataset]


def test_list_shows_what_has_a_star_of_mine_newest_star_first() -> None:
    user, other = make_user(), make_user()
    first, second, third = make_dataset(), make_dataset(), make_dataset()
    for dataset, fan in [(second, user), (first, user), (third, other), (first, other)]:
        set_star(actor=acting(fan), dataset=dataset, starred=True)
    make_dataset()
    assert _found(acting(user), starred=True) == [first, second]
    assert _found(ANONYMOUS, starred=True) == []


def _of_size(name: str, size: int) -> Dataset:
    dataset = make_dataset(name=name)
    user = owner_of(dataset).user
    assert user
    make_asset(dataset, blob=make_blob_row(user, size=size))
    return dataset


@pytest.mark.parametrize(
    ("ordering", "expected"),
    [
        ("id", ["b", "c", "a"]),
        ("-id", ["a", "c", "b"]),
        ("name", ["a", "b", "c"]),
        ("-name", ["c", "b", "a"]),
        ("size", ["b", "a", "c"]),
        ("-size", ["c", "a", "b"]),
        ("modified", ["c", "a", "b"]),
        ("-modified", ["b", "a", "c"]),
        ("stars", ["b", "a", "c"]),
        ("-stars", ["c", "b", "a"]),
        ("nonsense", ["b", "c", "a"]),
    ],
)
def test_list_is_in_the_order_asked_for(ordering: str, expected: list[str]) -> None:
    b, c, a = _of_size("b", 1), _of_size("c", 3), _of_size("a", 2)
    update_draft(
        actor=owner_of(b), dataset=b, name="b", metadata={**valid_dandiset_metadata(), "description": "Later."}
    )
    set_star(actor=acting(make_user()), dataset=c, starred=True)
    names = {dataset.number: name for dataset, name in [(a, "a"), (b, "b"), (c, "c")]}
    assert [names[dataset.number] for dataset in _found(ordering=ordering)] == expected


def test_latest_versions_are_the_draft_and_the_newest_published(worker: Worker) -> None:
    dataset, empty = make_valid_dataset(worker), make_dataset()
    make_published_version(worker, dataset)
    make_asset(dataset, "b.nwb")
    worker.run()
    newest = make_published_version(worker, dataset)
    latest = latest_versions(ANONYMOUS, [dataset, empty])
    assert latest[dataset.number] == (find_draft(dataset.number), newest, False)
    assert latest[empty.number] == (find_draft(empty.number), None, False)


def test_totals_count_what_is_open(worker: Worker) -> None:
    before = archive_totals()
    dataset = make_valid_dataset(worker, paths=("a.nwb", "b.nwb"))
    make_published_version(worker, dataset)
    make_asset(make_embargoed_dataset())
    make_unapproved_user()
    cache.delete(TOTALS)
    after = archive_totals()
    more = Totals(*(new - old for new, old in zip(after, before, strict=True)))
    assert more == Totals(datasets=1, published=1, users=2, size=2)


def test_totals_are_counted_once_a_minute() -> None:
    totals = archive_totals()
    make_dataset()
    assert archive_totals() == totals


# --- Stars ------------------------------------------------------------------------------------------------------------


def test_star_is_counted_once_per_person() -> None:
    dataset, jane, joan = make_dataset(), make_user(), make_user()
    counts = [set_star(actor=acting(fan), dataset=dataset, starred=True) for fan in [jane, jane, joan]]
    assert counts == [1, 1, 2]
    assert has_star(acting(jane), dataset)
    other = make_dataset()
    latest = latest_versions(acting(jane), [dataset, other])
    assert {number for number, found in latest.items() if found.is_starred} == {dataset.number}


def test_star_is_taken_back_once() -> None:
    dataset, user = make_dataset(), make_user()
    set_star(actor=acting(user), dataset=dataset, starred=True)
    counts = [set_star(actor=acting(user), dataset=dataset, starred=False) for _ in range(2)]
    assert counts == [0, 0]
    assert not has_star(acting(user), dataset)
    assert not latest_versions(acting(user), [dataset])[dataset.number].is_starred


@pytest.mark.parametrize("make", [lambda: ANONYMOUS, lambda: acting(make_unapproved_user())])
def test_star_is_given_by_approved_people_only(make: Callable[[], Actor]) -> None:
    dataset = make_dataset()
    with pytest.raises((UnauthenticatedError, ForbiddenError)):
        set_star(actor=make(), dataset=dataset, starred=True)
    assert not has_star(ANONYMOUS, dataset)
    assert not latest_versions(ANONYMOUS, [dataset])[dataset.number].is_starred
    assert Version.objects.count() == 1
