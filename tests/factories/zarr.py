"""Zarr archives, with bytes in the store."""

import base64
import hashlib
from collections.abc import Mapping

from archive.assets.models import Asset
from archive.assets.services import add_asset
from archive.datasets.models import Dataset
from archive.storage import queries as store
from archive.zarr.models import ZarrArchive, entry_key
from archive.zarr.services import NewEntry, announce_entries, create_zarr, finalize
from tests.factories.datasets import owner_of
from tests.factories.metadata import valid_asset_metadata
from tests.worker import Worker

FILES = {".zattrs": b"{}", "0/.zarray": b"{}", "0/0/0": b"first chunk", "0/0/1": b"second chunk"}


def make_zarr(dataset: Dataset, name: str = "sub-1/a.ome.zarr") -> ZarrArchive:
    """An archive of the dataset's owner's, without entries."""
    return create_zarr(actor=owner_of(dataset), dataset=dataset, name=name)


def make_zarr_asset(zarr: ZarrArchive, path: str = "sub-1/a.ome.zarr") -> Asset:
    """An asset of the draft that is the archive."""
    return add_asset(
        actor=owner_of(zarr.dataset), dataset=zarr.dataset, zarr_id=zarr.id, metadata=valid_asset_metadata(path)
    )


def entry(path: str, content: bytes) -> NewEntry:
    """An entry to be, as a client announces it."""
    return NewEntry(path, base64.b64encode(md5(content).digest()).decode())


def md5(content: bytes) -> "hashlib._Hash":
    """The MD5 of some content."""
    return hashlib.md5(content, usedforsecurity=False)


def announce(zarr: ZarrArchive, files: Mapping[str, bytes]) -> list[str]:
    """Announces files, and returns where to put them."""
    entries = [entry(path, content) for path, content in files.items()]
    return announce_entries(actor=owner_of(zarr.dataset), zarr_id=zarr.id, entries=entries)


def put(zarr: ZarrArchive, *contents: bytes) -> None:
    """Puts contents into the store, where an archive's entries have them."""
    for content in contents:
        store.client().put_object(Bucket=store.bucket(), Key=entry_key(zarr.id, md5(content).hexdigest()), Body=content)


def upload_zarr(worker: Worker, zarr: ZarrArchive, files: Mapping[str, bytes] = FILES) -> ZarrArchive:
    """Uploads files to the archive, and has them ingested."""
    announce(zarr, files)
    put(zarr, *files.values())
    return ingest(worker, zarr)


def ingest(worker: Worker, zarr: ZarrArchive) -> ZarrArchive:
    """Has ingested what was uploaded to the archive."""
    finalize(actor=owner_of(zarr.dataset), zarr_id=zarr.id)
    worker.run()
    zarr.refresh_from_db()
    return zarr
