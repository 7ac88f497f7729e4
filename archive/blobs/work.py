"""The jobs about blobs: computing a SHA-256, freeing the parts of uploads that were given up, deleting content."""

import hashlib
from datetime import timedelta
from uuid import UUID

from archive.blobs.models import Blob, blob_key
from archive.storage import queries as store
from archive.storage import services as storage
from archive.timeline.rows import live
from archive.timeline.services import nudge
from archive.timeline.work.jobs import RunningJob, job_handler
from archive.timeline.work.schedule import BULK

CHECKSUM_JOB = "checksum"
ABORT_JOB = "abort-uploads"
DELETE_JOB = "delete-content"


@job_handler(CHECKSUM_JOB, deadline=timedelta(days=2), queue=BULK, attempts=20)
def compute_sha256(job: RunningJob) -> None:
    """Read the whole blob that is the job's subject and keep its SHA-256; whoever waits for that is nudged."""
    blob = Blob.objects.get(pk=job.row.subject)
    if blob.sha256 is None:
        digest = hashlib.sha256()
        done = 0
        for chunk in store.read(blob.key):
            digest.update(chunk)
            done += len(chunk)
            job.heartbeat.beat(step="read", done=done, total=blob.size)
        Blob.objects.filter(pk=blob.pk).update(sha256=digest.hexdigest())
    for dataset_id in blob.assets.filter(live()).values_list("dataset_id", flat=True).distinct():
        nudge(dataset_id)


@job_handler(ABORT_JOB, deadline=timedelta(days=7), queue=BULK)
def abort_uploads(job: RunningJob) -> None:
    """Free the parts, in the store, of the uploads in the job's arguments. What has become an object is left alone."""
    for key, multipart_id in job.row.arguments["uploads"]:
        storage.abort_multipart(key, multipart_id)
        job.heartbeat.beat()


@job_handler(DELETE_JOB, deadline=timedelta(days=7))
def delete_content(job: RunningJob) -> None:
    """Delete, from the store, the bytes of the blob that was of the job's subject."""
    storage.delete(blob_key(UUID(job.row.subject)))
