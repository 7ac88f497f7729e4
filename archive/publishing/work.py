"""The work that follows a change of a dataset: validation, Zarr revisions, manifests; and publishing."""

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import yaml
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from archive.accounts.policy import SYSTEM
from archive.assets.models import Asset
from archive.assets.queries import CONTENT, AssetDocuments, assets_not_valid, assets_of
from archive.assets.services import show_revision
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import find_draft
from archive.datasets.work import request_doi, version_facts
from archive.digests import ZarrSums
from archive.embargo.work import OPENED_JOB
from archive.errors import InvalidError
from archive.identifiers.names import doi_name
from archive.metadata.documents import (
    access_once_published,
    candidate_version_metadata,
    publish_activity,
    published_version_metadata,
    strip_version_metadata,
    version_metadata,
)
from archive.metadata.problems import Problem, validate_asset, validate_version
from archive.metadata.summary import asset_contribution
from archive.publishing.queries import MANIFESTS, draft_summary, manifest_key, manifest_url, version_summary
from archive.publishing.rules import RULES, Candidate
from archive.snapshots.queries import PROJECTION
from archive.storage import services as storage
from archive.timeline.errors import NotYetError
from archive.timeline.models import Change, Job
from archive.timeline.queries import position
from archive.timeline.rows import live
from archive.timeline.services import append, follow_newest_again, hold, nudge, start_job
from archive.timeline.work.jobs import RunningJob, job_handler
from archive.timeline.work.leases import Heartbeat
from archive.timeline.work.projections import Span, projection
from archive.timeline.work.schedule import BULK
from archive.zarr.models import ZarrArchive
from archive.zarr.work import (
    INGEST_JOB,
    begin_ingest,
    complete,
    find_arrivals,
    ingest_failed,
    introduce_arrivals,
    next_revision,
    sum_up,
)

PUBLISH_JOB = "publish"
MANIFEST_JOB = "manifest"

# Of more, the writers of the dataset would wait too long for the verdicts to be written.
VALIDATION_BATCH = 250
# What a verdict is found by, of an asset and its content: to make objects of all columns takes longer.
JUDGED = (
    *("asset_id", "path", "size", "metadata", "introduced", "retired", "zarr"),
    *("blob__etag", "blob__sha256", "zarr_revision__checksum"),
)
# How long a version whose rules take files in any state waits for those that nobody has looked at yet.
PATIENCE = timedelta(minutes=10)
DRAFT_MANIFEST_QUIET = timedelta(seconds=60)


# --- Validation -------------------------------------------------------------------------------------------------------


@projection("validation")
def validate_draft(span: Span) -> None:
    """Validate what is pending: assets whose SHA-256 is known, then the draft. Waits for digests that are not."""
    draft = find_draft(span.dataset_id)
    if draft is None:
        return
    documents = AssetDocuments(draft.dataset, reader=SYSTEM)
    while batch := list(_pending(draft).filter(_has_digest()).only(*JUDGED)[:VALIDATION_BATCH]):
        now = timezone.now()
        for asset in batch:
            _judge(asset, documents.candidate(asset, now))
        _keep_verdicts(draft, batch)
        span.heartbeat.beat()
        if len(batch) < VALIDATION_BATCH:
            break
    if position(span.dataset_id) != span.target:
        return  # The draft has changed meanwhile, so a verdict on it would be out of date.
    _validate_draft_itself(draft.pk, span.target)
    # Whether any wait is asked in the order of their index: to count none would read the whole table (`draft_summary`).
    if list(_pending(draft)[:1]):
        raise NotYetError(f"{_pending(draft).count()} files wait for their SHA-256 or Zarr checksum.")


def _has_digest() -> Q:
    return Q(blob__sha256__isnull=False) | Q(zarr_revision__isnull=False)


def _pending(draft: Version) -> QuerySet[Asset]:
    return assets_not_valid(draft.dataset_id).filter(status=Asset.Status.PENDING).select_related(*CONTENT)


def _judge(asset: Asset, document: dict[str, Any]) -> None:
    asset.problems = [problem.as_dict() for problem in validate_asset(document)]
    asset.status = Asset.Status.INVALID if asset.problems else Asset.Status.VALID
    asset.contribution = None if asset.problems else asset_contribution(document)
    asset.modified = timezone.now()


def _keep_verdicts(draft: Version, assets: list[Asset]) -> None:
    # Like `bulk_update`, in a tenth of its time. Whoever changes what a summary counts stands in the line of writers.
    with transaction.atomic(), connection.cursor() as cursor:
        hold(draft.dataset_id)
        cursor.execute(
            """
            UPDATE archive_asset a
               SET status = n.status, problems = n.problems, contribution = n.contribution, modified = n.modified
              FROM jsonb_to_recordset(%s)
                AS n(id bigint, status text, problems jsonb, contribution jsonb, modified timestamptz)
             WHERE a.id = n.id
            """,
            [orjson.dumps([_verdict(asset) for asset in assets]).decode()],
        )
        Version.objects.filter(pk=draft.pk).update(modified=timezone.now())


def _verdict(asset: Asset) -> dict[str, Any]:
    return {
        "id": asset.pk,
        "status": asset.status,
        "problems": asset.problems,
        "contribution": asset.contribution,
        "modified": asset.modified,
    }


def _validate_draft_itself(pk: int, target: int) -> None:
    """Settle the draft, unless somebody changes it meanwhile: then their change brings us here again."""
    draft = Version.objects.select_related("dataset").get(pk=pk)
    if draft.status in {Version.Status.PUBLISHING, Version.Status.PUBLISHED}:
        return
    facts = version_facts(draft, strip_version_metadata(draft.metadata), summary=draft_summary(draft))
    problems = validate_version(candidate_version_metadata(facts, holds_bytes=draft.size > 0))
    verdict = {
        "status": Version.Status.INVALID if problems else Version.Status.VALID,
        "problems": [problem.as_dict() for problem in problems],
        "metadata": version_metadata(facts),
    }
    if all(getattr(draft, name) == value for name, value in verdict.items()):
        return
    with transaction.atomic():
        unsettled = Version.objects.select_for_update().filter(pk=pk, status=draft.status)
        # Any change committed before this lock is on the timeline, so the position tells of it.
        if list(unsettled.values_list("pk")) and position(draft.dataset_id) == target:
            unsettled.update(**verdict)


# --- Zarr -------------------------------------------------------------------------------------------------------------


@job_handler(INGEST_JOB, deadline=timedelta(hours=6), queue=BULK, failed=ingest_failed)
def ingest_zarr(job: RunningJob) -> None:
    """Make the next revision of the Zarr archive that is the job's subject, and let the draft's assets show it."""
    zarr = begin_ingest(UUID(job.row.subject))
    if zarr is None:
        return
    job.step("look for what has arrived")
    find_arrivals(zarr, job.heartbeat.beat)
    job.step("introduce")
    introduce_arrivals(zarr, job.heartbeat.beat)
    job.step("sum up")
    sums = sum_up(zarr, job.progress)
    job.step("complete")
    _complete_zarr(zarr, sums)


def _complete_zarr(zarr: ZarrArchive, sums: ZarrSums) -> None:
    with transaction.atomic():
        hold(zarr.dataset_id)
        if not complete(zarr, sums):
            return
        details = {"zarr_id": str(zarr.id), "revision": zarr.revision + 1, "checksum": str(sums)}
        change = append(zarr.dataset_id, Change.Kind.INGEST_ZARR, SYSTEM, details)
        show_revision(change, next_revision(zarr, sums, at=change.number))


# --- Publishing -------------------------------------------------------------------------------------------------------


def _publishing_failed(job: Job, reason: str) -> None:
    version = Version.objects.filter(pk=job.subject, status=Version.Status.PUBLISHING).first()
    if version is None:
        return
    hold(version.dataset_id)
    # The draft was valid; a cancelled publication does not change that.
    is_cancelled = job.state == Job.State.CANCELLED
    Version.objects.filter(
        dataset_id=version.dataset_id, version=Version.DRAFT, status=Version.Status.PUBLISHING
    ).update(
        status=Version.Status.VALID if is_cancelled else Version.Status.INVALID,
        problems=[] if is_cancelled else publishing_failure(reason),
    )
    version.delete()


def publishing_failure(reason: str) -> list[dict[str, str]]:
    """Return, as a list of one problem, why publishing a draft has failed."""
    return [{"field": "", "message": f"Publishing failed: {reason}"}]


@job_handler(PUBLISH_JOB, deadline=timedelta(hours=1), failed=_publishing_failed)
def publish_version(job: RunningJob) -> None:
    """Finish the version that is the job's subject. Its point on the timeline is fixed, so edits do not disturb it."""
    version = Version.objects.select_related("dataset").filter(pk=job.row.subject).first()
    if version is None or version.status != Version.Status.PUBLISHING:
        return
    if version.rules != Version.Rules.DANDI and _is_incomplete(version):
        job.step("wait for files")
        _wait_for_files(job, version)
        version.metadata["assetsSummary"] = version_summary(version)
    job.step("compose")
    doi, access = doi_name(version.dataset_id, version.version), access_once_published(version.dataset.access)
    metadata = _published_metadata(version, doi=doi, access=access)
    job.step("validate")
    problems = _problems(version, metadata)
    judge = RULES[Version.Rules(version.rules)].judge
    verdict = judge(Candidate(problems)) if judge else None
    if verdict:
        raise InvalidError("; ".join(f"{problem.field}: {problem.message}" for problem in verdict))
    job.step("finish")
    if problems or version.is_closed or not version.dataset.is_released:
        metadata = _published_metadata(version, doi=None)
    _finish(job, version, metadata, problems, verdict)


def _is_incomplete(version: Version) -> bool:
    """Return whether some files were not valid, or not validated yet, when the version was asked for."""
    files: int = version.metadata["assetsSummary"]["numberOfFiles"]
    return files < version.file_count


def _wait_for_files(job: RunningJob, version: Version) -> None:
    """Raise NotYetError while files of a version are still to be validated; after a while it is made as they are.

    What the draft has no longer is validated no more.
    """
    pending = assets_of(version).filter(live(), status=Asset.Status.PENDING).count()
    if pending and timezone.now() - job.row.created < PATIENCE:
        raise NotYetError(f"{pending} files are still to be validated.", retry_after=1)


def _problems(version: Version, metadata: dict[str, Any]) -> list[Problem]:
    """Return what keeps DANDI from publishing a version; of one by DANDI's rules, the draft's files were all valid."""
    problems = validate_version(metadata)
    if version.rules == Version.Rules.DANDI:
        return problems
    count = assets_of(version).exclude(status=Asset.Status.VALID).count()
    return [*problems, Problem("", f"{count} of its files are not valid.")] if count else problems


@job_handler(OPENED_JOB, deadline=timedelta(days=1))
def recompose_opened_version(job: RunningJob) -> None:
    """Recompose the metadata of a version after the release of its dataset, and request its DOI if it may have one."""
    version = Version.objects.select_related("dataset").filter(pk=job.row.subject).first()
    if version is None or version.dataset.access != Dataset.Access.OPEN:
        return
    is_citable = version.status == Version.Status.VALID and not version.is_closed
    metadata = _published_metadata(
        version,
        doi=doi_name(version.dataset_id, version.version) if is_citable else None,
        published_by=version.metadata["publishedBy"],
    )
    with transaction.atomic():
        job.finish()
        Version.objects.filter(pk=version.pk).update(metadata=metadata, doi=metadata.get("doi"))
        version.doi = metadata.get("doi")
        request_doi(version)
        start_job(MANIFEST_JOB, subject=str(version.pk), dataset_id=version.dataset_id)


def _published_metadata(
    version: Version, *, published_by: dict[str, Any] | None = None, **known: Any
) -> dict[str, Any]:
    """Return the metadata of a version that is made; what is `known` goes before what the row says."""
    facts = version_facts(
        version,
        strip_version_metadata(version.metadata),
        manifest_urls=[manifest_url(version, "assets.yaml")],
        now=version.created,
        **known,
    )
    return published_version_metadata(
        facts, published_by=published_by or publish_activity(version.created), release_notes=version.release_notes
    )


def _finish(
    job: RunningJob,
    version: Version,
    metadata: dict[str, Any],
    problems: list[Problem],
    verdict: list[Problem] | None,
) -> None:
    with transaction.atomic():
        job.finish()
        hold(version.dataset_id)
        unfinished = Version.objects.filter(pk=version.pk, status=Version.Status.PUBLISHING)
        version.doi = metadata.get("doi")
        if not unfinished.update(
            metadata=metadata,
            doi=version.doi,
            status=Version.Status.INVALID if problems else Version.Status.VALID,
            problems=[problem.as_dict() for problem in problems],
            verdict=None if verdict is None else [problem.as_dict() for problem in verdict],
        ):
            # Another worker has finished the version already.
            return
        Version.objects.filter(
            dataset_id=version.dataset_id, version=Version.DRAFT, status=Version.Status.PUBLISHING
        ).update(status=Version.Status.PUBLISHED)
        start_job(MANIFEST_JOB, subject=str(version.pk), dataset_id=version.dataset_id)
        request_doi(version)
        if Dataset.objects.get(pk=version.dataset_id).access != version.dataset.access:
            # It was released while its metadata were composed, which say that it is closed.
            start_job(OPENED_JOB, subject=str(version.pk), dataset_id=version.dataset_id)
        # A repository that is exported must get the new tag.
        follow_newest_again(version.dataset_id, PROJECTION)
        # Projections have seen the change that began this, and wait for the version.
        transaction.on_commit(partial(nudge, version.dataset_id))


# --- Manifests --------------------------------------------------------------------------------------------------------


@job_handler(MANIFEST_JOB, deadline=timedelta(days=1), queue=BULK)
def write_published_manifests(job: RunningJob) -> None:
    """Write the manifests of the published version that is the job's subject."""
    version = Version.objects.select_related("dataset").filter(pk=job.row.subject).first()
    if version is not None:
        job.step("write", total=version.file_count)
        write_manifests(version, job.heartbeat)
        _close_if_closed(version)


def _close_if_closed(version: Version) -> None:
    """Close the manifests once more if the version was closed while they were written, or is being closed."""
    with transaction.atomic():
        hold(version.dataset_id)
        if Version.objects.filter(pk=version.pk, is_closed=True).exists():
            close_manifests(version)


@projection("manifest", queue=BULK, quiet=DRAFT_MANIFEST_QUIET)
def write_draft_manifests(span: Span) -> None:
    """Write the draft's manifests, once nobody has changed it for a while."""
    draft = find_draft(span.dataset_id)
    if draft is not None:
        write_manifests(draft, span.heartbeat)


def write_manifests(version: Version, heartbeat: Heartbeat) -> None:
    """Write the five manifests of a version, streamed: memory does not grow with the number of assets.

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
    is_open = version.dataset.access == Dataset.Access.OPEN and not version.is_closed
    # An older object with this key may be open: numbers are reused, and some stores keep tags of old bytes.
    if not is_open:
        close_manifests(version)
    for name, (chunks, content_type) in files.items():
        key = manifest_key(version, name)
        storage.write(key, chunks, content_type=content_type, is_open=is_open)
        heartbeat.beat()


def close_manifests(version: Version) -> None:
    """Let nobody read a version's manifests without a signature."""
    for name in MANIFESTS:
        storage.close_to_all(manifest_key(version, name))


def _documents(version: Version, heartbeat: Heartbeat) -> Iterator[bytes]:
    documents = AssetDocuments(version.dataset, reader=SYSTEM)
    for asset in assets_of(version).select_related(*CONTENT).order_by("introduced", "path").iterator(chunk_size=1000):
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
