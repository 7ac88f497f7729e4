"""Composing a version's metadata: what its owner said, and what the archive knows. Registering DOIs."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from archive.addresses import dataset_page, draft_assets
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import find_draft, valid_open_versions
from archive.errors import BusyError, NotFoundError
from archive.identifiers.datacite import delete_draft_doi, register_doi
from archive.identifiers.names import concept_doi_name, registers_dois
from archive.metadata.datacite import concept_attributes, version_attributes
from archive.metadata.documents import VersionFacts, version_metadata
from archive.timeline.models import Job
from archive.timeline.services import hold, start_job
from archive.timeline.work.jobs import RunningJob, job_handler

DOI_JOB = "doi"
DOI_DELETION_JOB = "doi_deletion"
CONCEPT_DOI_JOB = "concept_doi"
# DataCite may be away for long, or refuse the account until somebody corrects it; giving up early helps nobody.
DOI_DEADLINE = timedelta(days=30)


DraftHook = Callable[[Version], None]
_DRAFT_HOOKS: list[DraftHook] = []


def draft_hook(hook: DraftHook) -> DraftHook:
    """Register a function that is called with each draft whose name or metadata change, in the same transaction.

    For what has to be true as soon as the change is; what may take its time is a projection.
    """
    _DRAFT_HOOKS.append(hook)
    return hook


def run_draft_hooks(draft: Version) -> None:
    """Call all draft hooks with a draft whose name or metadata have changed."""
    for hook in _DRAFT_HOOKS:
        hook(draft)


def hold_draft(dataset: Dataset) -> Version:
    """Return the draft, its dataset with it, locked: other writers wait until the caller's transaction ends.

    NotFoundError if the dataset was deleted while this one waited.
    """
    hold(dataset.number)
    draft = find_draft(dataset.number)
    if draft is None:
        raise NotFoundError
    return draft


def version_facts(version: Version, submitted: dict[str, Any], **known: Any) -> VersionFacts:
    """Return the facts that a version's metadata are composed of; `known` overrides the row, as with `summary`."""
    facts: dict[str, Any] = {
        "number": version.dataset_id,
        "version": version.version,
        "name": version.name,
        "submitted": submitted,
        "created": version.dataset.created,
        "access": version.dataset.access,
        "embargoed_until": version.dataset.embargo_end,
        "summary": version.metadata.get("assetsSummary"),
        "doi": version.doi,
        "manifest_urls": draft_manifest_location(version.dataset_id),
        "now": timezone.now(),
    }
    return VersionFacts(**{**facts, **known})


def computed_metadata(version: Version, submitted: dict[str, Any]) -> dict[str, Any]:
    """Return the full metadata of a version, from what was submitted."""
    return version_metadata(version_facts(version, submitted))


def draft_manifest_location(number: int) -> list[str]:
    """Return the `manifestLocation` of a draft: the address of the API that lists its assets, since they change."""
    return [draft_assets(number)]


# --- DOIs -------------------------------------------------------------------------------------------------------------


def request_doi(version: Version) -> None:
    """Have the DOI of a published version registered, if this archive registers any. In the caller's transaction."""
    if not registers_dois() or not version.doi:
        return
    state = {"doi_state": Version.DoiState.PENDING, "doi_reason": ""}
    Version.objects.filter(pk=version.pk).update(**state)
    start_job(DOI_JOB, subject=str(version.pk), dataset_id=version.dataset_id, arguments={"doi": version.doi})


def withdraw_doi(version: Version) -> None:
    """Have DataCite forget the DOI of a version that is withdrawn, if it is a draft. In the caller's transaction."""
    if registers_dois() and version.doi:
        start_job(DOI_DELETION_JOB, subject=version.doi, dataset_id=version.dataset_id)


def _doi_failed(job: Job, reason: str) -> None:
    Version.objects.filter(pk=job.subject).update(doi_state=Version.DoiState.FAILED, doi_reason=reason)


@job_handler(DOI_JOB, deadline=DOI_DEADLINE, failed=_doi_failed)
def register_version_doi(job: RunningJob) -> None:
    """Register the DOI of the version that is the job's subject; delete it if the version was withdrawn meanwhile."""
    version = Version.objects.filter(pk=job.row.subject).first()
    if version is None:
        delete_draft_doi(job.row.arguments["doi"])
        return
    concept = concept_doi_name(version.dataset_id) if settings.DATACITE_CONCEPT_DOIS else ""
    attributes = version_attributes(version.metadata, is_findable=settings.DATACITE_PUBLISH, concept=concept)
    job.step("register")
    try:
        register_doi(attributes)
    except BusyError as busy:
        Version.objects.filter(pk=version.pk).update(doi_reason=busy.message)
        raise
    state = {"doi_state": Version.DoiState.REGISTERED, "doi_reason": ""}
    if not Version.objects.filter(pk=version.pk).update(**state):
        delete_draft_doi(attributes["doi"])
    if concept:
        start_job(CONCEPT_DOI_JOB, subject=str(version.dataset_id), dataset_id=version.dataset_id)


@job_handler(DOI_DELETION_JOB, deadline=DOI_DEADLINE)
def delete_version_doi(job: RunningJob) -> None:
    """Delete the DOI that is the job's subject, if it is a draft, and no version's."""
    if not Version.objects.filter(doi=job.row.subject).exists():
        delete_draft_doi(job.row.subject)
    if settings.DATACITE_CONCEPT_DOIS and job.row.dataset_id is not None:
        start_job(CONCEPT_DOI_JOB, subject=str(job.row.dataset_id), dataset_id=job.row.dataset_id)


@job_handler(CONCEPT_DOI_JOB, deadline=DOI_DEADLINE)
def register_concept_doi(job: RunningJob) -> None:
    """Update the DOI of the dataset that is the job's subject: the metadata of its newest version, and links to all."""
    number = int(job.row.subject)
    doi = concept_doi_name(number)
    published = valid_open_versions().filter(dataset=number, doi__isnull=False).order_by("-at")
    newest = published.first()
    if newest is None:
        delete_draft_doi(doi)
        return
    register_doi(
        concept_attributes(
            newest.metadata,
            doi=doi,
            url=dataset_page(number),
            versions=[name for name in published.values_list("doi", flat=True) if name],
            is_findable=settings.DATACITE_PUBLISH,
        )
    )
