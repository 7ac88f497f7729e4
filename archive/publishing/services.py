"""Publishing: a version is a point on the timeline, so asking for one writes one row and moves nothing."""

from django.db import transaction
from django.db.models import Max, Q
from django.utils import timezone

from archive.accounts.policy import Action, Actor, require
from archive.assets.models import Asset
from archive.assets.queries import live_assets
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import withdrawals_of_versions
from archive.datasets.services import require_published_version
from archive.datasets.work import hold_draft
from archive.embargo.work import OPENED_JOB, RELEASE_JOB
from archive.errors import ConflictError, InvalidError
from archive.identifiers.names import check_label, next_version_name, version_reference
from archive.publishing.queries import draft_summary, require_idle, require_publishable
from archive.publishing.rules import RULES
from archive.publishing.work import MANIFEST_JOB, PUBLISH_JOB, close_manifests, publishing_failure
from archive.timeline import services as timeline
from archive.timeline.models import Change, Job
from archive.timeline.queries import find_open_job
from archive.timeline.services import append, follow_newest_again, hold, start_job

MAX_RELEASE_NOTES = 5000


def publish(
    *,
    actor: Actor,
    dataset: Dataset,
    release_notes: str = "",
    label: str | None = None,
    rules: Version.Rules = Version.Rules.DANDI,
) -> Job:
    """Make a version of the draft as it is now; returns the job that finishes it.

    The version's point is fixed here and now: what is edited from now on is not in it. It is held to the `rules`.
    Raises LockedError while another version is made, and InvalidError for a label that cannot be, or is taken. By
    DANDI's rules a draft is refused as by `require_publishable`; others take any, of a dataset that is closed too.
    """
    require(actor, Action.PUBLISH, dataset)
    if len(release_notes) > MAX_RELEASE_NOTES:
        raise InvalidError(f"At most {MAX_RELEASE_NOTES} characters.", field="release_notes")
    if label is not None:
        check_label(label)
    with transaction.atomic():
        draft = hold_draft(dataset)
        require_publishable(draft) if RULES[rules].needs_publishable else require_idle(draft)
        _require_free(dataset, label)
        version = _begin_version(actor, draft, label=label, rules=rules, release_notes=release_notes)
        start_job(
            PUBLISH_JOB,
            subject=str(version.pk),
            dataset_id=dataset.number,
            author=actor,
            arguments={"release_notes": release_notes, "label": label, "rules": str(rules)},
        )
        return find_open_job(PUBLISH_JOB, str(version.pk))


def _require_free(dataset: Dataset, label: str | None) -> None:
    """Raise InvalidError if another version answers to a label, in whatever case, or one that was withdrawn did."""
    if label is None:
        return
    named, was_named = Q(label__iexact=label), Q(details__label__iexact=label)
    if (ordinal := version_reference(label).ordinal) is not None:
        named, was_named = named | Q(ordinal=ordinal), was_named | Q(details__ordinal=ordinal)
    if dataset.versions.filter(named).exists():
        raise InvalidError(f"The dataset has a version {label!r} already.", field="label")
    if withdrawals_of_versions(dataset).filter(was_named).exists():
        raise InvalidError(f"The dataset had a version {label!r}, which was withdrawn.", field="label")


def _begin_version(
    actor: Actor, draft: Version, *, label: str | None, rules: Version.Rules, release_notes: str
) -> Version:
    """Fix the point of a version of the draft, in the transaction that holds it."""
    dataset = draft.dataset
    withdrawn = withdrawals_of_versions(dataset).values_list("details__version", flat=True)
    name = next_version_name(timezone.now(), {*dataset.versions.values_list("version", flat=True), *withdrawn})
    labelled = {"label": label, "rules": str(rules)} if label or rules != Version.Rules.DANDI else {}
    change = append(dataset.number, Change.Kind.PUBLISH, actor, {"version": name, **labelled})
    if rules == Version.Rules.DANDI:
        Version.objects.filter(pk=draft.pk).update(status=Version.Status.PUBLISHING)
    return Version.objects.create(
        dataset=dataset,
        version=name,
        label=label,
        ordinal=_ordinal_after_withdrawn(dataset),
        rules=rules,
        at=change.number,
        name=draft.name,
        metadata={**draft.metadata, "assetsSummary": draft_summary(draft)},
        status=Version.Status.PUBLISHING,
        release_notes=release_notes,
        file_count=draft.file_count,
        size=draft.size,
    )


def _ordinal_after_withdrawn(dataset: Dataset) -> int | None:
    """Return the next ordinal of a dataset of which versions were withdrawn; of others None: Postgres counts."""
    withdrawn = [
        ordinal or 0 for ordinal in withdrawals_of_versions(dataset).values_list("details__ordinal", flat=True)
    ]
    if not withdrawn:
        return None
    newest = dataset.versions.aggregate(ordinal=Max("ordinal"))["ordinal"] or 0
    return max(newest, *withdrawn) + 1


def set_version_access(*, actor: Actor, version: Version, is_closed: bool) -> Version:
    """Close a version to all but those inside its dataset, or open it again to whoever may read that; returns it.

    Its name, metadata, lists of files, tag and manifests, and what search finds of it, are closed when this returns.
    Who knows the id of a file of an open dataset, or has a commit in a clone, has it still.
    """
    require(actor, Action.CHANGE_VERSION_ACCESS, version.dataset)
    require_published_version(version)
    _check_openable(version, is_closed=is_closed)
    number = version.dataset_id
    with transaction.atomic():
        hold(number)
        changed = Version.objects.filter(pk=version.pk, is_closed=not is_closed)
        if changed.exclude(status=Version.Status.PUBLISHING).update(is_closed=is_closed):
            kind = Change.Kind.CLOSE_VERSION if is_closed else Change.Kind.OPEN_VERSION
            append(number, kind, actor, {"version": version.version})
            if is_closed:
                close_manifests(version)
            is_opened = not is_closed and Dataset.objects.filter(pk=number, access=Dataset.Access.OPEN).exists()
            start_job(OPENED_JOB if is_opened else MANIFEST_JOB, subject=str(version.pk), dataset_id=number)
    return Version.objects.select_related("dataset").get(pk=version.pk)


def _check_openable(version: Version, *, is_closed: bool) -> None:
    """Raise InvalidError if a version is to be opened that shows what a release has left closed by starting anew."""
    released = version.dataset.released
    if not is_closed and released and version.at is not None and version.at < released:
        raise InvalidError(
            "The version was made before the dataset was released, which started a new history: it stays closed."
        )


def revalidate(*, dataset: Dataset, assets: bool = True) -> None:
    """Have the draft validated again, and its assets too unless told otherwise: the rules may have changed.

    A draft that is being published, or is as it was published, is left as it is.
    """
    settled = [Version.Status.VALID, Version.Status.INVALID]
    with transaction.atomic():
        hold(dataset.number)
        draft = dataset.versions.filter(version=Version.DRAFT, status__in=settled)
        if not draft.exists():
            return
        if assets:
            live = live_assets(dataset)
            live.exclude(status=Asset.Status.PENDING).update(status=Asset.Status.PENDING)
        draft.update(status=Version.Status.PENDING)
        follow_newest_again(dataset.number, "validation")


def rewrite_manifests(*, version: Version) -> None:
    """Have the manifests of a version written again; those of a draft, once it has been quiet for a while."""
    with transaction.atomic():
        if version.is_draft:
            follow_newest_again(version.dataset_id, "manifest")
        else:
            start_job(MANIFEST_JOB, subject=str(version.pk), dataset_id=version.dataset_id)


def cancel_job(*, actor: Actor, job: Job) -> Job:
    """End a job before it is done; what waited for it is told, as of a failure. ConflictError if it has ended."""
    require(actor, _steering(job), _dataset_of(job))
    if not timeline.stop_job(job, actor):
        raise ConflictError("The job has ended already.")
    return Job.objects.get(pk=job.pk)


def retry_job(*, actor: Actor, job: Job) -> Job:
    """Try again what has failed or was cancelled; returns the job that does so, which may be another.

    A publish left nothing behind, so it begins anew, with the draft as it is now. Raises ConflictError for a job that
    is open or succeeded, or whose work is being done otherwise.
    """
    dataset = _dataset_of(job)
    require(actor, _steering(job), dataset)
    if job.kind == PUBLISH_JOB and dataset is not None:
        return _publish_again(actor, dataset, job)
    if not timeline.reopen_job(job, actor):
        raise ConflictError("Only a job that failed or was cancelled, and that nobody does otherwise, is tried again.")
    return Job.objects.get(pk=job.pk)


def _steering(job: Job) -> Action:
    """Return what it takes to cancel or retry a job: what follows a release is for who may release."""
    return Action.RELEASE if job.kind in {RELEASE_JOB, OPENED_JOB} else Action.STEER_WORK


def _dataset_of(job: Job) -> Dataset | None:
    return Dataset.objects.filter(number=job.dataset_id).first() if job.dataset_id is not None else None


def _publish_again(actor: Actor, dataset: Dataset, job: Job) -> Job:
    newer = Job.objects.filter(kind=PUBLISH_JOB, dataset_id=dataset.pk, created__gt=job.created)
    if job.state not in Job.UNDONE or newer.exists():
        raise ConflictError("Only the newest attempt to publish, if it failed or was cancelled, is made again.")
    with transaction.atomic():
        hold(dataset.number)
        failed = dataset.versions.filter(version=Version.DRAFT, status=Version.Status.INVALID)
        failed.filter(problems=publishing_failure(job.reason)).update(status=Version.Status.VALID, problems=[])
        return publish(
            actor=actor,
            dataset=dataset,
            release_notes=job.arguments.get("release_notes", ""),
            label=job.arguments.get("label"),
            rules=Version.Rules(job.arguments.get("rules", Version.Rules.DANDI)),
        )
