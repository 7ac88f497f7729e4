"""The bodies and queries of requests, and their checks."""

from typing import Any, TypedDict

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from archive.assets.services import MAX_BATCH, MAX_KEY
from archive.datasets.models import Version
from archive.datasets.services import MAX_NAME, Embargo
from archive.errors import InvalidError
from archive.identifiers.names import MAX_LABEL, parse_dandiset_number
from archive.publishing.services import MAX_RELEASE_NOTES
from archive.zarr.models import MAX_NAME as MAX_ZARR_NAME

MAX_SIZE = 2**62


class MetadataField(serializers.JSONField):
    """A JSON object."""

    default_error_messages = {"not_an_object": "Must be a JSON object."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """Return the object, or raise an error."""
        if not isinstance(data, dict):
            self.fail("not_an_object")
        return data


@extend_schema_field({"type": "string", "example": "000123"})
class DatasetField(serializers.Field[int, Any, str, Any]):
    """The number of a dataset: six digits, or an integer (docs/dialects/dandi.md#values)."""

    def to_internal_value(self, data: Any) -> int:
        """Return the number, or raise an error."""
        try:
            return parse_dandiset_number(data)
        except InvalidError as error:
            raise serializers.ValidationError(error.message) from error


class NamedMetadata(serializers.Serializer[Any]):
    """A dataset's name and metadata."""

    name = serializers.CharField(max_length=MAX_NAME)
    metadata = MetadataField()


class NewDataset(NamedMetadata):
    """The name and metadata of a new dataset."""

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a wish that is told in the wrong place: to drop it would open the dataset."""
        for name in ("embargo", "private"):
            if name in self.initial_data:
                raise serializers.ValidationError({name: f"This goes into the query: ?{name}=true"})
        return attrs


class ClosingField(serializers.BooleanField):
    """A wish that a dataset be closed, which is never taken for none because it is blank or told twice."""

    def get_value(self, dictionary: Any) -> Any:
        """Return what the query has under this name, as it is; `empty` if nothing."""
        values = dictionary.getlist(self.field_name)
        return values[0] if len(values) == 1 else values or empty


class CreateQuery(serializers.Serializer[Any]):
    """The query for a new dataset. DANDI's web app writes some names in another way, which is taken too."""

    embargo = ClosingField(default=False)
    private = ClosingField(default=False)
    funding_source = serializers.CharField(default="", allow_blank=True, max_length=300)
    award_number = serializers.CharField(default="", allow_blank=True, max_length=300)
    embargo_end_date = serializers.DateField(required=False)
    fundingSource = serializers.CharField(default="", allow_blank=True, max_length=300)  # noqa: N815
    awardNumber = serializers.CharField(default="", allow_blank=True, max_length=300)  # noqa: N815
    embargoEndDate = serializers.DateField(required=False)  # noqa: N815

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what cannot be both, and an end of what has none."""
        if attrs["private"] and (attrs["embargo"] or {"embargo_end_date", "embargoEndDate"} & attrs.keys()):
            raise serializers.ValidationError({"private": "An embargo has an end: a dataset has that, or is private."})
        return attrs

    def embargo_wanted(self) -> Embargo | None:
        """Return the embargo that is asked for, or None."""
        query = self.validated_data
        if not query["embargo"]:
            return None
        return Embargo(
            end=query.get("embargo_end_date") or query.get("embargoEndDate"),
            funding_source=query["funding_source"] or query["fundingSource"],
            award_number=query["award_number"] or query["awardNumber"],
        )


class DatasetsQuery(serializers.Serializer[Any]):
    """The query for a list of datasets."""

    draft = serializers.BooleanField(default=True)
    empty = serializers.BooleanField(default=True)
    embargoed = serializers.BooleanField(default=False)
    user = serializers.ChoiceField(["me"], default="", allow_blank=True)
    starred = serializers.BooleanField(default=False)
    search = serializers.CharField(default="", allow_blank=True)
    ordering = serializers.CharField(default="", allow_blank=True, max_length=32)


FILE_TYPES = ["application/x-nwb", "image/", "text/", "video/"]
TECHNIQUES = [
    f"{name} technique"
    for name in (
        "signal filtering",
        "spike sorting",
        "multi electrode extracellular electrophysiology recording",
        "voltage clamp",
        "surgical",
        "behavioral",
        "current clamp",
        "fourier analysis",
        "two-photon microscopy",
        "patch clamp",
        "analytical",
    )
]


class Repeated(serializers.ListField):
    """A parameter that a query may give several times, at most MAX_REPEATS, or not at all."""

    MAX_REPEATS = 100

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, max_length=self.MAX_REPEATS, **options)

    def get_value(self, dictionary: Any) -> Any:
        """Return all values of that name, without those in brackets, which DRF would take too."""
        values = dictionary.getlist(self.field_name)
        return values or empty


class SearchQuery(DatasetsQuery):
    """The query for datasets by their files."""

    file_type = Repeated(child=serializers.ChoiceField(FILE_TYPES))
    file_size_min = serializers.IntegerField(min_value=0, max_value=MAX_SIZE, required=False)
    file_size_max = serializers.IntegerField(min_value=0, max_value=MAX_SIZE, required=False)
    measurement_technique = Repeated(child=serializers.ChoiceField(TECHNIQUES))
    genotype = Repeated(child=serializers.CharField(max_length=1000))
    species = Repeated(child=serializers.CharField(max_length=1000))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a largest size below the smallest."""
        if attrs.get("file_size_max", MAX_SIZE) < attrs.get("file_size_min", 0):
            raise serializers.ValidationError({"file_size_max": ["file_size_max must not be less than file_size_min."]})
        return attrs


class GenotypeQuery(serializers.Serializer[Any]):
    """Part of a genotype."""

    genotype = serializers.CharField(default="", allow_blank=True, max_length=1000)


class SpeciesQuery(serializers.Serializer[Any]):
    """Part of the name of a species."""

    species = serializers.CharField(default="", allow_blank=True, max_length=1000)


class ListedItems(serializers.ListSerializer[Any]):
    """A list whose errors are a list too, with an entry for each item (docs/dialects/dandi.md#errors)."""

    def to_internal_value(self, data: Any) -> list[Any]:
        """Return the items, or raise their errors."""
        try:
            items: list[Any] = super().to_internal_value(data)
        except serializers.ValidationError as error:
            numbered: Any = error.detail
            # DRF numbers the errors of items; what is wrong with the list itself has a name.
            if not all(isinstance(key, int) for key in numbered):
                raise
            raise serializers.ValidationError([numbered.get(index, {}) for index in range(len(data))]) from error
        return items


class OwnerName(serializers.Serializer[Any]):
    """The name of a user who is to be an owner."""

    class Meta:
        list_serializer_class = ListedItems

    username = serializers.CharField(max_length=150)


class ViewerName(OwnerName):
    """The name of a user who is to be a viewer."""


class NewReviewerLink(serializers.Serializer[Any]):
    """A new reviewer link."""

    label = serializers.CharField(max_length=100)  # type: ignore[assignment]
    expires = serializers.DateTimeField(required=False, allow_null=True, default=None)


class VersionsQuery(serializers.Serializer[Any]):
    """The query for a list of versions."""

    order = serializers.ChoiceField(["created", "-created"], default="created")


class Publish(serializers.Serializer[Any]):
    """The publisher's words about a version."""

    release_notes = serializers.CharField(max_length=MAX_RELEASE_NOTES, allow_blank=True, default="")


class NewVersion(Publish):
    """The order for a version: its label, if it is to have one, and its rules."""

    label = serializers.CharField(  # type: ignore[assignment]
        max_length=MAX_LABEL, allow_null=True, default=None, trim_whitespace=False
    )
    rules = serializers.ChoiceField(Version.Rules.choices, default=Version.Rules.DANDI)


class BatchFile(serializers.Serializer[Any]):
    """A file that is to be at a path; its bytes by the id of their blob or by their SHA-256."""

    path = serializers.CharField(max_length=1024, trim_whitespace=False)
    blob_id = serializers.UUIDField(required=False)
    sha256 = serializers.RegexField(r"^[0-9a-fA-F]{64}$", required=False)
    metadata = MetadataField(required=False)


class Batch(serializers.Serializer[Any]):
    """Files to put and paths to remove; a batch with a key is taken once, however often it is sent."""

    key = serializers.CharField(default="", allow_blank=True, max_length=MAX_KEY)
    put = BatchFile(many=True, default=list, max_length=MAX_BATCH)  # type: ignore[call-arg]
    remove = serializers.ListField(
        child=serializers.CharField(max_length=1024, trim_whitespace=False), default=list, max_length=MAX_BATCH
    )


class NewVersionAccess(serializers.Serializer[Any]):
    """The access to a version: whether it is closed to all but those who may read its dataset while that is closed."""

    closed = serializers.BooleanField()


class Release(serializers.Serializer[Any]):
    """The order for a release: what becomes of the history, which is kept if there are versions, unless it is said."""

    history = serializers.ChoiceField(["keep", "start anew"], allow_null=True, default=None)


class AssetsQuery(serializers.Serializer[Any]):
    """The query for a list of assets."""

    path = serializers.CharField(default="", allow_blank=True, trim_whitespace=False, max_length=1024)
    glob = serializers.CharField(default="", allow_blank=True, trim_whitespace=False, max_length=1024)
    metadata = serializers.BooleanField(default=False)
    zarr = serializers.BooleanField(default=False)
    order = serializers.ChoiceField(
        ["created", "-created", "modified", "-modified", "path", "-path", ""], default="", allow_blank=True
    )


class NewAsset(serializers.Serializer[Any]):
    """A new asset: the bytes by `blob_id` or `zarr_id`, the path in the metadata."""

    metadata = MetadataField()
    blob_id = serializers.UUIDField(required=False, allow_null=True)
    zarr_id = serializers.UUIDField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse more or less than one kind of content."""
        if bool(attrs.get("blob_id")) == bool(attrs.get("zarr_id")):
            raise serializers.ValidationError({"blob_id": ["Exactly one of blob_id or zarr_id must be specified."]})
        return attrs


class PathsQuery(serializers.Serializer[Any]):
    """The query for the content of a folder."""

    path_prefix = serializers.CharField(default="", allow_blank=True, trim_whitespace=False, max_length=1024)


class AtPathQuery(serializers.Serializer[Any]):
    """The query for what is at a path of a version."""

    dandiset_id = DatasetField()
    version_id = serializers.RegexField(r"^(0\.[0-9]{6}\.[0-9]{4}|draft)\Z")
    path = serializers.CharField(default="", allow_blank=True, trim_whitespace=False, max_length=1024)
    metadata = serializers.BooleanField(default=False)
    children = serializers.BooleanField(default=False)


class EventsQuery(serializers.Serializer[Any]):
    """The query for events."""

    after = serializers.DateTimeField(required=False)
    before = serializers.DateTimeField(required=False)
    reverse_order = serializers.BooleanField(default=False)


class DownloadQuery(serializers.Serializer[Any]):
    """The query for a download, and how it is shown."""

    content_disposition = serializers.ChoiceField(["attachment", "inline"], default="attachment")


class Digest(serializers.Serializer[Any]):
    """A digest and its algorithm."""

    algorithm = serializers.CharField(max_length=64)
    value = serializers.CharField(max_length=128)


class StartUpload(serializers.Serializer[Any]):
    """An upload to begin."""

    contentSize = serializers.IntegerField(min_value=0)  # noqa: N815 - DANDI's name
    digest = Digest()
    dandiset = DatasetField()


class Part(serializers.Serializer[Any]):
    """One part that has been put into the store."""

    part_number = serializers.IntegerField(min_value=1)
    size = serializers.IntegerField(min_value=1)
    etag = serializers.CharField(max_length=100)


class CompleteUpload(serializers.Serializer[Any]):
    """All the parts of an upload."""

    parts = serializers.ListField(child=Part(), allow_empty=False, max_length=10_000)


class NewZarr(serializers.Serializer[Any]):
    """A new Zarr archive."""

    name = serializers.CharField(max_length=MAX_ZARR_NAME)
    dandiset = DatasetField()


class ZarrsQuery(serializers.Serializer[Any]):
    """The query for a list of Zarr archives."""

    dandiset = DatasetField(required=False)
    name = serializers.CharField(default="", allow_blank=True, trim_whitespace=False, max_length=MAX_ZARR_NAME)


class ZarrFilesQuery(serializers.Serializer[Any]):
    """The query for files of a Zarr archive."""

    prefix = serializers.CharField(default="", allow_blank=True, trim_whitespace=False, max_length=1024)
    after = serializers.CharField(default="", allow_blank=True, trim_whitespace=False, max_length=1024)
    limit = serializers.IntegerField(default=1000, min_value=0, max_value=1000)
    download = serializers.BooleanField(default=False)


class NewZarrFile(TypedDict):
    """A file of a Zarr archive that is going to be uploaded, and the MD5 of its content in base64."""

    path: str
    base64md5: str


class UserSearch(serializers.Serializer[Any]):
    """The query for users by a part of a name."""

    username = serializers.CharField(max_length=150)


class UsersQuery(serializers.Serializer[Any]):
    """The query for the names of users."""

    approved_only = serializers.BooleanField(default=False)


class SchemaQuery(serializers.Serializer[Any]):
    """The query for the schema of a model."""

    model = serializers.CharField()
