"""The list of datasets: which, in what order (docs/dialects/dandi.md#lists-of-datasets)."""

from typing import Any, NamedTuple

import pytest

from archive.accounts.models import User
from archive.datasets.models import Dataset, Version
from tests.dandiapi.rest import shapes
from tests.dandiapi.rest.api import Api
from tests.dandiapi.rest.world import embargo
from tests.factories import make_asset, make_dataset, make_published_version, make_user, make_valid_dataset
from tests.worker import MadeOnce, Worker


def found(caller: Api, **query: Any) -> list[str]:
    """The identifiers in the list, in its order."""
    return [row["identifier"] for row in caller.get("dandisets/", query).json()["results"]]


class Listed(NamedTuple):
    """The identifiers of the datasets there are, in the order of their creation."""

    owner: User
    empty: str
    filled: str
    third: str
    hidden: str


def make_datasets(worker: Worker) -> Listed:
    """One that is empty, one with a file, one that is published, and one that is embargoed."""
    owner = make_user()
    empty = make_dataset(owner, name="Banana")
    filled = make_dataset(make_user(), name="Cherry")
    make_asset(filled, "a.nwb")
    third = make_valid_dataset(worker, owner, paths=("a.nwb", "b.nwb"))
    make_published_version(worker, third)
    hidden = make_dataset(owner, name="Apple")
    embargo(hidden)
    return Listed(owner, empty.identifier, filled.identifier, third.identifier, hidden.identifier)


@pytest.fixture(scope="module", autouse=True)
def listed(made_once: MadeOnce[Listed]) -> Listed:
    return made_once(make_datasets)


@pytest.fixture
def owner(db: None, listed: Listed) -> Api:
    """The owner of all but the second."""
    return Api(listed.owner)


@pytest.fixture
def empty(listed: Listed) -> str:
    """The first: empty, of the owner."""
    return listed.empty


@pytest.fixture
def filled(listed: Listed) -> str:
    """The second: with a file, of somebody else."""
    return listed.filled


@pytest.fixture
def third(listed: Listed) -> str:
    """The third: published, of the owner, with two files."""
    return listed.third


@pytest.fixture
def hidden(listed: Listed) -> str:
    """The fourth: embargoed, of the owner."""
    return listed.hidden


def test_list_has_exactly_the_fields_of_the_dialect(anonymous: Api, third: str) -> None:
    page = anonymous.get("dandisets/").json()
    row = page["results"][2]
    assert set(page) == shapes.PAGE
    assert set(row) == shapes.DATASET_DETAIL
    assert set(row["draft_version"]) == shapes.VERSION_ROW
    assert set(row["most_recent_published_version"]) == shapes.VERSION_ROW


def test_list_is_in_the_order_of_creation(anonymous: Api, empty: str, filled: str, third: str) -> None:
    assert found(anonymous) == [empty, filled, third]


@pytest.mark.parametrize("caller", ["anonymous", "stranger", "owner", "admin"])
def test_list_hides_what_is_embargoed_from_everybody(
    caller: str, request: pytest.FixtureRequest, hidden: str, third: str
) -> None:
    identifiers = found(request.getfixturevalue(caller))
    assert (hidden in identifiers, third in identifiers) == (False, True)


def test_list_shows_what_is_embargoed_to_its_owner_when_asked(owner: Api, hidden: str) -> None:
    assert found(owner, embargoed=True)[-1] == hidden


def test_list_hides_what_is_embargoed_from_strangers_even_when_asked(stranger: Api, hidden: str) -> None:
    assert hidden not in found(stranger, embargoed=True)


def test_list_of_what_is_embargoed_is_refused_when_nobody_is_signed_in(anonymous: Api) -> None:
    response = anonymous.get("dandisets/", {"embargoed": True})
    assert response.status_code == 401
    assert response.json() == (
        "Authentication credentials must be provided when attempting to access embargoed dandisets"
    )


def test_list_of_what_is_starred_is_refused_when_nobody_is_signed_in(anonymous: Api) -> None:
    response = anonymous.get("dandisets/", {"starred": True})
    assert (response.status_code, response.json()) == (401, "Must be authenticated to filter by starred dandisets.")


@pytest.mark.parametrize("no", ["false", "False", "0", "f", "no", "n", "off"])
def test_list_has_only_what_is_published_when_drafts_are_not_wanted(anonymous: Api, third: str, no: str) -> None:
    assert found(anonymous, draft=no) == [third]


def test_list_has_only_what_has_files_when_the_empty_is_not_wanted(anonymous: Api, filled: str, third: str) -> None:
    assert found(anonymous, empty=False) == [filled, third]


def test_list_has_only_ones_own_when_asked(owner: Api, empty: str, third: str) -> None:
    assert found(owner, user="me") == [empty, third]


def test_list_has_nothing_of_ones_own_when_an_administrator_owns_nothing(admin: Api, third: str) -> None:
    assert found(admin, user="me") == []


@pytest.mark.parametrize("route", ["dandisets/", "dandisets/search/"])
def test_list_of_another_persons_own_is_refused(owner: Api, empty: str, route: str) -> None:
    response = owner.get(route, {"user": "you"})
    assert (response.status_code, response.json()) == (400, {"user": ['"you" is not a valid choice.']})


@pytest.mark.parametrize("route", ["dandisets/", "dandisets/search/"])
def test_list_finds_what_has_just_been_made_and_renamed(owner: Api, route: str) -> None:
    made = owner.post("dandisets/", {"name": "Hippocampus", "metadata": {}}).json()["identifier"]
    assert owner.get(route, {"search": "hippocampus"}).json()["count"] == 1
    version = owner.get(f"dandisets/{made}/versions/draft/").json()
    owner.put(f"dandisets/{made}/versions/draft/", {"name": "Retina", "metadata": version})
    assert owner.get(route, {"search": "retina"}).json()["count"] == 1
    assert owner.get(route, {"search": "hippocampus"}).json()["count"] == 0


def test_list_has_nothing_of_ones_own_when_nobody_is_signed_in(anonymous: Api, third: str) -> None:
    assert found(anonymous, user="me") == []


def test_list_has_what_is_starred_the_newest_star_first(stranger: Api, empty: str, filled: str, third: str) -> None:
    stranger.post(f"dandisets/{third}/star/")
    stranger.post(f"dandisets/{empty}/star/")
    rows = stranger.get("dandisets/", {"starred": True}).json()["results"]
    assert [row["identifier"] for row in rows] == [empty, third]
    assert [row["is_starred"] for row in rows] == [True, True]


def test_list_has_each_dataset_once_when_many_have_starred_it(stranger: Api, owner: Api, empty: str) -> None:
    stranger.post(f"dandisets/{empty}/star/")
    owner.post(f"dandisets/{empty}/star/")
    assert found(stranger, starred=True) == [empty]


@pytest.mark.parametrize(
    ("ordering", "names"),
    [
        ("id", ["Banana", "Cherry", "Mouse vision"]),
        ("-id", ["Mouse vision", "Cherry", "Banana"]),
        ("name", ["Banana", "Cherry", "Mouse vision"]),
        ("-name", ["Mouse vision", "Cherry", "Banana"]),
        ("size", ["Banana", "Cherry", "Mouse vision"]),
        ("-size", ["Mouse vision", "Cherry", "Banana"]),
        ("-modified", ["Mouse vision", "Cherry", "Banana"]),
        ("modified", ["Banana", "Cherry", "Mouse vision"]),
        ("-stars", ["Cherry", "Banana", "Mouse vision"]),
        ("stars", ["Banana", "Mouse vision", "Cherry"]),
        ("", ["Banana", "Cherry", "Mouse vision"]),
        ("nonsense", ["Banana", "Cherry", "Mouse vision"]),
    ],
)
def test_list_is_in_the_order_that_is_asked_for(
    stranger: Api, filled: str, third: str, ordering: str, names: list[str]
) -> None:
    stranger.post(f"dandisets/{filled}/star/")
    # Drafts are dated anew by what judges them, and which one that comes to first is left to it.
    for version in Version.objects.order_by("created"):
        version.save(update_fields=["modified"])
    rows = stranger.get("dandisets/", {"ordering": ordering}).json()["results"]
    assert [row["draft_version"]["name"] for row in rows] == names


@pytest.mark.parametrize("search", ["cherry", "CHER", "cherry mouse", '"cherry"', "saw."])
def test_search_finds_words_of_the_metadata(anonymous: Api, filled: str, worker: Worker, search: str) -> None:
    worker.run()
    assert filled in found(anonymous, search=search)


@pytest.mark.parametrize("search", ["cherry banana", "durian", "%", "_herry", "cher%y", "\\"])
def test_search_finds_nothing_when_a_word_is_missing(anonymous: Api, filled: str, worker: Worker, search: str) -> None:
    worker.run()
    assert found(anonymous, search=search) == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("draft=maybe", "draft"),
        ("empty=2", "empty"),
        ("embargoed=x", "embargoed"),
        ("starred=-1", "starred"),
        ("search=" + "x" * 1025, "search"),
        ("search=%22mouse", "search"),
        ("search=spezies:mouse", "search"),
        ("search=created_after:today", "search"),
    ],
)
def test_list_is_refused_when_a_filter_is_wrong(anonymous: Api, query: str, field: str) -> None:
    response = anonymous.get(f"dandisets/?{query}")
    assert (response.status_code, list(response.json())) == (400, [field])


def test_list_shows_the_contact_person_of_the_published_version(owner: Api, third: str) -> None:
    draft = f"dandisets/{third}/versions/draft/"
    metadata = owner.get(draft).json()
    metadata["contributor"][0]["name"] = "Roe, Rick"
    owner.put(draft, {"name": "New", "metadata": metadata})
    (row,) = [row for row in owner.get("dandisets/").json()["results"] if row["identifier"] == third]
    assert row["contact_person"] == "Doe, Jane"
    assert Dataset.objects.get(pk=int(third)).versions.get(version="draft").contact_person == "Roe, Rick"
