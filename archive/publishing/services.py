"""Publishing: a version is a point on the timeline, so asking for one writes one row and moves nothing.

Releasing from an embargo: one row as well.
"""

from django.db import transaction
from django.utils import timezone

from archive.accounts.policy import Action, Actor, require
from archive.blobs.queries import active_uploads
from archive.datasets.models import Dataset, Version
from archive.datasets.services import hold_draft
from archive.errors import InvalidError
from archive.identifiers.queries import next_version_name
from archive.publishing.queries import require_publishable
from archive.publishing.work import PUBLISH_JOB, begin_release
from archive.timeline.models import Change, Job
from archive.timeline.queries import find_open_job
from archive.timeline.services import append, start_job

MAX_RELEASE_NOTES = 5000


def publish(*, actor: Actor, dataset: Dataset, release_notes: str = "") -> Job:
    """Publish the draft as it is now; returns the job that finishes it.

    The version's point is fixed here and now: what is edited from now on is not in it. Raises LockedError while a
    publish is under way, ConflictError while the draft is not validated yet, InvalidError when it is not valid or
    nothing has changed since the last version.
    """
    require(actor, Action.PUBLISH, dataset, message="Action not allowed")
    if len(release_notes) > MAX_RELEASE_NOTES:
        raise InvalidError(f"At most {MAX_RELEASE_NOTES} characters.", field="release_notes")
    with transaction.atomic():
        draft = hold_draft(dataset)
        require_publishable(draft)
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
        start_job(PUBLISH_JOB, subject=str(version.pk), dataset_id=dataset.number, author=actor)
        return find_open_job(PUBLISH_JOB, str(version.pk))


def release(*, actor: Actor, dataset: Dataset) -> None:
    """End the dataset's embargo: everybody may read it when this returns, and its objects become open in time.

    Raises InvalidError, in the words of contract 1.4, when it is not embargoed, or uploads for it are under way.
    """
    require(actor, Action.RELEASE, dataset)
    with transaction.atomic():
        if hold_draft(dataset).dataset.access != Dataset.Access.EMBARGOED:
            raise InvalidError("Dandiset not embargoed")
        if active_uploads(dataset):
            raise InvalidError("Dandiset unembargo not allowed with active uploads")
        begin_release(dataset.number, actor)
