"""Finding repositories that the asker may know of, and the content of their files."""

import uuid
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Coalesce

from archive.accounts.policy import Action, Actor, require, visible_rows
from archive.assets.models import Asset
from archive.blobs.queries import find_annex_content
from archive.datasets.models import Dataset
from archive.digests import AnnexKey
from archive.errors import NotFoundError
from archive.snapshots.models import Repository
from archive.zarr.models import ZarrEntry, entry_key

# The number of a revision that there will not be.
NEVER = Value(2**63 - 1)


class Content(NamedTuple):
    """The bytes of an annexed file: the key of the object that has them, and how many they are."""

    object_key: str
    size: int


def find_repository(actor: Actor, annex_uuid: uuid.UUID) -> Repository:
    """The repository that clones know by that UUID, its dataset with it; NotFoundError if the actor may not know it."""
    repository = Repository.objects.select_related("dataset").filter(annex_uuid=annex_uuid).first()
    if repository is None:
        raise NotFoundError("Not found.")
    require(actor, Action.READ, repository.dataset, hidden=True)
    return repository


def find_content(actor: Actor, dataset: Dataset, key: AnnexKey) -> Content | None:
    """What git-annex knows by `key` in a dataset that the actor may read: a blob, or entries of its Zarr archives."""
    blob = find_annex_content(actor, dataset, key)
    if blob:
        return Content(blob.key, blob.size)
    entry = _find_entry(actor, dataset, key) if key.hash_name == "MD5" else None
    return Content(entry_key(entry.zarr_id, entry.md5), key.size) if entry else None


def _find_entry(actor: Actor, dataset: Dataset, key: AnnexKey) -> ZarrEntry | None:
    """Any entry with that content that an asset of the dataset shows the actor, in the draft, a version or the past."""
    shown = Asset.objects.filter(
        visible_rows(actor),
        dataset=dataset,
        zarr=OuterRef("zarr"),
        zarr_revision__number__gte=OuterRef("introduced"),
        zarr_revision__number__lt=Coalesce(OuterRef("retired"), NEVER),
    )
    entries = ZarrEntry.objects.filter(
        Exists(shown), md5=key.digest, size=key.size, introduced__isnull=False, zarr__dataset=dataset
    )
    return entries.first()
