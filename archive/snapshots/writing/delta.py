"""The changes of a dataset's tree between two points of its history: found from the rows that came or went."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import CharField, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast, Coalesce, Concat

from archive.assets.models import Asset
from archive.blobs.models import blob_key
from archive.git_annex.attributes import Rules
from archive.git_annex.keys import AnnexKey, annex_key
from archive.paths import fits_git
from archive.snapshots.keeping.git import Beat
from archive.storage.queries import public_url
from archive.timeline.rows import shown_at
from archive.zarr.models import ZarrEntry, ZarrRevision, entry_key

CHUNK = 5000


@dataclass(frozen=True)
class Point:
    """A point of the history: the draft after a change, without the assets that are left out."""

    at: int
    left_out: frozenset[int] = frozenset()

    @property
    def assets(self) -> Q:
        """Return the condition that an asset is there."""
        return shown_at(self.at) & ~Q(pk__in=self.left_out) if self.left_out else shown_at(self.at)


class Placed(NamedTuple):
    """A file that is to be at `path`: a link for content of that key, or the object `text`, as it is in the store.

    `url` is where anyone may read it, or empty.
    """

    path: str
    key: AnnexKey
    url: str
    text: str = ""


class Removed(NamedTuple):
    """A file, or a folder and what is in it, that is to be at `path` no longer."""

    path: str


@dataclass
class Delta:
    """The steps by which the tree of a dataset comes from one point, or from nothing, to another.

    Holds no more than a chunk of rows at a time. `unfit` are the paths met on the way that git cannot have.
    """

    dataset_id: int
    rules: Rules
    since: Point | None
    until: Point
    is_public: bool
    beat: Beat
    unfit: list[str] = field(default_factory=list)
    # Only assets that are Zarr archives, or only those that are not.
    is_zarr: bool | None = None

    def steps(self) -> Iterator[Removed | Placed]:
        """Yield what to do, in an order that ends well: what goes makes room for what comes."""
        yield from (Removed(path) for (path,) in self._pages(self._gone(), "path") if fits_git(path))
        fields = ("path", "size", "blob_id", "blob__sha256", "zarr_id", "was")
        for path, size, blob_id, sha256, zarr_id, was in self._pages(self._come(), *fields):
            if not self._fits(path):
                continue
            is_same = was == (sha256 or str(zarr_id))
            if was and not is_same:
                yield Removed(path)
            if zarr_id:
                yield from self._zarr_steps(path, zarr_id, is_same=is_same)
            elif not is_same:
                yield self._placed_blob(path, size, blob_id, sha256)

    def _pages(self, rows: "QuerySet[Any]", *fields: str) -> Iterator[tuple[Any, ...]]:
        """Yield these fields of the rows, in the order in which git lists files: that of the bytes of whole paths."""
        # A Zarr archive is where a folder of its name would be.
        place = Concat("path", Value("/")) if self.is_zarr and rows.model is Asset else F("path")
        ordered = rows.annotate(place=place).order_by("place").values_list(*fields, "place")
        page = list(ordered[:CHUNK])
        while page:
            self.beat()
            yield from (row[:-1] for row in page)
            page = list(ordered.filter(place__gt=page[-1][-1])[:CHUNK]) if len(page) == CHUNK else []

    def _fits(self, path: str) -> bool:
        if fits_git(path):
            return True
        self.unfit.append(path)
        return False

    def _assets(self, point: Point) -> "QuerySet[Asset]":
        assets = Asset.objects.filter(point.assets, dataset_id=self.dataset_id)
        return assets if self.is_zarr is None else assets.filter(zarr__isnull=not self.is_zarr)

    def _gone(self) -> "QuerySet[Asset]":
        """Return the assets at whose paths there is nothing any more."""
        if self.since is None:
            return Asset.objects.none()
        still = self._assets(self.until).filter(path=OuterRef("path"))
        retired = self._assets(self.since).filter(retired__gt=self.since.at, retired__lte=self.until.at)
        return retired.filter(~Exists(still))

    def _come(self) -> "QuerySet[Asset]":
        """Return the assets that may show something new, with what `was` at their paths: a SHA-256, or an id."""
        until = self._assets(self.until)
        if self.since is None:
            return until.annotate(was=Value(None, output_field=CharField()))
        content = Coalesce(F("blob__sha256"), Cast("zarr_id", CharField()))
        before = self._assets(self.since).filter(path=OuterRef("path")).annotate(content=content)
        new = Q(introduced__gt=self.since.at)
        if self.since.left_out:
            new |= Q(pk__in=self.since.left_out)
        if grown := self._grown(self.since):
            new |= Q(zarr__in=grown)
        return until.filter(new).annotate(was=Subquery(before.values("content")[:1]))

    def _grown(self, since: Point) -> list[UUID]:
        """Return the ids of the Zarr archives that have had a revision since."""
        revisions = ZarrRevision.objects.filter(zarr__dataset=self.dataset_id, at__gt=since.at, at__lte=self.until.at)
        return list(revisions.values_list("zarr_id", flat=True).distinct())

    def _placed_blob(self, path: str, size: int, blob_id: UUID, sha256: str) -> Placed:
        stored = blob_key(blob_id)
        text = stored if self.rules.keeps_in_git(path, size) else ""
        return Placed(path, annex_key(path=path, size=size, sha256=sha256), self._url(stored), text)

    def _url(self, stored: str) -> str:
        return public_url(stored) if self.is_public else ""

    # --- Zarr ---------------------------------------------------------------------------------------------------------

    def _zarr_steps(self, folder: str, zarr_id: UUID, *, is_same: bool) -> Iterator[Removed | Placed]:
        """Yield what changes in the folder of a Zarr archive; from nothing, unless it `is_same` as before."""
        since = _revision(zarr_id, self.since.at) if self.since and is_same else 0
        until = _revision(zarr_id, self.until.at)
        if since == until:
            return
        entries = ZarrEntry.objects.filter(zarr=zarr_id)
        shown, before = entries.at(until), entries.at(since)
        gone = before.filter(~Exists(shown.filter(path=OuterRef("path"))), retired__lte=until)
        yield from (Removed(f"{folder}/{path}") for (path,) in self._pages(gone, "path"))
        was = Subquery(before.filter(path=OuterRef("path")).values("md5")[:1])
        is_new = Q(was=None) | ~Q(was=F("md5"))
        come = shown.filter(introduced__gt=since).annotate(was=was).filter(is_new)
        for path, md5, size in self._pages(come, "path", "md5", "size"):
            if self._fits(f"{folder}/{path}"):
                url = self._url(entry_key(zarr_id, md5))
                yield Placed(f"{folder}/{path}", annex_key(path=path, size=size or 0, md5=md5), url)


def _revision(zarr_id: UUID, at: int) -> int:
    """Return the number of the revision that a draft showed after that change; 0 if there was none."""
    numbers = ZarrRevision.objects.filter(zarr=zarr_id, at__lte=at).order_by("-number")
    return numbers.values_list("number", flat=True).first() or 0
