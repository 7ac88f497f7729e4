"""Finding blobs and uploads that the actor may know of; others get NotFoundError.

An actor may *read* a blob that some dataset they may read shows. They may *attach* it to any dataset they may change
if they uploaded it, if everybody may read it, or if it is in a dataset they own. Into a dataset goes, besides, what
that dataset has, or has had, already.
"""

import uuid
from collections.abc import Callable, Collection, Iterable
from typing import Any

from django.db.models import Exists, Q, QuerySet

from archive.accounts.policy import (
    ANONYMOUS,
    Action,
    Actor,
    attachable_rows,
    may,
    require,
    sent_content,
    visible_rows,
    visible_unattached_content,
)
from archive.blobs.models import Blob, Reception, Upload
from archive.datasets.models import Dataset
from archive.errors import InvalidError, NotFoundError
from archive.git_annex.keys import AnnexKey
from archive.statements import Prepared
from archive.timeline.rows import rows_of

# How many copies of the same bytes, of uploaders who cannot see each other's, are looked through.
SAME_BYTES_LIMIT = 20
DIGEST_FIELDS = {"dandi:dandi-etag": "etag", "dandi:sha2-256": "sha256"}


def readable_blobs(actor: Actor) -> QuerySet[Blob]:
    """Return the blobs that `actor` uploaded, or that are in a dataset they may read."""
    return _blobs_in(visible_rows(actor), actor)


def attachable_blobs(actor: Actor) -> QuerySet[Blob]:
    """Return the blobs that the actor may attach to any dataset: own uploads, public ones, those in own datasets."""
    return _blobs_in(attachable_rows(actor), actor)


def _blobs_in(assets: Q, actor: Actor) -> QuerySet[Blob]:
    if actor.is_admin:
        return Blob.objects.all()
    return Blob.objects.filter(sent_content(actor) | _have(assets))


def _have(assets: Q, **conditions: Any) -> Q:
    """Return the condition that a blob has such assets.

    As a subquery: joined, a blob would be found once for each of its assets.
    """
    return Q(Exists(rows_of(Blob.assets).filter(assets, **conditions)))


def attachable_blob(actor: Actor, dataset: Dataset, blob_id: uuid.UUID) -> Blob:
    """Return the blob, if the actor may create an asset in the dataset from it; NotFoundError if not."""
    blob = _blob_by_id.first(blob_id=blob_id)
    if blob is None or not (
        _first_among(attachable_blobs, [blob], actor) or blob in attachable_blobs_for(actor, dataset, [blob_id])
    ):
        raise NotFoundError(field="blob_id")
    return blob


@Prepared
def _blob_by_id(blob_id: Any) -> QuerySet[Blob]:
    return _oldest(Blob.objects.filter(pk=blob_id))


def attachable_blobs_for(actor: Actor, dataset: Dataset, blob_ids: Collection[uuid.UUID]) -> list[Blob]:
    """Return those of the blobs from which the actor may create assets in the dataset: its own, and attachable ones."""
    wanted = Blob.objects.filter(pk__in=blob_ids)
    of_all = Q(pk__in=attachable_blobs(actor).values("pk"))
    if not may(actor, Action.CHANGE_DRAFT, dataset):
        return list(wanted.filter(of_all))
    return list(wanted.filter(of_all | _have(visible_rows(actor), dataset=dataset)))


def find_blob_by_digest(actor: Actor, algorithm: str, value: str) -> Blob | None:
    """Return the oldest blob with that digest that the actor may read; InvalidError for an unknown algorithm."""
    if algorithm not in DIGEST_FIELDS:
        supported = ", ".join(DIGEST_FIELDS)
        raise InvalidError(f"Unsupported Digest Algorithm. Supported: {supported}", field="algorithm")
    blobs = _blobs_by_etag if DIGEST_FIELDS[algorithm] == "etag" else _blobs_by_sha256
    return _first_among(readable_blobs, blobs.all(digest=value), actor)


def find_attachable_blob(actor: Actor, etag: str) -> Blob | None:
    """Return the oldest blob with that dandi-etag that the actor may attach."""
    return _first_among(attachable_blobs, _blobs_by_etag.all(digest=etag), actor)


def find_annex_content(actor: Actor, dataset: Dataset, key: AnnexKey) -> Blob | None:
    """Return the oldest blob that git-annex knows by `key` in a dataset that the actor may read.

    It is one that the dataset shows them in its draft, a version or the past, or that was sent to it by that key. Who
    may change the draft finds also what an asset of it could be made of.
    """
    blobs = Blob.objects.filter(size=key.size, **{key.hash_name.lower(): key.digest})
    found = _have(visible_rows(actor), dataset=dataset)
    found |= Q(visible_unattached_content(actor, to="received_for__"), received_for=dataset)
    if may(actor, Action.CHANGE_DRAFT, dataset):
        found |= _may_be_added(actor, dataset, key.hash_name)
    return blobs.filter(found).order_by("created", "pk").first()


def _may_be_added(actor: Actor, dataset: Dataset, hash_name: str) -> Q:
    """Return the filter for blobs from which an editor of the dataset may create assets: sent to it, or attachable.

    An MD5 can be forged: by MD5, only what was sent to this very dataset is found.
    """
    sent = Q(received_for=dataset)
    return sent if hash_name == "MD5" else sent | Q(pk__in=attachable_blobs(actor).values("pk"))


@Prepared
def _blobs_by_etag(digest: Any) -> QuerySet[Blob]:
    return _oldest(Blob.objects.filter(etag=digest))


@Prepared
def _blobs_by_sha256(digest: Any) -> QuerySet[Blob]:
    return _oldest(Blob.objects.filter(sha256=digest))


def _oldest(blobs: QuerySet[Blob]) -> QuerySet[Blob]:
    """Return the first of some blobs, each with whether everybody may read and attach it."""
    return blobs.annotate(is_public=_have(visible_rows(ANONYMOUS))).order_by("created")[:SAME_BYTES_LIMIT]


def _first_among(allowed: Callable[[Actor], QuerySet[Blob]], blobs: Iterable[Any], actor: Actor) -> Blob | None:
    """Return the first of the blobs that is allowed to the actor, as what is public is to everybody."""
    return next((blob for blob in blobs if blob.is_public or _is_among(allowed, blob, actor)), None)


def _is_among(allowed: Callable[[Actor], QuerySet[Blob]], blob: Blob, actor: Actor) -> bool:
    is_theirs = actor.user_id is not None and blob.uploader_id == actor.user_id and actor.only_dataset is None
    return is_theirs or allowed(actor).filter(pk=blob.pk).exists()


def blobs_without_sha256() -> QuerySet[Blob]:
    """Return the blobs whose SHA-256 is not known yet, oldest first."""
    return Blob.objects.filter(sha256__isnull=True).order_by("created")


def active_uploads(dataset: Dataset) -> int:
    """Return how many uploads to the dataset, in parts or by keys, are under way."""
    begun = [model.objects.filter(dataset=dataset).values("pk") for model in (Upload, Reception)]
    return begun[0].union(begun[1], all=True).count()


def uploads_of(actor: Actor, dataset: Dataset) -> QuerySet[Upload]:
    """Return the uploads meant for the dataset that have begun and not ended, oldest first; for who may list them."""
    require(actor, Action.LIST_UPLOADS, dataset)
    return Upload.objects.filter(dataset=dataset).order_by("created", "pk")


def find_upload(actor: Actor, upload_id: uuid.UUID) -> Upload:
    """Return an upload that the actor began, or for an administrator anybody's; NotFoundError for other people's."""
    upload = _upload_by_id.first(upload_id=upload_id)
    if upload is None or actor.user is None or not (actor.is_admin or upload.user_id == actor.user_id):
        raise NotFoundError
    return upload


@Prepared
def _upload_by_id(upload_id: Any) -> QuerySet[Upload]:
    return Upload.objects.filter(pk=upload_id)


def find_finished_upload(actor: Actor, upload_id: uuid.UUID) -> Blob:
    """Return the blob that an upload of the actor has become; NotFoundError if there is none."""
    blob = Blob.objects.filter(pk=upload_id, uploader=actor.user_id).first() if actor.user else None
    if blob is None:
        raise NotFoundError
    return blob


def attachable_by_digest(actor: Actor, dataset: Dataset, hash_name: str, digests: Collection[str]) -> dict[str, Blob]:
    """Return, by digest, the blobs with these digests from which the actor may create assets in the dataset.

    The caller has checked that the actor may change the draft. They are what `find_annex_content` finds, whatever size
    a key says they have.
    """
    name = hash_name.lower()
    found = _have(visible_rows(actor), dataset=dataset)
    found |= _may_be_added(actor, dataset, hash_name)
    return {getattr(blob, name): blob for blob in Blob.objects.filter(found, **{f"{name}__in": digests})}


def attachable_by_etag(actor: Actor, etags: Collection[str]) -> dict[str, Blob]:
    """Return a blob that the actor may attach for each of the dandi-etags that has one, by dandi-etag."""
    return {blob.etag: blob for blob in attachable_blobs(actor).filter(etag__in=etags)}
