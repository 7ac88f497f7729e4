"""What follows a change of a dataset: validation of its draft, opening of its objects, manifests; and publishing.

And the end of an embargo: a change of one row, which opening the objects then follows.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import yaml
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from archive.accounts.policy import ANONYMOUS, SYSTEM, visible_rows
from archive.accounts.queries import owners_of
from archive.accounts.services import write_mail
from archive.assets.models import Asset
from archive.assets.queries import AssetDocuments, assets_of, contributions
from archive.blobs.models import Blob
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import find_draft
from archive.datasets.work import computed_metadata, version_facts
from archive.errors import InvalidError
from archive.identifiers.queries import doi_name
from archive.publishing.models import EmbargoNotice
from archive.publishing.queries import embargo_notices_due, embargoes_over, manifest_key, manifest_url
from archive.storage import services as storage
from archive.timeline.errors import NotYetError
from archive.timeline.models import Author, Change, Job
from archive.timeline.queries import position
from archive.timeline.services import append, hold, start_job
from archive.timeline.work import Heartbeat, RunningJob, Span, job_handler, projection
from archive.validation.metadata import (
    candidate_version_metadata,
    publish_activity,
    published_version_metadata,
    strip_version_metadata,
    version_metadata,
    version_url,
)
from archive.validation.problems import validate_asset, validate_version
from archive.validation.summary import asset_contribution, merge_contributions

PUBLISH_JOB = "publish"
MANIFEST_JOB = "manifest"
RELEASE_JOB = "release"

VALIDATION_BATCH = 100
OPENING_BATCH = 500
OPENING_THREADS = 8
DRAFT_MANIFEST_QUIET = timedelta(seconds=60)

AUTOMATIC_RELEASE = "After that day, and not before tomorrow, everybody will be able to read it."
MANUAL_RELEASE = "It stays embargoed after that day, too, until one of its owners releases it."


# --- Validation -------------------------------------------------------------------------------------------------------


@projection("validation")
def validate_draft(span: Span) -> None:
    """Validate what is pending: assets whose SHA-256 is known, then the draft. Waits for digests that are not."""
    draft = find_draft(span.dataset_id)
    if draft is None:
        return
    documents = AssetDocuments(draft.dataset, reader=SYSTEM)
    while batch := list(_pending(draft).filter(blob__sha256__isnull=False)[:VALIDATION_BATCH]):
        for asset in batch:
            _judge(asset, documents.candidate(asset, timezone.now()))
        _keep_verdicts(batch)
        span.heartbeat.beat()
    if position(span.dataset_id) != span.target:
        return  # It is being changed: what would be said of the draft now holds no longer.
    _validate_draft_itself(draft.pk)
    if waiting := _pending(draft).count():
        raise NotYetError(f"{waiting} files wait for their SHA-256.")


def _pending(draft: Version) -> QuerySet[Asset]:
    live = Asset.objects.filter(dataset_id=draft.dataset_id, retired__isnull=True)
    return live.filter(status=Asset.Status.PENDING).select_related("blob").order_by("id")


def _judge(asset: Asset, document: dict[str, Any]) -> None:
    asset.problems = [problem.as_dict() for problem in validate_asset(document)]
    asset.status = Asset.Status.INVALID if asset.problems else Asset.Status.VALID
    asset.contribution = None if asset.problems else asset_contribution(document)
    asset.modified = timezone.now()


def _keep_verdicts(assets: list[Asset]) -> None:
    # What `bulk_update` does, in a tenth of its time.
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE archive_asset a
               SET status = n.status, problems = n.problems, contribution = n.contribution, modified = n.modified
              FROM unnest(%s::bigint[], %s::text[], %s::jsonb[], %s::jsonb[], %s::timestamptz[])
                AS n(id, status, problems, contribution, modified)
             WHERE a.id = n.id
            """,
            [
                [asset.pk for asset in assets],
                [asset.status for asset in assets],
                [orjson.dumps(asset.problems).decode() for asset in assets],
                [
                    orjson.dumps(asset.contribution).decode() if asset.status == Asset.Status.VALID else None
                    for asset in assets
                ],
                [asset.modified for asset in assets],
            ],
        )


def _validate_draft_itself(pk: int) -> None:
    """Settle the draft, unless somebody changes it meanwhile: then their change brings us here again."""
    draft = Version.objects.select_related("dataset").get(pk=pk)
    if draft.status in {Version.Status.PUBLISHING, Version.Status.PUBLISHED}:
        return
    facts = version_facts(draft, strip_version_metadata(draft.metadata), summary=_summary(draft))
    problems = validate_version(candidate_version_metadata(facts, holds_bytes=draft.size > 0))
    Version.objects.filter(pk=pk, modified=draft.modified, status=draft.status).update(
        status=Version.Status.INVALID if problems else Version.Status.VALID,
        problems=[problem.as_dict() for problem in problems],
        metadata=version_metadata(facts),
    )


def _summary(version: Version) -> dict[str, Any]:
    """The summary over the valid assets (contract 2.6); all those of a published version are."""
    unsettled = {"files": 0, "bytes": 0}
    if version.is_draft:
        rows = assets_of(version).exclude(status=Asset.Status.VALID)
        unsettled = rows.aggregate(files=Count("pk"), bytes=Coalesce(Sum("size"), 0))
    return merge_contributions(
        contributions(version),
        number_of_files=version.file_count - unsettled["files"],
        number_of_bytes=version.size - unsettled["bytes"],
    )


# --- Open objects -----------------------------------------------------------------------------------------------------


@projection("access")
def open_objects(span: Span) -> None:
    """Let anyone read, unsigned, the blobs that an open dataset has gained; or all that a release has opened.

    Which of the two is told by the dataset itself, not by the span, so a release that was interrupted goes on. When
    all its blobs are open, and nothing has changed meanwhile, the dataset is open too.
    """
    dataset = Dataset.objects.filter(pk=span.dataset_id).exclude(access=Dataset.Access.EMBARGOED).first()
    if dataset is None:
        return
    is_releasing = dataset.access == Dataset.Access.RELEASING
    gained = Asset.objects.filter(
        visible_rows(ANONYMOUS),
        dataset=dataset,
        introduced__gt=0 if is_releasing else span.since,
        introduced__lte=span.target,
        blob__is_open=False,
    )
    _open_blobs(gained, span.heartbeat)
    if is_releasing:
        _finish_release(dataset.number, span.target)


def _open_blobs(gained: QuerySet[Asset], heartbeat: Heartbeat) -> None:
    with ThreadPoolExecutor(OPENING_THREADS) as threads:
        while ids := list(gained.values_list("blob_id", flat=True).distinct()[:OPENING_BATCH]):
            blobs = Blob.objects.in_bulk(ids)
            for _ in threads.map(storage.open_to_all, [blob.key for blob in blobs.values()]):
                heartbeat.beat()
            Blob.objects.filter(pk__in=ids).update(is_open=True)


# --- Embargo ----------------------------------------------------------------------------------------------------------


def begin_release(dataset_id: int, author: Author) -> None:
    """Let everybody read the dataset, from the end of this transaction on, if it is embargoed; else do nothing.

    One row is changed, however many files there are. What is open by now follows as the projection `access`.
    """
    with transaction.atomic():
        hold(dataset_id)
        dataset = Dataset.objects.filter(pk=dataset_id, access=Dataset.Access.EMBARGOED).first()
        if dataset is None:
            return
        dataset.released = append(dataset_id, Change.Kind.RELEASE, author, {}).number
        dataset.access = Dataset.Access.RELEASING
        dataset.embargo_end = datetime.now(UTC).date()
        dataset.save(update_fields=["access", "released", "embargo_end", "modified"])


def _finish_release(dataset_id: int, target: int) -> None:
    """Call the dataset open, unless it has changed since `target`: then this is tried again."""
    with transaction.atomic():
        hold(dataset_id)
        draft = find_draft(dataset_id)
        if draft is None or draft.dataset.access != Dataset.Access.RELEASING or position(dataset_id) != target:
            return
        append(dataset_id, Change.Kind.FINISH_RELEASE, SYSTEM, {})
        dataset = draft.dataset
        dataset.access = Dataset.Access.OPEN
        dataset.save(update_fields=["access", "modified"])
        draft.metadata = computed_metadata(draft, strip_version_metadata(draft.metadata))
        draft.status = Version.Status.PENDING
        draft.save(update_fields=["metadata", "status", "modified"])
        _tell_owners(draft, "is released", "Everybody can read it now, and it can be published.", occasion="released")


def _tell_owners(draft: Version, what: str, more: str, *, occasion: str) -> None:
    name = f"{settings.ARCHIVE_INSTANCE_NAME}:{draft.dataset.identifier}"
    address = version_url(draft.dataset_id, Version.DRAFT)
    write_mail(
        key=f"embargo:{draft.dataset.identifier}:{occasion}",
        to=[owner.email for owner in owners_of(draft.dataset_id) if owner.is_active and owner.email],
        subject=f"{name} {what}",
        text=f"Your dataset {name}, {draft.name}, {what}.\n\n{more}\n\n{address}\n",
    )


@job_handler(RELEASE_JOB, deadline=timedelta(days=1))
def release_at_the_end(job: RunningJob) -> None:
    """Release the dataset that is the job's subject: its embargo is over, and its owners were told that it would be."""
    begin_release(int(job.row.subject), SYSTEM)


def watch_embargoes() -> None:
    """Tell owners of embargoes that end soon, each once; release what was to be released, if the settings say so."""
    for dataset, days in embargo_notices_due(settings.EMBARGO_NOTICE_DAYS):
        _announce_end(dataset, days)
    if settings.EMBARGO_RELEASE_AT_END:
        for number in embargoes_over():
            start_job(RELEASE_JOB, subject=str(number), dataset_id=number)


def _announce_end(dataset: Dataset, days: int) -> None:
    draft = find_draft(dataset.number)
    end = dataset.embargo_end
    if draft is None or end is None:
        return
    with transaction.atomic():
        _, is_new = EmbargoNotice.objects.get_or_create(dataset=dataset, end=end, days=days)
        if is_new:
            what = f"is embargoed until {end.isoformat()}"
            more = AUTOMATIC_RELEASE if settings.EMBARGO_RELEASE_AT_END else MANUAL_RELEASE
            _tell_owners(draft, what, more, occasion=f"{end.isoformat()}:{days}")


# --- Publishing -------------------------------------------------------------------------------------------------------


def _publishing_failed(job: Job, reason: str) -> None:
    version = Version.objects.filter(pk=job.subject, status=Version.Status.PUBLISHING).first()
    if version is None:
        return
    hold(version.dataset_id)
    Version.objects.filter(
        dataset_id=version.dataset_id, version=Version.DRAFT, status=Version.Status.PUBLISHING
    ).update(status=Version.Status.INVALID, problems=[{"field": "", "message": f"Publishing failed: {reason}"}])
    version.delete()


@job_handler(PUBLISH_JOB, deadline=timedelta(hours=1), failed=_publishing_failed)
def publish_version(job: RunningJob) -> None:
    """Finish the version that is the job's subject. Its point on the timeline is fixed, so edits do not disturb it."""
    version = Version.objects.select_related("dataset").filter(pk=job.row.subject).first()
    if version is None or version.status != Version.Status.PUBLISHING:
        return
    job.step("summarise")
    summary = _summary(version)
    job.step("compose")
    metadata = _published_metadata(version, summary)
    job.step("validate")
    if problems := validate_version(metadata):
        raise InvalidError("; ".join(f"{problem.field}: {problem.message}" for problem in problems))
    job.step("finish")
    _finish(version, metadata)


def _published_metadata(version: Version, summary: dict[str, Any]) -> dict[str, Any]:
    facts = version_facts(
        version,
        strip_version_metadata(version.metadata),
        summary=summary,
        doi=doi_name(version.dataset_id, version.version),
        manifest_urls=[manifest_url(version, "assets.yaml")],
        now=version.created,
    )
    return published_version_metadata(
        facts, published_by=publish_activity(version.created), release_notes=version.release_notes
    )


def _finish(version: Version, metadata: dict[str, Any]) -> None:
    with transaction.atomic():
        hold(version.dataset_id)
        unfinished = Version.objects.filter(pk=version.pk, status=Version.Status.PUBLISHING)
        now = timezone.now()
        if not unfinished.update(metadata=metadata, doi=metadata["doi"], status=Version.Status.VALID, modified=now):
            # Another worker was faster, and what is published does not change.
            return
        Version.objects.filter(
            dataset_id=version.dataset_id, version=Version.DRAFT, status=Version.Status.PUBLISHING
        ).update(status=Version.Status.PUBLISHED)
        start_job(MANIFEST_JOB, subject=str(version.pk), dataset_id=version.dataset_id)


# --- Manifests --------------------------------------------------------------------------------------------------------


@job_handler(MANIFEST_JOB, deadline=timedelta(days=1), queue="bulk")
def write_published_manifests(job: RunningJob) -> None:
    """Write the manifests of the published version that is the job's subject."""
    version = Version.objects.select_related("dataset").filter(pk=job.row.subject).first()
    if version is not None:
        job.step("write", total=version.file_count)
        write_manifests(version, job.heartbeat)


@projection("manifest", queue="bulk", quiet=DRAFT_MANIFEST_QUIET)
def write_draft_manifests(span: Span) -> None:
    """Write the draft's manifests, once nobody has changed it for a while."""
    draft = find_draft(span.dataset_id)
    if draft is not None:
        write_manifests(draft, span.heartbeat)


def write_manifests(version: Version, heartbeat: Heartbeat) -> None:
    """Write the five manifests of contract 2.8, streamed: memory does not grow with the number of assets.

    The assets are written as JSON in the YAML files too: JSON is YAML, and is made and read many times faster.
    """
    dandiset = orjson.dumps(version.metadata)
    files: dict[str, tuple[Iterator[bytes], str]] = {
        "dandiset.yaml": (iter([yaml.safe_dump(version.metadata, allow_unicode=True).encode()]), "text/yaml"),
        "dandiset.jsonld": (iter([dandiset]), "application/ld+json"),
        "assets.yaml": (_yaml_list(version, heartbeat), "text/yaml"),
        "assets.jsonld": (_json_list(version, heartbeat), "application/ld+json"),
        "collection.jsonld": (_collection(version, heartbeat), "application/ld+json"),
    }
    is_open = version.dataset.access == Dataset.Access.OPEN
    for name, (chunks, content_type) in files.items():
        key = manifest_key(version, name)
        # An older object may be open: numbers can be given again, and not every store forgets tags with the bytes.
        if not is_open:
            storage.close_to_all(key)
        storage.write(key, chunks, content_type=content_type)
        if is_open:
            storage.open_to_all(key)
        heartbeat.beat()


def _documents(version: Version, heartbeat: Heartbeat) -> Iterator[bytes]:
    documents = AssetDocuments(version.dataset, reader=SYSTEM)
    for asset in assets_of(version).select_related("blob").order_by("introduced", "path").iterator(chunk_size=1000):
        yield orjson.dumps(documents.document(asset))
        heartbeat.beat()


def _yaml_list(version: Version, heartbeat: Heartbeat) -> Iterator[bytes]:
    empty = True
    for document in _documents(version, heartbeat):
        empty = False
        yield b"- " + document + b"\n"
    if empty:
        yield b"[]\n"


def _json_list(version: Version, heartbeat: Heartbeat) -> Iterator[bytes]:
    yield b"["
    for number, document in enumerate(_documents(version, heartbeat)):
        yield (b",\n" if number else b"\n") + document
    yield b"\n]\n"


def _collection(version: Version, heartbeat: Heartbeat) -> Iterator[bytes]:
    head = {"@context": version.metadata["@context"], "id": version.metadata["id"], "@type": "prov:Collection"}
    yield orjson.dumps(head)[:-1] + b',"hasMember":['
    ids = assets_of(version).order_by("introduced", "path").values_list("asset_id", flat=True).iterator(chunk_size=5000)
    for number, asset_id in enumerate(ids):
        yield (b"," if number else b"") + orjson.dumps(f"dandiasset:{asset_id}")
        heartbeat.beat()
    yield b"]}\n"
