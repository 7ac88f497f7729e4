"""Changing the assets of a draft: each function is one Change, one transaction, and leaves folders and sums right."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Max
from django.utils import timezone

from archive import paths
from archive.accounts.policy import Action, Actor, require
from archive.assets.models import Asset, Folder
from archive.assets.queries import draft_asset, live_assets
from archive.blobs.models import Blob
from archive.blobs.queries import attachable_blob
from archive.datasets.models import Dataset, Version
from archive.errors import ConflictError, InvalidError
from archive.timeline.models import Change
from archive.timeline.services import append, hold
from archive.validation.metadata import strip_asset_metadata

BATCH_SIZE = 2000
CONFLICTS_SHOWN = 10


@dataclass(frozen=True)
class NewAsset:
    """An asset to be: where, which bytes, and the owner's metadata about it."""

    path: str
    blob: Blob
    metadata: dict[str, Any]


def add_asset(*, actor: Actor, dataset: Dataset, blob_id: uuid.UUID, metadata: dict[str, Any]) -> Asset:
    """Add an asset to the draft, at the path that `metadata` names.

    Raises NotFoundError for a blob the actor may not attach, ConflictError when the path is taken, as a file or as
    a folder, or lies inside a file.
    """
    require_changeable(actor, dataset)
    new = _new_asset(actor, blob_id, metadata)
    with transaction.atomic():
        asset_id = uuid.uuid4()
        change = append(dataset.number, Change.Kind.ADD_ASSET, actor, _details(new, asset_id))
        [asset] = _apply(change, retire=[], add=[new], asset_ids=[asset_id])
    return asset


def replace_asset(
    *, actor: Actor, dataset: Dataset, asset_id: uuid.UUID, blob_id: uuid.UUID, metadata: dict[str, Any]
) -> Asset:
    """Put a new asset, perhaps at another path, in the place of one in the draft.

    Returns the new asset; or the old one, and changes nothing, when path, bytes and metadata are what they were.
    """
    require_changeable(actor, dataset)
    new = _new_asset(actor, blob_id, metadata)
    with transaction.atomic():
        hold(dataset.number)
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


def change_assets(
    *, actor: Actor, dataset: Dataset, add: Sequence[NewAsset] = (), remove: Sequence[str] = ()
) -> Change:
    """Add and remove many assets as one change: all of it, or nothing.

    A path that is in both is replaced. `add` must hold blobs that the actor may attach. Raises InvalidError or
    ConflictError, naming the first paths at fault.
    """
    require_changeable(actor, dataset)
    for path in (*(new.path for new in add), *remove):
        paths.check_path(path)
    with transaction.atomic():
        hold(dataset.number)
        details = {"added": len(add), "removed": len(remove)}
        change = append(dataset.number, Change.Kind.CHANGE_ASSETS, actor, details)
        retire = list(live_assets(dataset).filter(path__in=set(remove)))
        if len(retire) < len(set(remove)):
            missing = sorted(set(remove) - {asset.path for asset in retire})
            raise InvalidError(f"There is no asset to remove at: {', '.join(missing[:CONFLICTS_SHOWN])}")
        _apply(change, retire=retire, add=add)
    return change


def require_changeable(actor: Actor, dataset: Dataset) -> None:
    """Raise unless the actor may change the draft, and it can be changed now."""
    require(actor, Action.CHANGE_DRAFT, dataset)
    if dataset.access == Dataset.Access.RELEASING:
        raise InvalidError("Dandiset modification not allowed during unembargo")


def _new_asset(actor: Actor, blob_id: uuid.UUID, metadata: dict[str, Any]) -> NewAsset:
    if "path" not in metadata:
        raise InvalidError("No path specified in metadata.", field="metadata")
    path = paths.check_path(metadata["path"])
    if not isinstance(metadata.get("schemaVersion"), str):
        raise InvalidError("The metadata must name its schemaVersion.", field="metadata")
    return NewAsset(path, attachable_blob(actor, blob_id), strip_asset_metadata(metadata))


def _is_same(old: Asset, new: NewAsset) -> bool:
    return old.path == new.path and old.blob_id == new.blob.pk and old.metadata == new.metadata


def _details(new: NewAsset, asset_id: uuid.UUID) -> dict[str, Any]:
    return {
        "path": new.path,
        "size": new.blob.size,
        "asset_id": str(asset_id),
        "asset_blob_id": str(new.blob.pk),
        "zarr_archive_id": None,
        "checksum": new.blob.etag,
    }


def _apply(
    change: Change, *, retire: Sequence[Asset], add: Sequence[NewAsset], asset_ids: Sequence[uuid.UUID] = ()
) -> list[Asset]:
    """Make `change` true of assets, folders and the draft. The change's lock is held, so what is read here stays so."""
    _retire(change, retire)
    _refuse_conflicts(change.dataset_id, [new.path for new in add], leaving=[asset.path for asset in retire])
    assets = _introduce(change, add, asset_ids or [uuid.uuid4() for _ in add])
    gone = [(asset.path, -1, -asset.size) for asset in retire]
    come = [(asset.path, 1, asset.size) for asset in assets]
    _update_folders(change, [*gone, *come])
    Version.objects.filter(dataset_id=change.dataset_id, version=Version.DRAFT).update(
        status=Version.Status.PENDING,
        modified=timezone.now(),
        file_count=F("file_count") + len(come) - len(gone),
        size=F("size") + sum(size for _, _, size in [*gone, *come]),
    )
    return assets


def _retire(change: Change, assets: Sequence[Asset]) -> None:
    for start in range(0, len(assets), BATCH_SIZE):
        batch = assets[start : start + BATCH_SIZE]
        Asset.objects.filter(pk__in=[asset.pk for asset in batch]).update(retired=change.number)


def _refuse_conflicts(dataset_id: int, new_paths: Sequence[str], *, leaving: Sequence[str]) -> None:
    """Raise ConflictError if one of the new paths is taken, lies inside a file, or is a folder, old or new.

    A folder that all files are `leaving` is none any more.
    """
    new = set(new_paths)
    if len(new) < len(new_paths):
        raise ConflictError("The same path is given more than once")
    above = {folder for path in new for folder in paths.ancestors(path)} - {""}
    if both := new & above:
        raise ConflictError(f"Paths are both file and folder: {sorted(both)[:CONFLICTS_SHOWN]}")
    files, file_counts = _taken(dataset_id, new, above)
    left = Counter(folder for path in leaving for folder in paths.ancestors(path))
    folders = {folder for folder, count in file_counts.items() if count > left[folder]}
    if files & new:
        raise ConflictError("An asset with that path already exists", paths=sorted(files & new)[:CONFLICTS_SHOWN])
    if conflicts := sorted(files | folders):
        path = next(path for path in new_paths if path in folders or files & set(paths.ancestors(path)))
        raise ConflictError(f'Path of new asset "{path}" conflicts with existing assets: {conflicts[:CONFLICTS_SHOWN]}')


def _taken(dataset_id: int, new: set[str], above: set[str]) -> tuple[set[str], dict[str, int]]:
    """Which of the new paths, or of the folders above them, are files of the draft; which of the new are folders.

    The folders come with the number of files in them.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT path, NULL FROM archive_asset
             WHERE dataset_id = %(dataset)s AND retired IS NULL AND path = ANY(%(files)s)
             UNION ALL
            SELECT path, file_count FROM archive_folder
             WHERE dataset_id = %(dataset)s AND retired IS NULL AND path = ANY(%(folders)s)
            """,
            {"dataset": dataset_id, "files": [*(new | above)], "folders": [*new]},
        )
        taken = dict(cursor.fetchall())
    folders = {path: count for path, count in taken.items() if count is not None}
    return taken.keys() - folders.keys(), folders


def _introduce(change: Change, add: Sequence[NewAsset], asset_ids: Sequence[uuid.UUID]) -> list[Asset]:
    now = timezone.now()
    assets = [_asset(change, new, asset_id, now) for new, asset_id in zip(add, asset_ids, strict=True)]
    return Asset.objects.bulk_create(assets, batch_size=BATCH_SIZE)


def _asset(change: Change, new: NewAsset, asset_id: uuid.UUID, now: datetime) -> Asset:
    return Asset(
        asset_id=asset_id,
        dataset_id=change.dataset_id,
        path=new.path,
        folder=paths.parent(new.path),
        blob=new.blob,
        size=new.blob.size,
        metadata=new.metadata,
        introduced=change.number,
        created=now,
        modified=now,
    )


# --- Folders ----------------------------------------------------------------------------------------------------------


@dataclass
class _Sums:
    files: int = 0
    size: int = 0
    children: int = 0


def _update_folders(change: Change, moves: Sequence[tuple[str, int, int]]) -> None:
    """Add what came and went (path, +1 or -1 file, bytes) to every folder above it."""
    delta = _folder_deltas(moves)
    live = Folder.objects.filter(dataset_id=change.dataset_id, retired__isnull=True)
    ordered = sorted(delta, key=lambda path: path.count("/") + bool(path), reverse=True)
    rows = {row.path: row for part in _batches(ordered) for row in live.filter(path__in=part)}
    kept: list[Folder] = []
    for path in ordered:
        row = rows.get(path)
        sums = _Sums(row.file_count, row.size, row.child_count) if row else _Sums()
        sums.files += delta[path].files
        sums.size += delta[path].size
        sums.children += delta[path].children
        # The deepest come first, so a folder that appears or disappears is counted before its own folder is.
        if path and bool(sums.files) != bool(row):
            delta[paths.parent(path)].children += 1 if sums.files else -1
        if sums.files and (row is None or sums != _Sums(row.file_count, row.size, row.child_count)):
            kept.append(_folder(change, path, sums))
        elif sums.files:
            rows.pop(path)
    _replace_folders(change, list(rows.values()), kept)


def _batches(items: Sequence[str]) -> Iterable[Sequence[str]]:
    return (items[start : start + BATCH_SIZE] for start in range(0, len(items), BATCH_SIZE))


def _folder_deltas(moves: Iterable[tuple[str, int, int]]) -> dict[str, _Sums]:
    delta: dict[str, _Sums] = defaultdict(_Sums)
    for path, files, size in moves:
        delta[paths.parent(path)].children += files
        for folder in paths.ancestors(path):
            delta[folder].files += files
            delta[folder].size += size
    return delta


def _folder(change: Change, path: str, sums: _Sums) -> Folder:
    return Folder(
        dataset_id=change.dataset_id,
        path=path,
        folder=paths.parent(path) if path else None,
        file_count=sums.files,
        size=sums.size,
        child_count=sums.children,
        introduced=change.number,
    )


def _replace_folders(change: Change, old: Sequence[Folder], new: Sequence[Folder]) -> None:
    """Write `new` in the place of `old`, keeping an old row only if a version's point lies in its time."""
    newest = Version.objects.filter(dataset_id=change.dataset_id).aggregate(at=Max("at"))["at"] or 0
    shown = [row.pk for row in old if row.introduced <= newest]
    Folder.objects.filter(pk__in=shown).update(retired=change.number)
    unseen = {row.path: row for row in old if row.introduced > newest}
    appeared = [row for row in new if row.path not in unseen]
    changed = [row for row in new if row.path in unseen]
    for row in changed:
        row.pk = unseen.pop(row.path).pk
    Folder.objects.filter(pk__in=[row.pk for row in unseen.values()]).delete()
    _update_in_place(changed)
    Folder.objects.bulk_create(appeared, batch_size=BATCH_SIZE)


def _update_in_place(rows: Sequence[Folder]) -> None:
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE archive_folder f
               SET file_count = n.file_count, size = n.size, child_count = n.child_count
              FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[])
                AS n(id, file_count, size, child_count)
             WHERE f.id = n.id
            """,
            [
                [row.pk for row in rows],
                [row.file_count for row in rows],
                [row.size for row in rows],
                [row.child_count for row in rows],
            ],
        )


def recount_folders(*, actor: Actor, dataset: Dataset, dry_run: bool = False) -> list[str]:
    """Hold the sums of the draft's folders, and of the draft, against its assets; returns the folders that are wrong.

    Unless it is a `dry_run` they are put right, as a change. It is for administrators: it does what never is needed,
    unless somebody has changed rows by other means.
    """
    require(actor, Action.LIST_USERS)
    with transaction.atomic():
        hold(dataset.number)
        files = live_assets(dataset).values_list("path", "size").iterator(chunk_size=BATCH_SIZE)
        sums = _folder_deltas((path, 1, size) for path, size in files)
        for path in sorted(sums, key=lambda path: path.count("/") + bool(path), reverse=True):
            if path:
                sums[paths.parent(path)].children += 1
        rows = {row.path: row for row in Folder.objects.filter(dataset=dataset, retired__isnull=True)}
        kept = {path: _Sums(row.file_count, row.size, row.child_count) for path, row in rows.items()}
        wrong = sorted(path for path in {*sums, *kept} if sums.get(path) != kept.get(path))
        if wrong and not dry_run:
            change = append(dataset.number, Change.Kind.CHANGE_ASSETS, actor, {"recounted_folders": len(wrong)})
            old = [rows[path] for path in wrong if path in rows]
            _replace_folders(change, old, [_folder(change, path, sums[path]) for path in wrong if path in sums])
            whole = sums.get("", _Sums())
            draft = Version.objects.filter(dataset=dataset, version=Version.DRAFT)
            draft.update(file_count=whole.files, size=whole.size, status=Version.Status.PENDING)
    return wrong
