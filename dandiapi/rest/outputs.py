"""What answers look like, for the OpenAPI document. The tests hold what is really sent against it."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, inline_serializer
from rest_framework import serializers

from archive.assets import models as assets
from archive.datasets import models as datasets
from archive.zarr import models as zarr

PAGE_PARAMETERS = [
    OpenApiParameter("page", int, description="The page's number, from 1."),
    OpenApiParameter("page_size", int, description="How many results a page has: 100 unless asked, at most 1000."),
]


class Detail(serializers.Serializer[Any]):
    """Why not."""

    detail = serializers.CharField()


# A message, a list of messages, or messages by field.
ERRORS = {"oneOf": [{"type": "string"}, {"type": "array", "items": {}}, {"type": "object", "additionalProperties": {}}]}
# A message, or the framework's wrapping of one.
REFUSAL = {
    "oneOf": [
        {"type": "string"},
        {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]},
    ]
}


def page_of_strings(name: str) -> serializers.Serializer[Any]:
    """A page of strings."""
    return inline_serializer(
        f"PageOf{name}",
        {
            "count": serializers.IntegerField(),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": serializers.ListField(child=serializers.CharField()),
        },
    )


def page_of(serializer: type[serializers.Serializer[Any]]) -> serializers.Serializer[Any]:
    """A page of what the serializer describes."""
    return inline_serializer(
        f"PageOf{serializer.__name__}",
        {
            "count": serializers.IntegerField(allow_null=True),
            "next": serializers.URLField(allow_null=True),
            "previous": serializers.URLField(allow_null=True),
            "results": serializer(many=True),
        },
    )


class ServiceAddress(serializers.Serializer[Any]):
    """Where a service is."""

    url = serializers.CharField()


class Services(serializers.Serializer[Any]):
    """Where each service is."""

    api = ServiceAddress()
    webui = ServiceAddress()
    jupyterhub = ServiceAddress()
    live = ServiceAddress(required=False)


class Instance(serializers.Serializer[Any]):
    """The rules of this instance."""

    instance_name = serializers.CharField()
    instance_identifier = serializers.CharField(allow_null=True)
    instance_url = serializers.CharField(allow_null=True)
    doi_prefix = serializers.CharField(allow_null=True)
    licenses = serializers.ListField(child=serializers.CharField())


Info = inline_serializer(
    "Info",
    {
        "version": serializers.CharField(),
        "schema_version": serializers.CharField(),
        "schema_url": serializers.CharField(),
        "allowed_schema_versions": serializers.ListField(child=serializers.CharField()),
        "cli-minimal-version": serializers.CharField(),
        "cli-requires-python": serializers.CharField(),
        "cli-bad-versions": serializers.ListField(child=serializers.CharField()),
        "services": Services(),
        "instance_config": Instance(),
    },
)


class Stats(serializers.Serializer[Any]):
    """How much there is in the open."""

    dandiset_count = serializers.IntegerField()
    published_dandiset_count = serializers.IntegerField()
    user_count = serializers.IntegerField()
    size = serializers.IntegerField()


class User(serializers.Serializer[Any]):
    """Somebody with an account."""

    username = serializers.CharField()
    name = serializers.CharField()
    admin = serializers.BooleanField()
    status = serializers.CharField()


class Owner(serializers.Serializer[Any]):
    """An owner of a dataset."""

    username = serializers.CharField()
    name = serializers.CharField()
    email = serializers.CharField(allow_null=True)


class Viewer(Owner):
    """A viewer of a dataset."""


class ReviewerLink(serializers.Serializer[Any]):
    """A reviewer link of a dataset; what it begins with tells it from others."""

    id = serializers.IntegerField()
    label = serializers.CharField()  # type: ignore[assignment]
    hint = serializers.CharField()
    created = serializers.DateTimeField()
    created_by = serializers.CharField()
    expires = serializers.DateTimeField()
    revoked = serializers.DateTimeField(allow_null=True)
    last_used = serializers.DateTimeField(allow_null=True)


class ReviewerLinkWithSecret(ReviewerLink):
    """A reviewer link that has just been made; its secret is shown this once."""

    secret = serializers.CharField()
    url = serializers.URLField()


class StarCount(serializers.Serializer[Any]):
    """How many stars there are now."""

    count = serializers.IntegerField()


class VersionRow(serializers.Serializer[Any]):
    """A version in a list of datasets."""

    version = serializers.CharField()
    name = serializers.CharField()
    asset_count = serializers.IntegerField()
    size = serializers.IntegerField()
    status = serializers.ChoiceField(datasets.Version.Status.choices)
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()


class VersionBrief(VersionRow):
    """A version in a dataset's detail."""

    active_uploads = serializers.IntegerField()
    release_notes = serializers.CharField(allow_blank=True)


class DatasetBase(serializers.Serializer[Any]):
    """What is said of a dataset everywhere."""

    identifier = serializers.CharField()
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()
    contact_person = serializers.CharField(allow_blank=True)
    embargo_status = serializers.ChoiceField(datasets.Dataset.Access.choices)
    star_count = serializers.IntegerField()
    is_starred = serializers.BooleanField()


class DatasetRow(DatasetBase):
    """A dataset in a list."""

    most_recent_published_version = VersionRow(allow_null=True)
    draft_version = VersionRow()


class FoundDataset(DatasetRow):
    """A dataset in a list, with the number of files for each active filter."""

    asset_counts = serializers.DictField(child=serializers.IntegerField())


class Dataset(DatasetBase):
    """A dataset on its own."""

    most_recent_published_version = VersionBrief(allow_null=True)
    draft_version = VersionBrief()


class VersionItem(VersionBrief):
    """A version in the list of a dataset's versions."""

    dandiset = DatasetBase()


class Problem(serializers.Serializer[Any]):
    """What is wrong, and where."""

    field = serializers.CharField(allow_blank=True)
    message = serializers.CharField()


class AssetProblem(Problem):
    """What is wrong with an asset."""

    path = serializers.CharField()


class VersionInfo(VersionItem):
    """All about a version."""

    asset_validation_errors = AssetProblem(many=True)
    version_validation_errors = Problem(many=True)
    metadata = serializers.DictField()
    contact_person = serializers.CharField(allow_blank=True)
    doi_state = serializers.ChoiceField(datasets.Version.DoiState.choices)
    doi_reason = serializers.CharField(allow_blank=True)


class Asset(serializers.Serializer[Any]):
    """An asset; with its metadata if that was asked for."""

    asset_id = serializers.UUIDField()
    blob = serializers.UUIDField(allow_null=True)
    zarr = serializers.UUIDField(allow_null=True)
    path = serializers.CharField()
    size = serializers.IntegerField()
    created = serializers.DateTimeField()
    modified = serializers.DateTimeField()
    metadata = serializers.DictField(required=False)


class AssetWithMetadata(Asset):
    """An asset with its metadata."""

    metadata = serializers.DictField()


class AssetValidation(serializers.Serializer[Any]):
    """Whether an asset is valid, and if not, why."""

    status = serializers.ChoiceField(assets.Asset.Status.choices)
    validation_errors = Problem(many=True)


class PathAsset(serializers.Serializer[Any]):
    """The file at a path."""

    asset_id = serializers.UUIDField()
    url = serializers.CharField()


class Path(serializers.Serializer[Any]):
    """A file or folder, and the sums over it."""

    path = serializers.CharField()
    version = serializers.IntegerField()
    aggregate_files = serializers.IntegerField()
    aggregate_size = serializers.IntegerField()
    asset = PathAsset(allow_null=True)


class Blob(serializers.Serializer[Any]):
    """Bytes in the store, and their digests."""

    blob_id = serializers.UUIDField()
    etag = serializers.CharField()
    sha256 = serializers.CharField(allow_null=True)
    size = serializers.IntegerField()


class UploadPart(serializers.Serializer[Any]):
    """Where to put one part of an upload."""

    part_number = serializers.IntegerField()
    size = serializers.IntegerField()
    upload_url = serializers.CharField()


class Upload(serializers.Serializer[Any]):
    """An upload that has begun."""

    upload_id = serializers.UUIDField()
    parts = UploadPart(many=True)


class ActiveUpload(serializers.Serializer[Any]):
    """An upload that is under way for a dataset."""

    created = serializers.DateTimeField()
    blob = serializers.URLField()
    upload_id = serializers.UUIDField()
    etag = serializers.CharField()
    size = serializers.IntegerField()


class Completion(serializers.Serializer[Any]):
    """How to end an upload."""

    complete_url = serializers.CharField()
    body = serializers.CharField()


class Zarr(serializers.Serializer[Any]):
    """A Zarr archive; `missing` are the first of the files that were announced and never came."""

    name = serializers.CharField()
    dandiset = serializers.CharField()
    zarr_id = serializers.UUIDField()
    status = serializers.ChoiceField(zarr.ZarrArchive.Status.choices)
    checksum = serializers.CharField(allow_null=True)
    file_count = serializers.IntegerField()
    size = serializers.IntegerField()
    missing = serializers.ListField(child=serializers.CharField())


class ZarrFile(serializers.Serializer[Any]):
    """A file in a Zarr archive."""

    Key = serializers.CharField()
    LastModified = serializers.DateTimeField()
    ETag = serializers.CharField()
    Size = serializers.IntegerField()


class ZarrFiles(serializers.Serializer[Any]):
    """Some files of a Zarr archive, and where there are more."""

    next = serializers.URLField(allow_null=True)
    results = ZarrFile(many=True)


class AtPathResource(serializers.Serializer[Any]):
    """A file, as in the lists of assets; or a folder, with the sums over it."""

    path = serializers.CharField()
    total_assets = serializers.IntegerField(required=False)
    total_size = serializers.IntegerField(required=False)
    asset_id = serializers.UUIDField(required=False)
    blob = serializers.UUIDField(required=False, allow_null=True)
    zarr = serializers.UUIDField(required=False, allow_null=True)
    size = serializers.IntegerField(required=False)
    created = serializers.DateTimeField(required=False)
    modified = serializers.DateTimeField(required=False)
    metadata = serializers.DictField(required=False)


class AtPath(serializers.Serializer[Any]):
    """A file or folder at a path."""

    type = serializers.ChoiceField(["asset", "folder"])
    resource = AtPathResource()


class AssetEvent(serializers.Serializer[Any]):
    """What was done with an asset."""

    id = serializers.IntegerField()
    dandiset_id = serializers.IntegerField()
    timestamp = serializers.DateTimeField()
    record_type = serializers.ChoiceField(["add_asset", "update_asset", "remove_asset"])
    details = serializers.DictField()


class AssetEvents(serializers.Serializer[Any]):
    """A page of events."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = AssetEvent(many=True)
