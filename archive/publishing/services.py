"""Publishing: a version is a point on the timeline, so asking for one writes one row and moves nothing."""

from django.db import transaction
from django.utils import timezone

from archive.accounts.policy import Action, Actor, require
from archive.assets.models import Asset
from archive.datasets.models import Dataset, Version
from archive.errors import ConflictError, InvalidError, LockedError
from archive.identifiers.queries import next_version_name
from archive.publishing.queries import has_unsettled_assets
from archive.publishing.work import PUBLISH_JOB
from archive.timeline.models import Change, Job
from archive.timeline.services import append, hold, start_job

MAX_RELEASE_NOTES = 5000


def publish(*, actor: Actor, dataset: Dataset, release_notes: str = "") -> Job:
    """Publish the draft as it is now; returns the job that finishes it.

    The version's point is fixed here and now: what is edited from now on is not in it. Raises LockedError while a
    publish is under way, ConflictError while the draft is not validated yet, InvalidError when it is not valid or
    nothing has changed since the last version.
    """
    require(actor, Action.PUBLISH, dataset, message="Action not allowed")
    if dataset.access != Dataset.Access.OPEN:
        raise InvalidError("Operation only allowed on OPEN dandisets")
    if len(release_notes) > MAX_RELEASE_NOTES:
        raise InvalidError(f"At most {MAX_RELEASE_NOTES} characters.", field="release_notes")
    with transaction.atomic():
        hold(dataset.number)
        draft = Version.objects.get(dataset=dataset, version=Version.DRAFT)
        _refuse_unpublishable(dataset, draft)
        taken = set(dataset.versions.values_list("version", flat=True))
        name = next_version_name(timezone.now(), taken)
        change = append(dataset.number, Change.Kind.PUBLISH, actor, {"version": name})
        version = Version.objects.create(
            dataset=dataset,
            version=name,
            at=change.number,
            name=draft.name,
            metadata=draft.metadata,
            status=Version.Status.PUBLISHING,
            release_notes=release_notes,
            file_count=draft.file_count,
            size=draft.size,
        )
        Version.objects.filter(pk=draft.pk).update(status=Version.Status.PUBLISHING)
        return start_job(PUBLISH_JOB, subject=str(version.pk), dataset_id=dataset.number, author=actor)


def _refuse_unpublishable(dataset: Dataset, draft: Version) -> None:
    status = Version.Status
    if draft.status == status.PUBLISHING:
        raise LockedError("Dandiset is currently being published")
    if draft.status == status.PUBLISHED:
        raise InvalidError("There have been no changes to the draft version since the last publish.")
    if draft.status == status.PENDING or has_unsettled_assets(dataset, Asset.Status.PENDING):
        raise ConflictError("Metadata validation is pending for this dandiset, please try again later.")
    if draft.status == status.VALIDATING:
        raise ConflictError("Dandiset is currently being validated")
    if draft.status != status.VALID or has_unsettled_assets(dataset, Asset.Status.INVALID):
        raise InvalidError("Dandiset metadata or asset metadata is not valid")
