"""Changing the assets of a draft: each function is one Change, one transaction, and leaves folders and sums right."""

import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from archive import paths
from archive.accounts.policy import Action, Actor, attachable_rows, require
from archive.assets.batches import CONFLICTS_SHOWN, MAX_BATCH, MAX_KEY, BatchFile, check_batch, digest_of, shown_names
from archive.assets.collisions import refuse_conflicts, refuse_look_alikes
from archive.assets.folders import (
    BATCH_SIZE,
    update_folders,
)
from archive.assets.models import Asset, Batch
from archive.assets.queries import draft_asset, live_assets
from archive.assets.recounting import recount_folders, recount_summary
from archive.blobs.models import Blob
from archive.blobs.queries import attachable_blob, attachable_blobs_for, attachable_by_digest
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import require_not_releasing
from archive.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError, Reason
from archive.metadata.documents import strip_asset_metadata, with_schema_version
from archive.statements import PreparedInsert, find_rows
from archive.timeline.models import Change
from archive.timeline.services import append, hold
from archive.zarr.models import ZarrArchive, ZarrRevision
from archive.zarr.queries import find_zarr, newest_revision

# What is passed on of other modules of this room, beside what is below.
__all__ = ["MAX_BATCH", "MAX_KEY", "BatchFile", "recount_folders", "recount_summary"]

# After a change of so many assets Postgres has wrong statistics, and sorts the whole list for each page.
MANY_ASSETS = 10_000
# How many files of a draft may be made what they were, as one change.
MAX_RESTORED = 10_000

_INTRODUCED = PreparedInsert(Asset)
DRAFT_CHANGED = f"""
    UPDATE archive_version
       SET status = '{Version.Status.PENDING}', files_changed = %(change)s, modified = %(now)s,
           file_count = file_count + %(files)s, size = size + %(size)s
     WHERE dataset_id = %(dataset)s AND version = '{Version.DRAFT}'
    RETURNING id
"""  # noqa: S608 - built of constants only


@dataclass(frozen=True)
class NewAsset:
    """An asset to be: where, which bytes, and the owner's metadata about it."""

    path: str
    blob: Blob | None
    metadata: dict[str, Any]
    zarr: ZarrArchive | None = None
    zarr_revision: ZarrRevision | None = None

    @property
    def size(self) -> int:
        """Return how many bytes the asset has; 0 as long as its Zarr archive has no revision."""
        content = self.blob or self.zarr_revision
        return content.size if content else 0


def add_asset(
    *,
    actor: Actor,
    dataset: Dataset,
    metadata: dict[str, Any],
    blob_id: uuid.UUID | None = None,
    zarr_id: uuid.UUID | None = None,
) -> Asset:
    """Add an asset of a blob or of a Zarr archive to the draft, at the path that `metadata` names.

    Raises NotFoundError for a blob the actor may not attach or an archive that they may not know of, ConflictError
    when the path is taken, as a file or as a folder, or lies inside a file.
    """
    require_changeable(actor, dataset)
    new = _new_asset(actor, dataset, metadata, blob_id=blob_id, zarr_id=zarr_id)
    with transaction.atomic():
        new = _pinned(dataset, new)
        asset_id = uuid.uuid4()
        change = append(dataset.number, Change.Kind.ADD_ASSET, actor, _details(new, asset_id))
        [asset] = _apply(change, retire=[], add=[new], asset_ids=[asset_id])
    return asset


def replace_asset(
    *,
    actor: Actor,
    dataset: Dataset,
    asset_id: uuid.UUID,
    metadata: dict[str, Any],
    blob_id: uuid.UUID | None = None,
    zarr_id: uuid.UUID | None = None,
) -> Asset:
    """Put a new asset, perhaps at another path, in the place of one in the draft.

    Returns the new asset; or the old one, and changes nothing, when path, bytes and metadata are what they were.
    """
    require_changeable(actor, dataset)
    new = _new_asset(actor, dataset, metadata, blob_id=blob_id, zarr_id=zarr_id)
    with transaction.atomic():
        hold(dataset.number)
        new = _pinned(dataset, new)
        old = draft_asset(dataset, asset_id)
        if _is_same(old, new):
            return old
        new_id = uuid.uuid4()
        change = append(dataset.number, Change.Kind.UPDATE_ASSET, actor, _details(new, new_id))
        [asset] = _apply(change, retire=[old], add=[new], asset_ids=[new_id])
    return asset


def remove_asset(*, actor: Actor, dataset: Dataset, asset_id: uuid.UUID) -> None:
    """Remove an asset from the draft; published versions keep it."""
    require_changeable(actor, dataset)
    with transaction.atomic():
        hold(dataset.number)
        asset = draft_asset(dataset, asset_id)
        details = {"path": asset.path, "asset_id": str(asset_id)}
        change = append(dataset.number, Change.Kind.REMOVE_ASSET, actor, details)
        _apply(change, retire=[asset], add=[])


def _check_named(path: str) -> None:
    """Raise InvalidError, naming the path, which is one of many, if it is no path of a file."""
    try:
        paths.check_path(path)
    except InvalidError as error:
        raise InvalidError(f"{paths.printable(path)!r}: {error.message}", field="path") from error


def change_assets(
    *,
    actor: Actor,
    dataset: Dataset,
    add: Sequence[NewAsset] = (),
    remove: Collection[str] = (),
    details: Mapping[str, Any] | None = None,
) -> Change:
    """Add and remove many assets as one change: all of it, or nothing. `details` are told of it in the history.

    A path that is in both is replaced. `add` must hold blobs that the actor may attach. Raises InvalidError or
    ConflictError, naming the first paths at fault.
    """
    require_changeable(actor, dataset)
    for path in (*(new.path for new in add), *remove):
        _check_named(path)
    add = [replace(new, metadata=with_schema_version(new.metadata)) for new in add]
    with transaction.atomic():
        hold(dataset.number)
        told = {"added": len(add), "removed": len(remove), **(details or {})}
        change = append(dataset.number, Change.Kind.CHANGE_ASSETS, actor, told)
        retire = list(live_assets(dataset).filter(path__in=set(remove)))
        if len(retire) < len(set(remove)):
            missing = sorted(set(remove) - {asset.path for asset in retire})
            raise InvalidError(f"There is no asset to remove at: {', '.join(missing[:CONFLICTS_SHOWN])}")
        _apply(change, retire=retire, add=add)
        if len(add) >= MANY_ASSETS:
            transaction.on_commit(_renew_statistics, robust=True)
    return change


def take_batch(
    *, actor: Actor, dataset: Dataset, put: Sequence[BatchFile] = (), remove: Collection[str] = (), key: str = ""
) -> Change:
    """Put files into the draft, in the place of those at their paths, and remove others: as one change, or not at all.

    A batch that is sent again by the same `key` is the change that it was, and changes nothing. Raises InvalidError,
    naming what is wrong, and ConflictError if the key is that of another batch.
    """
    require_changeable(actor, dataset)
    check_batch(put, remove, key)
    digest = digest_of(put, remove)
    with transaction.atomic():
        hold(dataset.number)
        if key and (known := Batch.objects.filter(dataset=dataset, key=key).first()):
            return _as_taken(known, digest)
        old = {asset.path: asset for asset in live_assets(dataset).filter(path__in=[file.path for file in put])}
        add = [
            NewAsset(file.path, blob, file.metadata_after(old[file.path].metadata if file.path in old else {}))
            for file, blob in zip(put, _contents(actor, dataset, put), strict=True)
        ]
        change = change_assets(
            actor=actor,
            dataset=dataset,
            add=add,
            remove={*old, *remove},
            details={"replaced": len(old), **({"key": key} if key else {})},
        )
        if key:
            Batch.objects.create(dataset=dataset, key=key, digest=digest, change=change.number)
    return change


def restore_files(*, actor: Actor, dataset: Dataset, point: int) -> Change | None:
    """Make the files of the draft, and what is said of them, what they were at a point of the history: as one change.

    Returns None, and changes nothing, if they are that. Costs what differs. Raises InvalidError if that is very much,
    ForbiddenError if files come back that were never open to everybody, and the actor has no say in that.
    """
    require_changeable(actor, dataset)
    with transaction.atomic():
        hold(dataset.number)
        rows = Asset.objects.filter(dataset=dataset).select_related("blob", "zarr", "zarr_revision")
        then, live_zarrs = rows.at(point), rows.live().filter(zarr__isnull=False)
        if dataset.is_released and then.gone().exclude(attachable_rows(actor)).exists():
            raise ForbiddenError("Some of those files were never open: only an owner of the dataset brings them back.")
        # What an archive showed may have changed in its row.
        was = [*then.gone()[: MAX_RESTORED + 1], *live_zarrs.filter(introduced__lte=point)]
        now = [*rows.live().filter(introduced__gt=point)[: MAX_RESTORED + 1], *live_zarrs.filter(introduced__lte=point)]
        if max(len(was), len(now)) > MAX_RESTORED:
            raise InvalidError(f"More than {MAX_RESTORED} files are others by now: make a new dataset of the old ones.")
        return _restored(actor, dataset, point, _as_they_were(was, point), {asset.path: asset for asset in now})


def _as_they_were(assets: Sequence[Asset], point: int) -> list[NewAsset]:
    """Return assets as they were at a point: with the revisions of their Zarr archives that the draft showed then."""
    shown = ZarrRevision.objects.filter(zarr__in=[each.zarr_id for each in assets if each.zarr_id], at__lte=point)
    revisions: dict[uuid.UUID | None, ZarrRevision] = {each.zarr_id: each for each in shown.order_by("at")}
    return [
        NewAsset(each.path, each.blob, each.metadata, zarr=each.zarr, zarr_revision=revisions.get(each.zarr_id))
        for each in assets
    ]


def _restored(
    actor: Actor, dataset: Dataset, point: int, was: Sequence[NewAsset], now: Mapping[str, Asset]
) -> Change | None:
    same = {new.path for new in was if new.path in now and _is_the_same(now[new.path], new)}
    add, remove = [new for new in was if new.path not in same], now.keys() - same
    if not add and not remove:
        return None
    return change_assets(actor=actor, dataset=dataset, add=add, remove=remove, details={"restored": point})


def _is_the_same(old: Asset, new: NewAsset) -> bool:
    return _is_same(old, new) and old.zarr_revision == new.zarr_revision


def keep_files_of(dataset: Dataset, point: int) -> None:
    """Keep the files of a point of the history from being collected as garbage, in the caller's transaction."""
    gone = Asset.objects.filter(dataset=dataset).at(point).gone().order_by("pk")
    list(gone.select_for_update().values_list("pk", flat=True)[: MAX_RESTORED + 1])


def _as_taken(batch: Batch, digest: str) -> Change:
    if batch.digest != digest:
        raise ConflictError("The key is that of another batch, which was taken before. Choose a new key.")
    return Change.objects.get(dataset_id=batch.dataset_id, number=batch.change)


def _contents(actor: Actor, dataset: Dataset, put: Sequence[BatchFile]) -> list[Blob]:
    """Return the blobs of the files, in their order; InvalidError, naming the files, if some cannot be attached."""
    ids = [file.blob_id for file in put if file.blob_id]
    by_id = {blob.pk: blob for blob in attachable_blobs_for(actor, dataset, ids)} if ids else {}
    digests = {file.sha256.lower() for file in put if file.sha256}
    by_digest = attachable_by_digest(actor, dataset, "SHA256", digests) if digests else {}
    found = [by_id.get(file.blob_id) if file.blob_id else by_digest.get(file.sha256.lower()) for file in put]
    if missing := [file.path for file, blob in zip(put, found, strict=True) if blob is None]:
        raise InvalidError(
            f"There are no verified bytes to be had for: {shown_names(missing)}. Send them first.", field="put"
        )
    return [blob for blob in found if blob is not None]


def _renew_statistics() -> None:
    """Have Postgres count its rows now: by itself it does so within minutes, and pages are slow until then."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE archive_asset, archive_folder")


def show_revision(change: Change, revision: ZarrRevision) -> None:
    """Let the draft's assets of a Zarr archive show this revision of it, as part of `change`.

    An asset that a version shows is replaced, since that version goes on showing the revision that it showed. One
    that none shows is changed in place: the client that has just made it goes on knowing it by its id.
    """
    assets = Asset.objects.filter(dataset_id=change.dataset_id, zarr_id=revision.zarr_id).live()
    newest = Version.objects.filter(dataset_id=change.dataset_id).aggregate(at=Max("at"))["at"] or 0
    shown = list(assets.filter(introduced__lte=newest))
    unseen = list(assets.filter(introduced__gt=newest))
    add = [NewAsset(old.path, None, old.metadata, zarr=old.zarr, zarr_revision=revision) for old in shown]
    if shown or unseen:
        assets.filter(pk__in=[asset.pk for asset in unseen]).update(
            zarr_revision=revision,
            size=revision.size,
            status=Asset.Status.PENDING,
            problems=[],
            contribution=None,
            modified=timezone.now(),
        )
        grown = [(asset.path, revision.size - asset.size) for asset in unseen]
        _apply(change, retire=shown, add=add, grown=grown)


def require_changeable(actor: Actor, dataset: Dataset) -> None:
    """Raise unless the actor may change the draft, and it can be changed now."""
    require(actor, Action.CHANGE_DRAFT, dataset)
    require_not_releasing(dataset)


def _new_asset(
    actor: Actor,
    dataset: Dataset,
    metadata: dict[str, Any],
    *,
    blob_id: uuid.UUID | None,
    zarr_id: uuid.UUID | None,
) -> NewAsset:
    if "path" not in metadata:
        raise InvalidError("No path specified in metadata.", field="metadata")
    path = paths.check_path(metadata["path"])
    if (blob_id is None) == (zarr_id is None):
        raise InvalidError("Exactly one of blob_id or zarr_id must be specified.", field="blob_id")
    blob = attachable_blob(actor, dataset, blob_id) if blob_id else None
    zarr = _attachable_zarr(actor, dataset, zarr_id) if zarr_id else None
    return NewAsset(path, blob, with_schema_version(strip_asset_metadata(metadata)), zarr=zarr)


def _attachable_zarr(actor: Actor, dataset: Dataset, zarr_id: uuid.UUID) -> ZarrArchive:
    zarr = find_zarr(actor, zarr_id)
    if zarr.dataset_id != dataset.number:
        raise InvalidError("The Zarr archive belongs to another dataset.", reason=Reason.OTHER_DATASET)
    return zarr


def _pinned(dataset: Dataset, new: NewAsset) -> NewAsset:
    """Return the asset with the newest revision of its Zarr archive, which stays the newest during the transaction."""
    if new.zarr is None:
        return new
    hold(dataset.number)
    return replace(new, zarr_revision=newest_revision(new.zarr.pk))


def _is_same(old: Asset, new: NewAsset) -> bool:
    return (
        old.path == new.path
        and old.blob_id == (new.blob.pk if new.blob else None)
        and old.zarr_id == (new.zarr.pk if new.zarr else None)
        and old.metadata == new.metadata
    )


def _details(new: NewAsset, asset_id: uuid.UUID) -> dict[str, Any]:
    return {
        "path": new.path,
        "size": new.size,
        "asset_id": str(asset_id),
        "asset_blob_id": str(new.blob.pk) if new.blob else None,
        "zarr_archive_id": str(new.zarr.pk) if new.zarr else None,
        "checksum": _checksum(new),
    }


def _checksum(new: NewAsset) -> str | None:
    if new.blob:
        return new.blob.etag
    return new.zarr_revision.checksum if new.zarr_revision else None


def _apply(
    change: Change,
    *,
    retire: Sequence[Asset],
    add: Sequence[NewAsset],
    asset_ids: Sequence[uuid.UUID] = (),
    grown: Sequence[tuple[str, int]] = (),
) -> list[Asset]:
    """Make `change` true of assets, folders and the draft. The change's lock is held, so what is read here stays so.

    `grown` are paths of assets that stay, and by how many bytes they have grown.
    """
    refuse_look_alikes(change.dataset_id, [new.path for new in add], leaving=[asset.path for asset in retire])
    _retire(change, retire)
    refuse_conflicts(change.dataset_id, [new.path for new in add], leaving=[asset.path for asset in retire])
    assets = _introduce(change, add, asset_ids or [uuid.uuid4() for _ in add])
    gone = [(asset.path, -1, -asset.size) for asset in retire]
    come = [(asset.path, 1, asset.size) for asset in assets]
    moves = [*gone, *come, *((path, 0, size) for path, size in grown)]
    update_folders(change, moves)
    changed = find_rows(
        DRAFT_CHANGED,
        {
            "dataset": change.dataset_id,
            "change": change.number,
            "files": len(come) - len(gone),
            "size": sum(size for _, _, size in moves),
            "now": timezone.now(),
        },
    )
    if not changed:
        # The dataset was deleted while this change waited for its lock.
        raise NotFoundError
    return assets


def _retire(change: Change, assets: Sequence[Asset]) -> None:
    for start in range(0, len(assets), BATCH_SIZE):
        batch = assets[start : start + BATCH_SIZE]
        Asset.objects.filter(pk__in=[asset.pk for asset in batch]).update(retired=change.number)


def _introduce(change: Change, add: Sequence[NewAsset], asset_ids: Sequence[uuid.UUID]) -> list[Asset]:
    now = timezone.now()
    assets = [_asset(change, new, asset_id, now) for new, asset_id in zip(add, asset_ids, strict=True)]
    if len(assets) == 1:
        _INTRODUCED.insert(assets[0])
        return assets
    return Asset.objects.bulk_create(assets, batch_size=BATCH_SIZE)


def _asset(change: Change, new: NewAsset, asset_id: uuid.UUID, now: datetime) -> Asset:
    return Asset(
        asset_id=asset_id,
        dataset_id=change.dataset_id,
        path=new.path,
        folder=paths.parent(new.path),
        blob=new.blob,
        zarr=new.zarr,
        zarr_revision=new.zarr_revision,
        size=new.size,
        metadata=new.metadata,
        introduced=change.number,
        created=now,
        modified=now,
    )
