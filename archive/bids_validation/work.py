"""The work of validation: the projection that sees what is to be validated, and the job that does it."""

import tempfile
from datetime import timedelta
from pathlib import Path

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from archive.bids.services import name_draft
from archive.bids_validation.layout import laid_out
from archive.bids_validation.models import BidsTree, BidsVerdict
from archive.bids_validation.output import Output, read_output
from archive.bids_validation.queries import trees_up_to_date
from archive.bids_validation.tree import TreeFile, hash_of, is_bids, tree_of
from archive.bids_validation.validator import run_validator, validator_version
from archive.datasets.models import Version
from archive.timeline.errors import NotYetError
from archive.timeline.models import Job
from archive.timeline.services import start_job
from archive.timeline.work.jobs import RunningJob, job_handler
from archive.timeline.work.projections import Span, projection
from archive.timeline.work.schedule import BULK

VALIDATE_JOB = "validate_bids"
QUIET = timedelta(seconds=10)
WAITING = "Files wait for their SHA-256 or Zarr checksum."


@projection("bids_validation", queue=BULK, quiet=QUIET, prompt=False)
def begin_validations(span: Span) -> None:
    """Have those versions of a dataset validated that claim to be BIDS datasets, if nobody has looked at them yet.

    A draft that has no name yet gets that which it claims to have.
    """
    is_waiting = False
    for version in _unseen(span.dataset_id):
        if version.rules == Version.Rules.BIDS or is_bids(version):
            is_waiting |= not begin_validation(version)
            name_draft(version.dataset)
        span.heartbeat.beat()
    if is_waiting:
        raise NotYetError(WAITING)


def _unseen(number: int) -> QuerySet[Version]:
    """Return the draft of a dataset, and its versions by the rules of BIDS, if their trees are not known."""
    is_asked = Q(version=Version.DRAFT) | Q(rules=Version.Rules.BIDS, at__isnull=False)
    is_known = Exists(trees_up_to_date().filter(version=OuterRef("pk")))
    return Version.objects.filter(is_asked, ~is_known, dataset_id=number).select_related("dataset")


def begin_validation(version: Version) -> bool:
    """Note the tree of a version, and start the job that validates it, unless it is validated.

    Returns False if digests of files are not known yet.
    """
    tree = tree_of(version)
    if tree is None:
        return False
    with transaction.atomic():
        verdict = _open_verdict(hash_of(tree))
        note_tree(version, verdict)
        if verdict.state == BidsVerdict.State.PENDING:
            start_job(VALIDATE_JOB, subject=verdict.pk, dataset_id=version.dataset_id)
    return True


def note_tree(version: Version, verdict: BidsVerdict) -> None:
    """Note that a version has the tree that a verdict is on."""
    noted = {"files_changed": version.files_changed, "verdict": verdict}
    BidsTree.objects.update_or_create(version_id=version.pk, defaults=noted)


def _open_verdict(tree: str) -> BidsVerdict:
    """Return the verdict on a tree; one that failed, or that another version of the validator gave, is open again."""
    verdict, _ = BidsVerdict.objects.get_or_create(tree=tree)
    is_kept = verdict.state == BidsVerdict.State.DONE and verdict.validator == validator_version()
    if not is_kept:
        verdict.state, verdict.reason = BidsVerdict.State.PENDING, ""
        verdict.save(update_fields=["state", "reason", "modified"])
    return verdict


def _validation_failed(job: Job, reason: str) -> None:
    failed = {"state": BidsVerdict.State.FAILED, "reason": reason, "modified": timezone.now()}
    BidsVerdict.objects.filter(pk=job.subject).update(**failed)


@job_handler(VALIDATE_JOB, deadline=timedelta(hours=2), queue=BULK, attempts=3, failed=_validation_failed)
def validate_tree(job: RunningJob) -> None:
    """Run the validator on the tree that is the job's subject, and keep its verdict."""
    found = _tree_with(job.row.subject)
    if found is None:
        # The draft that had it has changed meanwhile; what it has now is another job's.
        BidsVerdict.objects.filter(pk=job.row.subject, trees__isnull=True).delete()
        _validation_failed(job.row, "Its files have changed before they were validated.")
        return
    version, tree = found
    job.step("lay out", total=len(tree))
    with laid_out(version.dataset_id, tree, job.heartbeat.beat) as laid, tempfile.TemporaryDirectory() as space:
        job.step("validate")
        printed = run_validator(laid.folder, Path(space), job.heartbeat.beat)
        job.step("read the verdict")
        output = read_output(printed)
    _keep(job.row.subject, output)


def _tree_with(wanted: str) -> tuple[Version, list[TreeFile]] | None:
    """Return a version that has the tree with that hash now, and the tree; None if none has it any more."""
    for row in BidsTree.objects.filter(verdict_id=wanted).select_related("version__dataset"):
        tree = tree_of(row.version)
        if tree is not None and hash_of(tree) == wanted:
            return row.version, tree
    return None


def _keep(tree: str, output: Output) -> None:
    verdict = {
        "state": BidsVerdict.State.DONE,
        "reason": "",
        "validator": validator_version(),
        "errors": output.errors,
        "warnings": output.warnings,
        "issues": output.issues,
        "codes": output.codes,
        "code_messages": output.code_messages,
        "summary": output.summary,
        "modified": timezone.now(),
    }
    BidsVerdict.objects.filter(pk=tree).update(**verdict)
