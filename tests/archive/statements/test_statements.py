"""Queries that are composed once find what the QuerySets find that they are made of."""

import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, models
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from archive.accounts.models import User
from archive.assets.models import Asset, BriefAsset
from archive.assets.queries import Filter, page_of_assets, page_of_brief_assets
from archive.assets.services import NewAsset, change_assets
from archive.blobs.models import Blob, Upload
from archive.datasets.models import Dataset, Version
from archive.statements import Prepared, PreparedInsert
from archive.timeline.rows import FOREVER
from tests.factories import (
    make_asset,
    make_dataset,
    make_published_version,
    make_token,
    make_user,
    make_valid_dataset,
    make_zarr,
    make_zarr_asset,
    owner_of,
)
from tests.worker import Worker

Values = dict[str, Any]
# The values by which each is asked, taken from rows that there are: an asset of a published version, and that version.
VALUES: dict[str, Callable[[Asset, Version], Values]] = {
    "_asset_by_id": lambda asset, version: {"asset_id": asset.asset_id},
    "_asset_shown_at": lambda asset, version: {
        "number": asset.dataset_id,
        "point": version.at,
        "asset_id": asset.asset_id,
    },
    "_blob_by_id": lambda asset, version: {"blob_id": asset.blob_id},
    "_blobs_by_etag": lambda asset, version: {"digest": blob_of(asset).etag},
    "_blobs_by_sha256": lambda asset, version: {"digest": blob_of(asset).sha256},
    "_dataset_by_number": lambda asset, version: {"number": asset.dataset_id},
    "_grant_of": lambda asset, version: {
        "dataset_id": asset.dataset_id,
        "user_id": owner_of(asset.dataset).user_id,
    },
    "_folder_shown_at": lambda asset, version: {"number": asset.dataset_id, "point": FOREVER, "path": "sub-1"},
    "_published_versions_of": lambda asset, version: {"number": asset.dataset_id},
    "_token_by_digest": lambda asset, version: {"digest": make_token(make_user()).digest},
    "_upload_by_id": lambda asset, version: {"upload_id": make_upload(asset.dataset).pk},
    "_version_by_name": lambda asset, version: {"number": asset.dataset_id, "name": version.version},
}


def blob_of(asset: Asset) -> Any:
    return asset.blob


def make_upload(dataset: Dataset) -> Upload:
    """An upload as rows know it."""
    return Upload.objects.create(dataset=dataset, user=make_user(), size=1, etag=f"{'0' * 32}-1", multipart_id="1")


def all_prepared() -> dict[str, Prepared[Any]]:
    """Return every query of the archive that is composed once, by its name."""
    modules = [module for name, module in sys.modules.items() if name.startswith("archive.")]
    return {name: each for module in modules for name, each in vars(module).items() if isinstance(each, Prepared)}


def content(row: models.Model) -> Values:
    """Return all that an object holds, with the objects that came with it."""
    held = vars(row).copy()
    related = held.pop("_state").fields_cache
    return held | {name: each and content(each) for name, each in related.items()}


@pytest.mark.django_db
def test_all_find_what_their_querysets_find(worker: Worker) -> None:
    dataset = make_valid_dataset(worker, paths=("sub-1/a.nwb",))
    version = make_published_version(worker, dataset)
    asset = Asset.objects.select_related("blob").get(dataset=dataset)
    assert VALUES.keys() == all_prepared().keys()
    for name, prepared in all_prepared().items():
        values = VALUES[name](asset, version)
        expected = [content(row) for row in prepared.build(**values)]
        assert expected, name
        # Once before Postgres has prepared it, and often enough for that.
        for _ in range(8):
            assert [content(row) for row in prepared.all(**values)] == expected, name


@pytest.mark.django_db
@pytest.mark.parametrize("page_of", [page_of_assets, page_of_brief_assets])
def test_first_pages_show_what_the_pages_after_them_would(worker: Worker, page_of: Callable[..., list[Any]]) -> None:
    dataset = make_valid_dataset(worker, paths=("c.nwb", "a.nwb", "b.nwb"))
    version = make_published_version(worker, dataset)
    make_asset(dataset, "0.nwb")
    draft = dataset.versions.get(version="draft")
    for shown, order in product((draft, version), ("created", "-created", "path", "-path", "modified", "-modified")):
        page = partial(page_of, shown, Filter(), order=order)
        first = [listed(row) for row in page(offset=0, limit=2)]
        assert first[1:] == [listed(row) for row in page(offset=1, limit=1)]
        everything = [row.path for row in page(offset=0, limit=9)]
        assert [len(everything), [row["path"] for row in first]] == [shown.file_count, everything[:2]]


def listed(row: Asset | BriefAsset) -> Values:
    return row._asdict() if isinstance(row, BriefAsset) else content(row)


@pytest.mark.django_db
@pytest.mark.parametrize("offset", [0, 1])
def test_brief_assets_are_what_assets_are(worker: Worker, offset: int) -> None:
    dataset = make_valid_dataset(worker, paths=("c.nwb", "a.nwb", "b.nwb"))
    make_zarr_asset(make_zarr(dataset), "z.zarr")
    draft = dataset.versions.get(version="draft")
    where: Any = {"order": "path", "offset": offset, "limit": 9}
    whole, brief = page_of_assets(draft, Filter(), **where), page_of_brief_assets(draft, Filter(), **where)
    fields = (*BriefAsset._fields, "content_id")
    assert [[getattr(row, name) for name in fields] for row in brief] == [
        [getattr(row, name) for name in fields] for row in whole
    ]


@pytest.mark.django_db
def test_constants_and_values_are_told_apart() -> None:
    @Prepared
    def found(last_name: Any) -> models.QuerySet[User]:
        rows = User.objects.filter(first_name__contains="50%", last_name=last_name)
        return rows.annotate(note=models.Value("100% (%s)"), again=F("last_name"))

    person = make_user(first_name="A 50% b", last_name="100% %s")
    make_user(first_name="A 50 b", last_name="100% %s")
    [row] = found.all(last_name="100% %s")
    assert (row, row.note, row.again) == (person, "100% (%s)", "100% %s")  # type: ignore[attr-defined]
    assert found.first(last_name="100%") is None
    # As in SQL, nothing equals None.
    assert found.all(last_name=None) == []


@pytest.mark.django_db
def test_inserted_objects_are_as_django_would_have_made_them() -> None:
    dataset, person = make_dataset(), make_user()
    fields: Values = {"size": 1, "etag": f"{'0' * 32}-1"}
    made = [Upload(dataset=dataset, user=person, multipart_id="1%s", **fields) for _ in range(8)]
    for upload in made:
        PreparedInsert(Upload).insert(upload)
        stored = Upload.objects.get(pk=upload.pk)
        assert [content(stored), stored._state.adding] == [vars_of(upload), upload._state.adding]
    blob_id = uuid4()
    for size in (1, 2):
        again = Blob(id=blob_id, uploader=person, **{**fields, "size": size})
        PreparedInsert(Blob, unless_there=True).insert(again)
    assert Blob.objects.get(pk=blob_id).size == 1
    with pytest.raises(IntegrityError):
        PreparedInsert(Blob).insert(again)


def vars_of(row: models.Model) -> Values:
    """What an object holds of itself."""
    return {name: value for name, value in vars(row).items() if name != "_state"}


@pytest.mark.django_db
def test_inserted_assets_are_as_many_that_are_inserted_together() -> None:
    dataset = make_dataset()
    alone = make_asset(dataset, "a/b.nwb", note="100% %s ü")
    blob = Blob.objects.get(pk=alone.blob_id)
    new = NewAsset("a/c.nwb", blob, alone.metadata)
    change_assets(actor=owner_of(dataset), dataset=dataset, add=[new, replace(new, path="a/d.nwb")])
    first, second = (content(Asset.objects.get(dataset=dataset, path=path)) for path in ("a/b.nwb", "a/c.nwb"))
    own = {"id", "asset_id", "path", "introduced", "created", "modified"}
    assert {name for name in first if first[name] != second[name]} == own
    assert first["id"] == alone.pk


@pytest.mark.django_db
def test_statements_are_counted_as_all_are() -> None:
    found = all_prepared()["_asset_by_id"]
    with CaptureQueriesContext(connection) as queries:
        found.all(asset_id=uuid4())
    assert [query["sql"].split()[0] for query in queries] == ["SELECT"]


@pytest.mark.django_db
def test_rows_of_this_transaction_are_found(worker: Worker) -> None:
    found = all_prepared()["_asset_by_id"]
    asset = make_asset(make_valid_dataset(worker), "b.nwb")
    assert found.first(asset_id=asset.asset_id) == asset


@pytest.mark.django_db(transaction=True)
def test_statement_is_prepared_again_when_a_column_has_another_type() -> None:
    found = all_prepared()["_token_by_digest"]
    token = make_token(make_user())
    for _ in range(8):
        found.all(digest=token.digest)
    try:
        change_names_to("varchar(200)")
        assert found.all(digest=token.digest) == [token]
    finally:
        change_names_to("varchar(100)")


def change_names_to(kind: str) -> None:
    """Give the names of tokens another type, as a migration may."""
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE archive_token ALTER name TYPE {kind}")
