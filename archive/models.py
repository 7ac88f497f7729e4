"""Every room's models, where Django looks for them."""

from archive.accounts.models import Grant, ReviewerLink, Token, User
from archive.assets.models import Asset, Folder
from archive.blobs.models import Blob, Upload
from archive.datasets.models import Dataset, Star, Version
from archive.identifiers.models import Sequence
from archive.publishing.models import EmbargoNotice
from archive.timeline.models import Change, Job, Projection, Timeline

__all__ = [
    "Asset",
    "Blob",
    "Change",
    "Dataset",
    "EmbargoNotice",
    "Folder",
    "Grant",
    "Job",
    "Projection",
    "ReviewerLink",
    "Sequence",
    "Star",
    "Timeline",
    "Token",
    "Upload",
    "User",
    "Version",
]
