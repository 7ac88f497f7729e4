"""Every room's models, where Django looks for them."""

from archive.accounts.models import Grant, Invitation, Questionnaire, ReviewerLink, Token, User
from archive.assets.models import Asset, Batch, Folder, SummaryValue
from archive.bids.models import Deprecation, FileText, Statement
from archive.bids_validation.models import BidsTree, BidsVerdict
from archive.blobs.models import Blob, Reception, Upload
from archive.datasets.models import Dataset, Star, Version
from archive.embargo.models import EmbargoNotice
from archive.fixity.models import ContentCheck
from archive.garbage.models import GarbageEvent
from archive.identifiers.models import Sequence
from archive.monitor.models import ReportedTask
from archive.search.models import Document, Facts, IndexedAsset
from archive.snapshots.models import AnnexPush, Bundle, Commit, Repository
from archive.timeline.models import Change, Job, Projection, Timeline
from archive.uploads.models import UploadedFile, UploadSession
from archive.zarr.models import ZarrArchive, ZarrEntry, ZarrRevision

__all__ = [
    "AnnexPush",
    "Asset",
    "Batch",
    "BidsTree",
    "BidsVerdict",
    "Blob",
    "Bundle",
    "Change",
    "Commit",
    "ContentCheck",
    "Dataset",
    "Deprecation",
    "Document",
    "EmbargoNotice",
    "Facts",
    "FileText",
    "Folder",
    "GarbageEvent",
    "Grant",
    "IndexedAsset",
    "Invitation",
    "Job",
    "Projection",
    "Questionnaire",
    "Reception",
    "ReportedTask",
    "Repository",
    "ReviewerLink",
    "Sequence",
    "Star",
    "Statement",
    "SummaryValue",
    "Timeline",
    "Token",
    "Upload",
    "UploadSession",
    "UploadedFile",
    "User",
    "Version",
    "ZarrArchive",
    "ZarrEntry",
    "ZarrRevision",
]
