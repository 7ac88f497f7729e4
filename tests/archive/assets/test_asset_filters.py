"""Which assets of a version are asked for (docs/dialects/dandi.md#lists-of-assets), and finding one."""

from uuid import uuid4

import pytest
from django.db import connection

from archive.accounts.policy import ANONYMOUS
from archive.assets.models import Asset
from archive.assets.queries import (
    Filter,
    contributions,
    declared_media_type,
    draft_asset,
    find_asset,
    find_asset_anywhere,
    matching_assets,
)
from archive.assets.services import change_assets, remove_asset
from archive.datasets.models import Dataset
from archive.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from archive.metadata.summary import Contributed
from tests.archive.assets.state import draft_of
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
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db

PATHS = ("sub-1/a.nwb", "sub-1/b.NWB", "SUB-10/c.nwb", "Été/d_1.txt", "e+(f).txt")


def _found(dataset: Dataset, **wanted: str) -> set[str]:
    return set(matching_assets(draft_of(dataset), Filter(**wanted)).values_list("path", flat=True))  # type: ignore[arg-type]


@pytest.fixture
def dataset() -> Dataset:
    dataset = make_dataset()
    for path in PATHS:
        make_asset(dataset, path)
    return dataset


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", set(PATHS)),
        ("sub-1/a.nwb", {"sub-1/a.nwb"}),
        ("sub-1", {"sub-1/a.nwb", "sub-1/b.NWB", "SUB-10/c.nwb"}),
        ("SUB-1/", {"sub-1/a.nwb", "sub-1/b.NWB"}),
        ("Été", {"Été/d_1.txt"}),
        ("éTÉ/D", {"Été/d_1.txt"}),
        ("E\u0301te\u0301/d_1.txt", {"Été/d_1.txt"}),
        ("e\u0301te\u0301/", {"Été/d_1.txt"}),
        ("sub_1", set()),
        ("sub%", set()),
        ("ub-1", set()),
    ],
)
def test_path_is_a_whole_path_or_a_prefix_in_any_case(dataset: Dataset, path: str, expected: set[str]) -> None:
    assert _found(dataset, path=path) == expected


@pytest.mark.parametrize(
    ("glob", "expected"),
    [
        ("*", set(PATHS)),
        ("*.nwb", {"sub-1/a.nwb", "sub-1/b.NWB", "SUB-10/c.nwb"}),
        ("sub-1/*", {"sub-1/a.nwb", "sub-1/b.NWB"}),
        ("sub-1*", {"sub-1/a.nwb", "sub-1/b.NWB", "SUB-10/c.nwb"}),
        ("sub-1", set()),
        ("**1/***.nwb", {"sub-1/a.nwb", "sub-1/b.NWB"}),
        ("sub_1/*", set()),
        ("%", set()),
        ("e+(f).txt", {"e+(f).txt"}),
        ("Été/*", {"Été/d_1.txt"}),
        ("éTÉ/*", {"Été/d_1.txt"}),
        ("*te\u0301/*", {"Été/d_1.txt"}),
        ("*d?1*", set()),
        (".*", set()),
        ("[a-z]*", set()),
    ],
)
def test_glob_matches_from_end_to_end_with_stars_only(dataset: Dataset, glob: str, expected: set[str]) -> None:
    assert _found(dataset, glob=glob) == expected


@pytest.mark.parametrize("glob", ["*" * 1023 + "c", "*1" * 500 + "b", "*a*b" * 200])
def test_glob_is_cheap_when_it_has_many_stars(dataset: Dataset, glob: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = '2s'")
    assert _found(dataset, glob=glob) == set()


def test_path_and_glob_must_both_match(dataset: Dataset) -> None:
    assert _found(dataset, path="sub-1/", glob="*/b*") == {"sub-1/b.NWB"}


def test_zarr_archives_are_none_yet(dataset: Dataset) -> None:
    assert not matching_assets(draft_of(dataset), Filter(only_zarr=True)).exists()


def test_prefix_is_looked_up_in_the_index() -> None:
    dataset = make_dataset()
    blob = attachable_row(dataset)
    add = [new_asset(f"sub-{number}/a.nwb", blob) for number in range(1000)]
    change_assets(actor=owner_of(dataset), dataset=dataset, add=add)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE archive_asset")
    plan = matching_assets(draft_of(dataset), Filter(path="sub-1/")).explain()
    assert ("asset_by_folded_path" in plan, ">= 'SUB-1/'" in plan) == (True, True)


# --- One --------------------------------------------------------------------------------------------------------------


def test_asset_is_found_in_the_versions_that_show_it(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("a.nwb", "b.nwb"))
    version = make_published_version(worker, dataset)
    asset = Asset.objects.get(path="a.nwb")
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    late = make_asset(dataset, "c.nwb")
    assert find_asset(version, asset.asset_id) == asset
    assert find_asset(draft_of(dataset), late.asset_id) == late
    with pytest.raises(NotFoundError):
        find_asset(draft_of(dataset), asset.asset_id)
    with pytest.raises(NotFoundError):
        draft_asset(dataset, asset.asset_id)
    with pytest.raises(NotFoundError):
        find_asset(version, late.asset_id)


def test_asset_is_found_anywhere_by_who_may_read_it() -> None:
    asset, hidden = make_asset(make_dataset()), make_asset(make_embargoed_dataset())
    assert find_asset_anywhere(ANONYMOUS, asset.asset_id) == asset
    assert find_asset_anywhere(owner_of(hidden.dataset), hidden.asset_id) == hidden
    with pytest.raises(UnauthenticatedError):
        find_asset_anywhere(ANONYMOUS, hidden.asset_id)
    with pytest.raises(ForbiddenError):
        find_asset_anywhere(acting(make_user()), hidden.asset_id)
    with pytest.raises(NotFoundError):
        find_asset_anywhere(ANONYMOUS, uuid4())


@pytest.mark.parametrize(
    ("claimed", "believed"),
    [
        ("image/png", "image/png"),
        ("application/x-nwb", "application/x-nwb"),
        ("text/html; charset=x", None),
        ("text/html\r\nX: y", None),
        (["image/png"], None),
        (None, None),
    ],
)
def test_media_type_is_believed_when_it_looks_like_one(claimed: object, believed: str | None) -> None:
    assert declared_media_type(Asset(metadata={"encodingFormat": claimed})) == believed


def test_contributions_are_those_of_valid_files_each_given_once(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("sub-1_a.nwb", "sub-1_b.nwb", "sub-2_c.nwb"))
    make_asset(dataset, "sub-3_d.nwb", schemaKey="Nonsense")
    worker.run()
    found = contributions(dataset.number)
    assert found["subjects"] == Contributed(2, [])
    assert [standard["identifier"] for standard in found["dataStandard"].values] == ["RRID:SCR_015242"]
    assert found.keys() == {"subjects", "dataStandard"}
