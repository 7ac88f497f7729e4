"""Lists of datasets, and what is shown of each: who is listed, in which order, and by how many queries."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.accounts.models import Grant
from archive.accounts.policy import ANONYMOUS, Actor
from archive.catalogue import queries
from archive.catalogue.queries import Listing, SortBy, page_of_datasets
from archive.datasets.models import Dataset, Version
from archive.datasets.services import set_star, set_viewers
from tests.factories import acting, make_dataset, make_embargoed_dataset, make_user, owner_of, start_release

pytestmark = pytest.mark.django_db


def listed(actor: Actor, **wanted: Any) -> list[Dataset]:
    return [*page_of_datasets(actor, Listing(**wanted), offset=0, limit=100).datasets]


def test_list_has_what_the_actor_may_read() -> None:
    is_open, closed = make_dataset(), make_embargoed_dataset()
    assert listed(ANONYMOUS) == [is_open]
    assert listed(owner_of(closed)) == [is_open, closed]
    assert listed(owner_of(closed), is_open=True) == [is_open]


def test_list_of_ones_own_has_those_with_a_role_and_shared_ones_are_of_others() -> None:
    user = make_user()
    own, other, _ = make_dataset(user), make_embargoed_dataset(), make_dataset()
    set_viewers(actor=owner_of(other), dataset=other, usernames=[user.username])
    assert listed(acting(user), is_mine=True) == [own, other]
    assert listed(acting(user), is_shared=True) == [other]
    assert listed(ANONYMOUS, is_mine=True) == []


def test_list_of_starred_and_of_invalid_datasets() -> None:
    user = make_user()
    first, second = make_dataset(user), make_dataset()
    set_star(actor=acting(user), dataset=second, starred=True)
    Version.objects.filter(dataset__in=[first, second]).update(status=Version.Status.INVALID)
    assert listed(acting(user), is_starred=True) == [second]
    assert listed(acting(user), is_invalid=True) == [first]
    assert (listed(ANONYMOUS, is_starred=True), listed(ANONYMOUS, is_invalid=True)) == ([], [])


@pytest.mark.parametrize("key", SortBy)
def test_list_is_ordered_either_way(key: SortBy) -> None:
    first, second = make_dataset(make_user(last_name="Adams")), make_dataset(make_user(last_name="Brown"))
    for dataset, name in ((first, "Ants"), (second, "Bees")):
        Version.objects.filter(dataset=dataset).update(name=name)
    set_star(actor=acting(make_user()), dataset=second, starred=True)
    if key == SortBy.OPENED:
        closed = [make_embargoed_dataset(), make_embargoed_dataset()]
        for dataset in closed:
            start_release(dataset)
        first, second = closed
    up, down = (listed(ANONYMOUS, order=[key], descending=way) for way in ([], [key]))
    assert up.index(first) < up.index(second)
    assert down.index(second) < down.index(first)


def test_versions_come_in_the_order_of_their_labels(made: Callable[..., Dataset]) -> None:
    dataset = made(["1.10.0", "1.2.0", None])
    found = queries.versions_of_datasets(ANONYMOUS, [dataset])[dataset]
    assert [version.label for version in found] == [None, "1.2.0", "1.10.0"]


@pytest.fixture
def made() -> Callable[..., Dataset]:
    """Make a dataset with versions of these labels."""

    def make(labels: list[str | None]) -> Dataset:
        dataset = make_dataset()
        draft = dataset.versions.get()
        for number, label in enumerate(labels, 1):
            name = f"0.260101.00{number:02}"
            Version.objects.create(
                dataset=dataset, version=name, label=label, at=1, metadata=draft.metadata, status=Version.Status.VALID
            )
        return dataset

    return make


def test_closed_versions_are_of_those_inside(made: Callable[..., Dataset]) -> None:
    dataset = made(["1.0.0"])
    Version.objects.filter(dataset=dataset, at__isnull=False).update(is_closed=True)
    assert queries.versions_of_datasets(ANONYMOUS, [dataset]) == {dataset: []}
    assert len(queries.versions_of_datasets(owner_of(dataset), [dataset])[dataset]) == 1


def test_opening_is_the_release_or_else_the_beginning() -> None:
    is_open, released, closed = make_dataset(), make_embargoed_dataset(), make_embargoed_dataset()
    start_release(released)
    found = queries.openings_of_datasets(owner_of(closed), [*Dataset.objects.order_by("pk")])
    assert found[is_open] == is_open.created
    assert found[released] > released.created
    assert closed not in found


def test_members_are_told_as_far_as_the_actor_may_know() -> None:
    dataset = make_dataset()
    viewer = make_user()
    set_viewers(actor=owner_of(dataset), dataset=dataset, usernames=[viewer.username])

    def roles(actor: Actor) -> list[str]:
        return [str(member.role) for member in queries.members_of_datasets(actor, [dataset])[dataset]]

    assert roles(ANONYMOUS) == [Grant.Role.OWNER]
    assert roles(owner_of(dataset)) == [Grant.Role.OWNER, Grant.Role.VIEWER]
    assert roles(acting(viewer)) == [Grant.Role.OWNER, Grant.Role.VIEWER]
    assert roles(acting(make_user())) == [Grant.Role.OWNER]


OF_DATASETS = [
    queries.drafts_of_datasets,
    queries.versions_of_datasets,
    queries.openings_of_datasets,
    queries.heads_of_datasets,
    queries.members_of_datasets,
    queries.starred_datasets,
]


@pytest.mark.parametrize("ask", OF_DATASETS)
def test_many_datasets_cost_as_many_queries_as_one(ask: Callable[..., Any], made: Callable[..., Dataset]) -> None:
    many = [made(["1.0.0"]) for _ in range(5)]

    def cost(datasets: list[Dataset]) -> int:
        with CaptureQueriesContext(connection) as captured:
            ask(ANONYMOUS, datasets)
        return len(captured)

    assert cost(many) == cost(many[:1])
