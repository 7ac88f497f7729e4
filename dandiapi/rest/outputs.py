"""The types of answers: shapes return them, mypy checks that they do, and the OpenAPI document is made from them.

What the document says of a type is its docstring. `Annotated` adds what Python's types cannot say: the choices or the
format of a string and, as a text, what a field means.
"""

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, NotRequired, TypedDict, TypeVar
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter

from archive.datasets import models as datasets
from archive.zarr import models as zarr

T = TypeVar("T")

URL = Annotated[str, OpenApiTypes.URI]
# Metadata of a dataset or an asset; a JSON Schema.
Document = dict[str, Any]

PAGE_PARAMETERS = [
    OpenApiParameter("page", int, description="The page's number, from 1."),
    OpenApiParameter("page_size", int, description="How many results a page has: 100 unless asked, at most 1000."),
]

# A message, a list of messages, or messages by field.
ERRORS = {"oneOf": [{"type": "string"}, {"type": "array", "items": {}}, {"type": "object", "additionalProperties": {}}]}
# A message, or the framework's wrapping of one.
REFUSAL = {
    "oneOf": [
        {"type": "string"},
        {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]},
    ]
}


class Detail(TypedDict):
    """The reason why a request was refused."""

    detail: str


class PageOf(TypedDict, Generic[T]):
    """A page of a list, and the addresses of the pages beside it."""

    count: Annotated[int, "How many results all pages have."]
    next: URL | None
    previous: URL | None
    results: list[T]


class LazyPageOf(TypedDict, Generic[T]):
    """A page of a list that is counted for its first page only, and the addresses of the pages beside it."""

    count: Annotated[int | None, "How many results all pages have; null on any page but the first."]
    next: URL | None
    previous: URL | None
    results: list[T]


# --- The service ------------------------------------------------------------------------------------------------------


class ServiceAddress(TypedDict):
    """The address of a service."""

    url: str


class Services(TypedDict):
    """The addresses of the services of this instance."""

    api: ServiceAddress
    webui: ServiceAddress
    jupyterhub: ServiceAddress
    live: NotRequired[ServiceAddress]


class Instance(TypedDict):
    """The rules of this instance."""

    instance_name: str
    instance_identifier: str | None
    instance_url: str | None
    doi_prefix: str | None
    licenses: list[str]


ClientRules = TypedDict(
    "ClientRules",
    {"cli-minimal-version": str, "cli-requires-python": str, "cli-bad-versions": list[str]},
)


class Info(ClientRules):
    """The description of this server."""

    version: str
    schema_version: str
    schema_url: str
    allowed_schema_versions: list[str]
    services: Services
    instance_config: Instance


class Stats(TypedDict):
    """The numbers of what everybody may see."""

    dandiset_count: int
    published_dandiset_count: int
    user_count: int
    size: int


# --- People -----------------------------------------------------------------------------------------------------------


class User(TypedDict):
    """A person with an account."""

    username: str
    name: str
    admin: bool
    status: str


class Owner(TypedDict):
    """An owner of a dataset."""

    username: str
    name: str
    email: str | None


class Viewer(Owner):
    """A viewer of a dataset."""


class ReviewerLink(TypedDict):
    """A reviewer link of a dataset, without its secret."""

    id: int
    label: str
    hint: Annotated[str, "How the secret begins, which tells the link from others."]
    created: datetime
    created_by: str
    expires: datetime
    revoked: datetime | None
    last_used: datetime | None


class ReviewerLinkWithSecret(ReviewerLink):
    """A reviewer link that has just been made; its secret is shown this once."""

    secret: str
    url: URL


class StarCount(TypedDict):
    """The number of stars of a dataset."""

    count: int


# --- Datasets and versions --------------------------------------------------------------------------------------------


class VersionRow(TypedDict):
    """A version in a list of datasets."""

    version: str
    name: str
    asset_count: int
    size: int
    status: Annotated[str, datasets.Version.Status]
    created: datetime
    modified: datetime


class VersionBrief(VersionRow):
    """A version in a dataset's detail."""

    active_uploads: int
    release_notes: str
    label: str | None


class DatasetBase(TypedDict):
    """The fields of a dataset in all answers."""

    identifier: str
    created: datetime
    modified: datetime
    contact_person: str
    embargo_status: Annotated[str, Literal["OPEN", "EMBARGOED", "UNEMBARGOING"]]
    star_count: int
    is_starred: bool


class DatasetRow(DatasetBase):
    """A dataset in a list."""

    most_recent_published_version: VersionRow | None
    draft_version: VersionRow


class FoundDataset(DatasetRow):
    """A dataset in a list, with the number of files for each active filter."""

    asset_counts: dict[str, int]


class Dataset(DatasetBase):
    """A dataset on its own."""

    most_recent_published_version: VersionBrief | None
    draft_version: VersionBrief


class VersionItem(VersionBrief):
    """A version in the list of a dataset's versions."""

    dandiset: DatasetBase


class Problem(TypedDict):
    """A problem, and the field it is about."""

    field: str
    message: str


class AssetProblem(Problem):
    """A problem of an asset."""

    path: str


class VersionInfo(VersionItem):
    """A version with its metadata and what is wrong with it."""

    asset_validation_errors: list[AssetProblem]
    version_validation_errors: list[Problem]
    metadata: Document
    contact_person: str
    doi_state: Annotated[str, datasets.Version.DoiState]
    doi_reason: str
    ordinal: int | None
    rules: Annotated[str, datasets.Version.Rules]
    closed: bool


class VersionAccess(TypedDict):
    """The access to a version: whether it is closed to all but those who may read its dataset while that is closed."""

    version: str
    label: str | None
    closed: bool


class Opening(TypedDict):
    """The content that the release of a dataset would open beside its draft, if it keeps its history."""

    keeps_history: Annotated[bool, "Whether it is kept unless it is said that it is not to be."]
    versions: list[str]
    removed_paths: list[str]
    people: list[str]


class BatchTaken(TypedDict):
    """The change of the dataset that a batch was: its number, and how many files it added, replaced and removed."""

    change: int
    added: int
    replaced: int
    removed: int


# --- Assets and folders -----------------------------------------------------------------------------------------------


class AssetBase(TypedDict):
    """The fields of an asset in all answers."""

    asset_id: UUID
    blob: UUID | None
    zarr: UUID | None
    path: str
    size: int
    created: datetime
    modified: datetime


class AssetRow(AssetBase):
    """An asset in a list, with its metadata if they were asked for."""

    metadata: NotRequired[Document]


class Asset(AssetBase):
    """An asset with its metadata."""

    metadata: Document


class PathAsset(TypedDict):
    """The file at a path."""

    asset_id: UUID
    url: str


class Path(TypedDict):
    """A file or folder, and the sums over it."""

    path: str
    version: int
    aggregate_files: int
    aggregate_size: int
    asset: PathAsset | None


class FolderSums(TypedDict):
    """A folder, and the sums over it."""

    path: str
    total_assets: int
    total_size: int


class FolderAtPath(TypedDict):
    """A folder at a path."""

    type: Literal["folder"]
    resource: FolderSums


class AssetAtPath(TypedDict):
    """A file at a path."""

    type: Literal["asset"]
    resource: AssetRow


AtPath = FolderAtPath | AssetAtPath


class AssetEvent(TypedDict):
    """An event of an asset: that it was added, updated or removed."""

    id: int
    dandiset_id: int
    timestamp: datetime
    record_type: Annotated[str, Literal["add_asset", "update_asset", "remove_asset"]]
    details: Document


class AssetEvents(TypedDict):
    """A page of events, and the addresses of the pages beside it."""

    next: URL | None
    previous: URL | None
    results: list[AssetEvent]


# --- Blobs, uploads and Zarr archives ---------------------------------------------------------------------------------


class Blob(TypedDict):
    """Bytes in the store, and their digests."""

    blob_id: UUID
    etag: str
    sha256: str | None
    size: int


class UploadPart(TypedDict):
    """A part of an upload, and the address to put it to."""

    part_number: int
    size: int
    upload_url: str


class Upload(TypedDict):
    """An upload that has begun."""

    upload_id: UUID
    parts: list[UploadPart]


class ActiveUpload(TypedDict):
    """An upload that is under way for a dataset."""

    created: datetime
    blob: URL
    upload_id: UUID
    etag: str
    size: int


class Completion(TypedDict):
    """The end of an upload: what to post, and where."""

    complete_url: str
    body: str


class Zarr(TypedDict):
    """A Zarr archive, or one of its revisions."""

    name: str
    dandiset: str
    zarr_id: UUID
    status: Annotated[str, zarr.ZarrArchive.Status]
    checksum: str | None
    file_count: int
    size: int
    missing: Annotated[list[str], "The first of the files that were announced and never came."]


class ZarrFile(TypedDict):
    """A file in a Zarr archive, as S3 would list it."""

    Key: str
    LastModified: datetime
    ETag: str
    Size: int


class ZarrFiles(TypedDict):
    """Some files of a Zarr archive, and where there are more."""

    next: URL | None
    results: list[ZarrFile]
