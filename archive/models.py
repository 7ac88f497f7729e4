"""Every room's models, where Django looks for them."""

from archive.accounts.models import Grant, Token, User
from archive.assets.models import Asset, Folder
from archive.blobs.models import Blob, Upload
from archive.datasets.models import Dataset, Star, Version
from archive.identifiers.models import Sequence
from archive.timeline.models import Change, Job, Projection, Timeline
from archive.zarr.models import ZarrArchive, ZarrEntry, ZarrRevision

__all__ = [
    "Asset",
    "Blob",
    "Change",
    "Dataset",
    "Folder",
    "Grant",
    "Job",
    "Projection",
    "Sequence",
    "Star",
    "Timeline",
    "Token",
    "Upload",
    "User",
    "Version",
    "ZarrArchive",
    "ZarrEntry",
    "ZarrRevision",
]
