"""The work on repositories: the projection that writes them, and the job that checks them."""

from datetime import timedelta

from django.utils import timezone

from archive.datasets.models import Dataset
from archive.errors import BusyError
from archive.snapshots.keeping.bundles import DamagedError
from archive.snapshots.keeping.git import Beat, GitError
from archive.snapshots.keeping.recording import MovedError
from archive.snapshots.models import Repository
from archive.snapshots.queries import PROJECTION, repositories_to_check
from archive.snapshots.writing.checks import find_fault
from archive.snapshots.writing.following import begun, follow
from archive.snapshots.writing.plans import look_ahead
from archive.snapshots.writing.rewriting import RewriteError, restore
from archive.timeline.errors import NotYetError
from archive.timeline.services import start_job
from archive.timeline.work.jobs import RunningJob, job_handler
from archive.timeline.work.projections import Span, projection
from archive.timeline.work.schedule import BULK

CHECK_JOB = "check_repository"
# No nudge comes when a checksum has been computed, so the sweep tries again after so many seconds.
WAITING_SECONDS = 5.0
LEFT_OUT_SECONDS = 600.0


@projection(PROJECTION, queue=BULK, prompt=False)
def write_repository(span: Span) -> None:
    """Bring a dataset's repository along; a file waits for its SHA-256, and all that came after it with it."""
    dataset = Dataset.objects.filter(pk=span.dataset_id).first()
    if dataset is None:
        return
    repository = begun(dataset)
    horizon = look_ahead(repository, span.target)
    try:
        follow(repository, horizon, span.heartbeat.beat)
    except MovedError:
        raise NotYetError("Somebody else has moved the branches.", retry_after=1) from None
    except DamagedError as damaged:
        start_job(CHECK_JOB, subject=str(dataset.number))
        raise NotYetError(f"{damaged} It is being restored.") from damaged
    except BusyError as busy:
        raise NotYetError(busy.message, retry_after=busy.retry_after) from busy
    if horizon.reason:
        raise NotYetError(
            horizon.reason, retry_after=WAITING_SECONDS if horizon.reach < span.target else LEFT_OUT_SECONDS
        )


# --- Checking ---------------------------------------------------------------------------------------------------------


@job_handler(CHECK_JOB, deadline=timedelta(days=1), queue=BULK)
def check_repository(job: RunningJob) -> None:
    """Check the repository of the dataset that is the job's subject, and restore it if something is wrong with it."""
    repository = Repository.objects.select_related("dataset").filter(pk=int(job.row.subject)).first()
    if repository is None:
        return
    job.step("check")
    fault = find_fault(repository, job.heartbeat.beat)
    if fault:
        job.log(fault)
        job.step("restore")
        fault = _restore(repository, job.heartbeat.beat) or find_fault(repository, job.heartbeat.beat)
    Repository.objects.filter(pk=repository.pk).update(checked=timezone.now(), fault=fault)


def _restore(repository: Repository, beat: Beat) -> str:
    """Restore a repository from the rows; return why that cannot be done, or "" if it was."""
    try:
        restore(repository, beat)
    except (RewriteError, DamagedError, GitError, MovedError) as error:
        return f"{error} It cannot be restored."
    return ""


def check_some() -> None:
    """Start jobs that check the repositories that were checked longest ago."""
    for number in repositories_to_check():
        start_job(CHECK_JOB, subject=str(number))
