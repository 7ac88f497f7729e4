"""Reading assets and folders, of the draft or of a published version, page by page.

A page far into a long list is found from an anchor: the key of a row before it, remembered from an earlier page of the
same state of the dataset. So page 1,000 costs what page 2 costs (docs/decisions/page-anchors.md).
"""

import re
import uuid
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from hashlib import sha256
from typing import Any, Literal, NamedTuple

from django.contrib.postgres.aggregates import JSONBAgg
from django.core.cache import cache
from django.db.models import BooleanField, Count, F, Func, JSONField, Q, QuerySet, Value
from django.db.models.fields.tuple_lookups import TupleGreaterThanOrEqual, TupleLessThanOrEqual
from redis.exceptions import RedisError

from archive.accounts.policy import Action, Actor, is_blinded, require
from archive.addresses import zarr_content, zarr_files
from archive.assets.models import Asset, BriefAsset, Folded, Folder, SummaryValue
from archive.blobs.models import Blob
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import publications
from archive.errors import InvalidError, NotFoundError
from archive.metadata.documents import (
    AssetFacts,
    asset_metadata,
    blob_digest,
    candidate_asset_metadata,
    without_people,
    zarr_digest,
)
from archive.metadata.summary import LISTED, Contributed
from archive.paths import composed
from archive.patterns import like_glob
from archive.statements import Prepared, PreparedRows, find_rows
from archive.storage.queries import public_url, read_start
from archive.timeline.rows import FOREVER

ANCHOR_STEP = 1000
ANCHOR_SECONDS = 24 * 3600
README_NAMES = ("README.md", "README", "README.txt")
README_BYTES = 100_000
MEDIA_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9.+-]{1,100}")

Order = Literal["created", "-created", "path", "-path", "modified", "-modified"]

# The content of an asset, for `select_related`: without it, AssetDocuments makes a query for each asset.
CONTENT = ("blob", "zarr_revision")

# SQL's LIKE, of which Django has only special cases.
LIKE: Any = {"template": "%(expressions)s", "arg_joiner": " LIKE ", "output_field": BooleanField()}

# Each ends in a unique column, and is an index together with `dataset`. The order of creation is that of changes.
ORDERS = {
    "created": ("introduced", "path"),
    "path": ("path", "introduced"),
    "modified": ("modified", "introduced", "path"),
}


def live_assets(dataset: Dataset) -> QuerySet[Asset]:
    """Return the assets of the draft."""
    return Asset.objects.filter(dataset=dataset).live()


def assets_not_valid(number: int) -> QuerySet[Asset]:
    """Return the assets of a draft that are not known to be valid, those that have waited longest first.

    Only the index of just these has this order. Without an order Postgres reads the whole table as long as it believes
    that most assets are pending, as it does for a while after many were added.
    """
    unsettled = Asset.objects.filter(dataset_id=number).live().exclude(status=Asset.Status.VALID)
    return unsettled.order_by("status", "modified", "id")


def draft_asset(dataset: Dataset, asset_id: uuid.UUID) -> Asset:
    """Return an asset of the draft; NotFoundError if the draft does not have it, or no longer."""
    asset = live_assets(dataset).filter(asset_id=asset_id).first()
    if asset is None:
        raise NotFoundError
    return asset


def assets_of(version: Version) -> QuerySet[Asset]:
    """Return the assets of a version."""
    return Asset.objects.filter(dataset_id=version.dataset_id).at(version.at)


class AssetDocuments:
    """A composer of the full metadata of assets of one dataset (their CONTENT at hand), without a query per asset."""

    def __init__(self, dataset: Dataset, *, reader: Actor, of_draft_only: bool = False) -> None:
        """Prepare to compose for the `reader`; `of_draft_only` saves the query for versions that show a new asset."""
        self._dataset = dataset
        self._is_blinded = is_blinded(reader, dataset)
        self._publications = [] if of_draft_only else publications(dataset.number)
        self._points = [publication.at for publication in self._publications]

    def document(self, asset: Asset) -> dict[str, Any]:
        """Return the metadata that readers of the asset get."""
        document = asset_metadata(self._facts(asset))
        return without_people(document) if self._is_blinded else document

    def candidate(self, asset: Asset, now: datetime) -> dict[str, Any]:
        """Return the metadata that the asset is validated as: those it would have, were it published now."""
        return candidate_asset_metadata(self._facts(asset), now=now)

    def _facts(self, asset: Asset) -> AssetFacts:
        return AssetFacts(
            asset_id=asset.asset_id,
            path=asset.path,
            submitted=asset.metadata,
            size=asset.size,
            digest=_digest(asset),
            url=public_url(asset.blob.key) if asset.blob else zarr_content(asset.content_id),
            access=self._dataset.access,
            embargoed_until=self._dataset.embargo_end,
            is_zarr=asset.blob is None,
            published_by=self._published_by(asset),
        )

    def _published_by(self, asset: Asset) -> dict[str, Any] | None:
        """Return the publication that first showed the asset: the first whose point is not before its introduction."""
        index = bisect_left(self._points, asset.introduced)
        if index == len(self._points) or (asset.retired is not None and asset.retired <= self._points[index]):
            return None
        return self._publications[index].published_by


def _digest(asset: Asset) -> dict[str, str | None]:
    if asset.blob:
        return blob_digest(etag=asset.blob.etag, sha256=asset.blob.sha256)
    return zarr_digest(asset.zarr_revision.checksum if asset.zarr_revision else None)


def find_asset(version: Version, asset_id: uuid.UUID) -> Asset:
    """Return an asset of a version, its CONTENT with it; NotFoundError if the version does not show it."""
    asset = _asset_shown_at.first(number=version.dataset_id, point=_point_of(version), asset_id=asset_id)
    if asset is None:
        raise NotFoundError
    return _blinded(asset) if version.is_blinded else asset


@Prepared
def _asset_shown_at(number: Any, point: Any, asset_id: Any) -> QuerySet[Asset]:
    return Asset.objects.select_related(*CONTENT).filter(dataset_id=number, asset_id=asset_id).at(point)


def _point_of(version: Version) -> int:
    """Return the point of a version, or for the draft one that shows the same."""
    return FOREVER if version.at is None else version.at


def _blinded(asset: Asset) -> Asset:
    """Return the asset without what tells whose it is, as reviewers get it. Not to be saved."""
    # A deferred field would be fetched from the database, unblinded, when it is read.
    asset.metadata = {} if "metadata" in asset.get_deferred_fields() else without_people(asset.metadata)
    # Messages repeat the values they are about.
    asset.problems = []
    return asset


def find_asset_anywhere(actor: Actor, asset_id: uuid.UUID) -> Asset:
    """Return an asset by its id alone, its CONTENT and dataset with it, if the actor may read the dataset.

    NotFoundError if there is none, or it was removed before the dataset was released; UnauthenticatedError or
    ForbiddenError if it is embargoed to the actor.
    """
    asset = _asset_by_id.first(asset_id=asset_id)
    if asset is None:
        raise NotFoundError
    require(actor, Action.READ, asset.dataset)
    if asset.retired is not None and not Asset.objects.visible_to(actor).filter(pk=asset.pk).exists():
        raise NotFoundError
    return _blinded(asset) if is_blinded(actor, asset.dataset) else asset


@Prepared
def _asset_by_id(asset_id: Any) -> QuerySet[Asset]:
    return Asset.objects.select_related(*CONTENT, "dataset").filter(asset_id=asset_id)


def declared_media_type(asset: Asset) -> str | None:
    """Return the media type that the asset's metadata declare, unverified; None if it is not well formed."""
    claimed = asset.metadata.get("encodingFormat")
    return claimed if isinstance(claimed, str) and MEDIA_TYPE.fullmatch(claimed) else None


def find_readme(version: Version) -> Asset | None:
    """Return the README at the version's root, its blob with it; None if there is none."""
    files = assets_of(version).filter(blob__isnull=False).select_related("blob")
    found = {asset.path: asset for asset in _seen(version, files.filter(path__in=README_NAMES))}
    return next((found[name] for name in README_NAMES if name in found), None)


def read_readme(asset: Asset) -> str:
    """Return the text of a README, no more than README_BYTES of it; BusyError if the store is away."""
    return read_start(blob_of(asset).key, README_BYTES).decode("utf-8-sig", "replace")


def blob_of(asset: Asset) -> Blob:
    """Return the blob of the asset; InvalidError if it is a Zarr archive, which is many files."""
    if asset.blob is None:
        raise InvalidError(
            "This asset is a Zarr archive. Its files are listed, and read one by one, "
            f"at {zarr_files(asset.content_id)}"
        )
    return asset.blob


def contributions(number: int) -> dict[str, Contributed]:
    """Return what the valid assets of a draft contribute to its summary, by part: those that have any."""
    values = SummaryValue.objects.filter(dataset_id=number, asset_count__gt=0)
    listed = JSONBAgg("value", filter=Q(part__in=LISTED), default=Value([], JSONField()))
    parts = values.values_list("part").annotate(count=Count("pk"), listed=listed)
    return {part: Contributed(count, listed) for part, count, listed in parts}


@dataclass(frozen=True)
class Filter:
    """A filter of the assets of a version (docs/dialects/dandi.md#lists-of-assets).

    `path` is a whole path or, if there is no such asset, a prefix in any case; `glob` is matched from end to end, in
    any case, with `*` for any characters. Either finds what it means in whatever form of Unicode it is written.
    """

    path: str = ""
    glob: str = ""
    only_zarr: bool = False


def matching_assets(version: Version, wanted: Filter) -> QuerySet[Asset]:
    """Return the assets of a version that the filter asks for."""
    rows = assets_of(version)
    if wanted.only_zarr:
        rows = rows.filter(zarr__isnull=False)
    if wanted.path:
        path = composed(wanted.path)
        exact, prefix = rows.filter(path=path), Folded(Value(path))
        rows = exact if exact.exists() else rows.annotate(folded=Folded("path")).filter(folded__startswith=prefix)
    if wanted.glob:
        pattern = Folded(Value(like_glob(composed(wanted.glob))))
        rows = rows.filter(Func(Folded("path"), pattern, **LIKE))
    return rows


def find_asset_at(version: Version, path: str) -> Asset | None:
    """Return a version's asset at that path, with its CONTENT, or None.

    If there is none, one whose path differs in case alone will do.
    """
    rows, path = assets_of(version).select_related(*CONTENT), composed(path)
    alike = rows.annotate(folded=Folded("path")).filter(folded=Folded(Value(path)))
    asset = rows.filter(path=path).first() or alike.first()
    return _blinded(asset) if asset and version.is_blinded else asset


@dataclass(frozen=True)
class Child:
    """A file or folder directly in a folder; a file has an `asset_id`, and a `blob_id` or a `zarr_id`.

    `zarr_id` is that of the revision, as long as there is one.
    """

    path: str
    file_count: int
    size: int
    asset_id: uuid.UUID | None
    blob_id: uuid.UUID | None
    zarr_id: uuid.UUID | None = None


def count_assets(version: Version, wanted: Filter) -> int:
    """Return how many assets of a version match the filter; the total is stored, and not counted."""
    if wanted == Filter():
        return version.file_count
    return matching_assets(version, wanted).count()


def page_of_assets(version: Version, wanted: Filter, *, order: Order, offset: int, limit: int) -> list[Asset]:
    """Return the assets that the filter asks for, `limit` from the `offset`-th on, in that order, with their CONTENT.

    When the filter asks for all, a page costs the same at any depth, but for the order `modified`.
    """
    return _seen(version, _page(version, wanted, order, offset, limit, is_brief=False))


def page_of_brief_assets(
    version: Version, wanted: Filter, *, order: Order, offset: int, limit: int
) -> list[BriefAsset]:
    """Return what `page_of_assets` returns, but brief, which takes a third of the time."""
    return [BriefAsset(*row) for row in _page(version, wanted, order, offset, limit, is_brief=True)]


def _page(version: Version, wanted: Filter, order: Order, offset: int, limit: int, *, is_brief: bool) -> list[Any]:
    """Return a page of assets, or of rows with the fields of brief ones."""
    if wanted == Filter() and not offset:
        query = _first_page(order, is_draft=version.at is None, is_brief=is_brief)
        return query.at_most(limit, number=version.dataset_id, point=version.at)
    fields = ORDERS[order.removeprefix("-")]
    backwards = order.startswith("-")
    rows = matching_assets(version, wanted)
    shown = _in_order(rows, order, is_brief=is_brief)
    if wanted != Filter() or "modified" in fields:
        return list(shown[offset : offset + limit])
    if offset >= version.file_count:
        return []
    from_key = partial(TupleLessThanOrEqual if backwards else TupleGreaterThanOrEqual, [F(field) for field in fields])
    anchors = Anchors.of(version, order, offset)
    anchor, key = anchors.before(offset)
    known = _in_order(rows.filter(from_key(key)) if key else rows, order, is_brief=is_brief)
    first = known.values_list(*fields)[offset - anchor : offset - anchor + 1]
    page = list(shown.filter(from_key(first.query))[:limit])
    if page:
        anchors.remember(offset, [getattr(page[0], field) for field in fields])
    return page


def _in_order(rows: QuerySet[Asset], order: Order, *, is_brief: bool) -> QuerySet[Any, Any]:
    """Return assets in an order, with their CONTENT; or rows with the fields of brief ones."""
    sign = "-" if order.startswith("-") else ""
    rows = rows.order_by(*(f"{sign}{field}" for field in ORDERS[order.removeprefix("-")]))
    return rows.values_list(*BriefAsset._fields, named=True) if is_brief else rows.select_related(*CONTENT)


@lru_cache
def _first_page(order: Order, *, is_draft: bool, is_brief: bool) -> Prepared[Asset] | PreparedRows:
    """Return the query of the first pages of drafts, or of other versions, which is asked for the most."""

    def first_page(number: Any, point: Any) -> QuerySet[Any, Any]:
        rows = Asset.objects.filter(dataset_id=number)
        return _in_order(rows.live() if is_draft else rows.at(point), order, is_brief=is_brief)

    return PreparedRows(first_page) if is_brief else Prepared(first_page)


def _seen(version: Version, assets: Iterable[Asset]) -> list[Asset]:
    """Return assets of a version as whoever was given the version may see them."""
    return [_blinded(asset) if version.is_blinded else asset for asset in assets]


class FileRow(NamedTuple):
    """A file of a version, as lists of all files have it: its path and size, and what its bytes are known by."""

    path: str
    size: int
    asset_id: uuid.UUID
    blob_id: uuid.UUID | None
    zarr_id: uuid.UUID | None
    sha256: str | None


def files_of(version: Version) -> Iterator[FileRow]:
    """Yield all files of a version, in all folders, in the order of their paths: by one query, however many."""
    rows = assets_of(version).order_by("path")
    fields = ("path", "size", "asset_id", "blob_id", "zarr_id", "blob__sha256")
    yield from (FileRow(*row) for row in rows.values_list(*fields).iterator(chunk_size=5000))


def find_folder(version: Version, path: str) -> Folder | None:
    """Return the folder at `path` ("" for the root), or None if it does not exist; empty folders do not exist."""
    return _folder_shown_at.first(number=version.dataset_id, point=_point_of(version), path=composed(path))


@Prepared
def _folder_shown_at(number: Any, point: Any, path: Any) -> QuerySet[Folder]:
    return Folder.objects.filter(dataset_id=number, path=path).at(point)


# The files and folders in a folder, at a point.
_CHILDREN = """
    SELECT path, file_count, size, NULL::uuid AS asset_id, NULL::uuid AS blob_id, NULL::uuid AS zarr_id
      FROM archive_folder
     WHERE dataset_id = %(number)s AND folder = %(folder)s
           AND introduced <= %(point)s AND (retired IS NULL OR retired > %(point)s)
     UNION ALL
    SELECT path, 1, size, asset_id, blob_id, COALESCE(zarr_revision_id, zarr_id)
      FROM archive_asset
     WHERE dataset_id = %(number)s AND folder = %(folder)s
           AND introduced <= %(point)s AND (retired IS NULL OR retired > %(point)s)
"""
PAGE_OF_CHILDREN = f"""
    SELECT * FROM ({_CHILDREN}) AS children
     WHERE path >= (SELECT path FROM ({_CHILDREN}) AS keys
                     WHERE path >= %(after)s ORDER BY path OFFSET %(offset)s LIMIT 1)
     ORDER BY path LIMIT %(limit)s
"""  # noqa: S608 - built of constants only


def page_of_children(version: Version, folder: str, *, offset: int, limit: int) -> list[Child]:
    """Return the files and folders directly in `folder`, in byte order; the same cost at any depth of the list."""
    folder = composed(folder)
    anchors = Anchors.of(version, f"in:{folder}", offset)
    anchor, key = anchors.before(offset)
    place = {"number": version.dataset_id, "point": _point_of(version), "folder": folder}
    [after] = key or [""]
    rows = find_rows(PAGE_OF_CHILDREN, {**place, "after": after, "offset": offset - anchor, "limit": limit})
    page = [Child(*row) for row in rows]
    if page:
        anchors.remember(offset, [page[0].path])
    return page


def assets_among(version: Version, children: Iterable[Child]) -> dict[str, Asset]:
    """Return the assets of those children of a version's folder that are files, by path, with their CONTENT."""
    wanted = [child.asset_id for child in children if child.asset_id]
    found = assets_of(version).select_related(*CONTENT).filter(asset_id__in=wanted)
    return {asset.path: asset for asset in _seen(version, found)}


@dataclass(frozen=True)
class Anchors:
    """The keys of some rows of a long list, in one order and one state of the dataset, by their places in it.

    Whoever reads a page finds its first row by walking an index from the anchor before it, and leaves an anchor
    where there was none near. Without the cache the walk is longer, never wrong.
    """

    name: str
    keys: dict[int, list[Any]]

    @classmethod
    def of(cls, version: Version, order: str, offset: int) -> "Anchors":
        """Return the anchors that are remembered of a list, for a page at `offset`: none where none can be."""
        state = version.at if version.at is not None else f"draft:{version.files_changed}"
        name = f"page-anchors:{version.dataset_id}:{state}:{sha256(order.encode()).hexdigest()}"
        if offset >= ANCHOR_STEP:
            with suppress(RedisError):
                return cls(name, cache.get(name) or {})
        return cls(name, {})

    def before(self, offset: int) -> tuple[int, list[Any] | None]:
        """Place and key of the last anchor not behind `offset`; (0, None), where the list begins, if there is none."""
        place = max((place for place in self.keys if place <= offset), default=0)
        return place, self.keys.get(place)

    def remember(self, offset: int, key: list[Any]) -> None:
        """Keep the key of the row at `offset`, unless there is an anchor near before it."""
        if offset - self.before(offset)[0] < ANCHOR_STEP:
            return
        with suppress(RedisError):
            cache.set(self.name, {**self.keys, offset: key}, ANCHOR_SECONDS)
