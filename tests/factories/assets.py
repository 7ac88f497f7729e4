"""Assets of drafts."""

from typing import Any

from archive.assets.models import Asset
from archive.assets.services import NewAsset, add_asset
from archive.blobs.models import Blob
from archive.datasets.models import Dataset
from tests.factories.blobs import attachable_row
from tests.factories.datasets import owner_of
from tests.factories.metadata import valid_asset_metadata


def make_asset(dataset: Dataset, path: str = "sub-1/a.nwb", *, blob: Blob | None = None, **metadata: Any) -> Asset:
    """A pending asset of the draft, added by the owner; of a blob without bytes unless one is given."""
    blob = blob or attachable_row(dataset)
    return add_asset(
        actor=owner_of(dataset), dataset=dataset, blob_id=blob.pk, metadata=valid_asset_metadata(path, **metadata)
    )


def new_asset(path: str, blob: Blob) -> NewAsset:
    """An asset to be, for a batch."""
    metadata = valid_asset_metadata(path)
    return NewAsset(metadata.pop("path"), blob, metadata)
