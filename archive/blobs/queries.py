"""Finding blobs and uploads that the asker may know of. To everybody else they do not exist."""

import uuid

from django.apps import apps
from django.db.models import Exists, OuterRef, Q, QuerySet

from archive.accounts.policy import Actor, visible
from archive.blobs.models import Blob, Upload
from archive.datasets.models import Dataset
from archive.errors import InvalidError, NotFoundError

# How many copies of the same bytes, uploaded by people who could not see each other's, are looked through.
SAME_BYTES_LIMIT = 20
DIGEST_FIELDS = {"dandi:dandi-etag": "etag", "dandi:sha2-256": "sha256"}


def readable_blobs(actor: Actor) -> QuerySet[Blob]:
    """The blobs that `actor` uploaded, or that are in a dataset they may read."""
    if actor.is_admin:
        return Blob.objects.all()
    # Assets are a later room: blobs know them only as the rows that point here.
    assets = apps.get_model("archive", "Asset").objects.filter(visible(actor, to="dataset__"), blob=OuterRef("pk"))
    uploaded = Q(uploader=actor.user) if actor.user else Q(pk__in=[])
    return Blob.objects.filter(uploaded | Exists(assets))


def attachable_blob(actor: Actor, blob_id: uuid.UUID) -> Blob:
    """The blob, if the actor may make an asset of it; NotFoundError if not."""
    blob = Blob.objects.filter(pk=blob_id).first()
    if blob is None or not _may_read(actor, blob):
        raise NotFoundError("Not found.", field="blob_id")
    return blob


def find_blob_by_digest(actor: Actor, algorithm: str, value: str) -> Blob | None:
    """A blob with that digest that the actor may read, the oldest if several; InvalidError for another algorithm."""
    if algorithm not in DIGEST_FIELDS:
        supported = ", ".join(DIGEST_FIELDS)
        raise InvalidError(f"Unsupported Digest Algorithm. Supported: {supported}", field="algorithm")
    blobs = Blob.objects.filter(**{DIGEST_FIELDS[algorithm]: value}).order_by("created")
    return next((blob for blob in blobs[:SAME_BYTES_LIMIT] if _may_read(actor, blob)), None)


def _may_read(actor: Actor, blob: Blob) -> bool:
    uploaded = actor.user_id is not None and blob.uploader_id == actor.user_id
    return uploaded or readable_blobs(actor).filter(pk=blob.pk).exists()


def blobs_without_sha256() -> QuerySet[Blob]:
    """The blobs whose SHA-256 is not known yet, oldest first."""
    return Blob.objects.filter(sha256__isnull=True).order_by("created")


def active_uploads(dataset: Dataset) -> int:
    """How many uploads meant for the dataset have begun and not ended."""
    return dataset.uploads.count()


def find_upload(actor: Actor, upload_id: uuid.UUID) -> Upload:
    """An upload that the actor began; NotFoundError for anybody else's."""
    uploads = Upload.objects.select_related("dataset")
    mine = uploads if actor.is_admin else uploads.filter(user=actor.user)
    upload = mine.filter(pk=upload_id).first() if actor.user else None
    if upload is None:
        raise NotFoundError("Not found.")
    return upload


def find_finished_upload(actor: Actor, upload_id: uuid.UUID) -> Blob:
    """The blob that an upload of the actor has become; NotFoundError if there is none."""
    blob = Blob.objects.filter(pk=upload_id, uploader=actor.user_id).first() if actor.user else None
    if blob is None:
        raise NotFoundError("Not found.")
    return blob
