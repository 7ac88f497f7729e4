"""Following a dataset with its repository: writing commits, keeping them in the store, recording where branches are."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from archive.accounts.policy import RELEASED
from archive.assets.models import Asset
from archive.datasets.models import Dataset
from archive.errors import BusyError
from archive.paths import ancestors
from archive.snapshots.keeping.bundles import DamagedError, StoredBundle, make_bundle, store_bundle
from archive.snapshots.keeping.cache import forget, opened, scratch, take_in, workspace
from archive.snapshots.keeping.exports import export, sweep_exports
from archive.snapshots.keeping.git import Beat, GitError, new_repository
from archive.snapshots.models import BUNDLES, Bundle, Commit, Repository
from archive.snapshots.queries import PROJECTION, repositories_to_check
from archive.snapshots.writing.checks import find_fault
from archive.snapshots.writing.plans import Outlook, look_ahead, plans
from archive.snapshots.writing.pushed import pushed_keys
from archive.snapshots.writing.rewriting import RewriteError, rewrite
from archive.snapshots.writing.writer import Plan, Writer
from archive.storage.queries import list_objects
from archive.storage.services import delete
from archive.timeline.errors import NotYetError
from archive.timeline.models import Change
from archive.timeline.services import start_job
from archive.timeline.work import BULK, RunningJob, Span, job_handler, projection

# So many commits are written, kept and recorded together.
COMMITS_AT_ONCE = 1000
MAX_BUNDLES = 30
UNFIT_SHOWN = 20
CHECK_JOB = "check_repository"
# A bundle is recorded when it is in the store, unless whoever put it there dies; and one that has been merged with
# others may just be read.
BUNDLE_GRACE = timedelta(days=2)
# The end of a checksum brings no nudge here: the sweep asks again.
WAITING_SECONDS = 5.0
LEFT_OUT_SECONDS = 600.0


class MovedError(Exception):
    """Somebody else has moved a repository's branches meanwhile; what was written upon them is for nothing."""


@projection(PROJECTION, queue=BULK, prompt=False)
def write_repository(span: Span) -> None:
    """Bring a dataset's repository along; a file waits for its SHA-256, and all that came after it with it."""
    dataset = Dataset.objects.filter(pk=span.dataset_id).first()
    if dataset is None:
        return
    repository = begun(dataset)
    outlook = look_ahead(repository, span.target)
    try:
        _follow(repository, outlook, span.heartbeat.beat)
    except MovedError:
        raise NotYetError("Somebody else has moved the branches.", retry_after=1) from None
    except DamagedError as damaged:
        start_job(CHECK_JOB, subject=str(dataset.number))
        raise NotYetError(f"{damaged} It is being restored.") from damaged
    except BusyError as busy:
        raise NotYetError(busy.message, retry_after=busy.retry_after) from busy
    if outlook.reason:
        raise NotYetError(
            outlook.reason, retry_after=WAITING_SECONDS if outlook.reach < span.target else LEFT_OUT_SECONDS
        )


def _follow(repository: Repository, outlook: Outlook, beat: Beat) -> None:
    """Bring a repository as far as can be seen."""
    repository = _tell_of_pushes(repository, beat)
    while batch := list(islice(plans(repository, outlook, beat), COMMITS_AT_ONCE)):
        repository = _write(repository, batch, beat)
    behind = Repository.objects.filter(pk=repository.pk, at__lt=outlook.reach, history=repository.history)
    behind.update(at=outlook.reach)
    if Bundle.objects.filter(repository=repository).count() > MAX_BUNDLES:
        merge_bundles(repository, beat)
    if repository.dataset.access in RELEASED:
        export(repository, beat)


def begun(dataset: Dataset) -> Repository:
    """The repository of the dataset, in the history that its release, or its creation, began."""
    with transaction.atomic():
        Repository.objects.get_or_create(dataset=dataset)
        repository = Repository.objects.select_for_update(of=["self"]).select_related("dataset").get(dataset=dataset)
        is_stale = repository.released != repository.dataset.released
        if repository.text_names is not None and not is_stale:
            return repository
        if is_stale:
            repository.commits.all().delete()
            repository.bundles.all().delete()
            repository.history += 1
        repository.released = repository.dataset.released
        repository.at = _before_history(repository)
        repository.main = repository.annex = ""
        repository.unfit, repository.exported = [], []
        repository.text_names, repository.text_bytes = settings.SNAPSHOT_TEXT_NAMES, settings.SNAPSHOT_TEXT_BYTES
        repository.save()
    return repository


def _before_history(repository: Repository) -> int:
    """The last change that is not of this history: numbers are given again, and so may an older dataset's be there."""
    if repository.released is not None:
        return repository.released - 1
    creations = Change.objects.filter(dataset_id=repository.dataset_id, kind=Change.Kind.CREATE_DATASET)
    return creations.order_by("-number").values_list("number", flat=True).first() or 0


def _still_unfit(repository: Repository, found: Sequence[str]) -> list[str]:
    """Of the paths that git cannot have, the first that the draft still has."""
    live = Asset.objects.filter(dataset=repository.dataset_id).live()
    above = {path: {path, *ancestors(path)} for path in dict.fromkeys(found)}
    there = set(live.filter(path__in=set().union(*above.values())).values_list("path", flat=True)) if above else set()
    return [path for path, assets in above.items() if assets & there][:UNFIT_SHOWN]


@dataclass(frozen=True)
class Progress:
    """What a repository has come to: new commits, and the bundle that holds them."""

    commits: Sequence[Commit]
    stored: StoredBundle
    at: int
    main: str
    annex: str
    unfit: Sequence[str]


def _write(repository: Repository, batch: Sequence[Plan], beat: Beat) -> Repository:
    """Write the planned commits, and return the repository as it then is."""
    at = batch[-1].until.at
    with _writing(repository, beat) as (writer, keep):
        commits = writer.write(batch)
        return keep(commits, at) if commits else _record(repository, at=at)


def _tell_of_pushes(repository: Repository, beat: Beat) -> Repository:
    """Let `git-annex` tell of the pushed commits that it does not tell of yet, and return the repository as it is."""
    for commit in repository.commits.filter(annex="").order_by("pk"):
        with _writing(repository, beat) as (writer, keep):
            writer.tell(pushed_keys(writer.folder, commit, is_public=writer.is_public), commit.recorded)
            commit.annex = writer.annex
            if writer.annex == repository.annex:
                # It brought nothing but files that are in git itself.
                commit.save(update_fields=["annex"])
                continue
            repository = keep([commit], repository.at)
    return repository


Keep = Callable[[Sequence[Commit], int], Repository]


@contextmanager
def _writing(repository: Repository, beat: Beat) -> Iterator[tuple[Writer, Keep]]:
    """What writes on top of the repository, and what then keeps and records that: commits, and how far they go."""
    is_public = repository.dataset.access != Dataset.Access.EMBARGOED
    with opened(repository, beat) as base, workspace(base) as space, scratch() as folder:
        writer = Writer(repository, space, beat, is_public, repository.main, repository.annex)

        def keep(commits: Sequence[Commit], at: int) -> Repository:
            file = folder / "bundle"
            tips = {"main": writer.main, "annex": writer.annex}
            make_bundle(file, folder=space, without=[repository.main, repository.annex], beat=beat, **tips)
            stored = store_bundle(file, beat)
            unfit = _still_unfit(repository, [*repository.unfit, *writer.unfit])
            written = record(repository, Progress(commits, stored, at, **tips, unfit=unfit))
            take_in(base, file, beat)
            return written

        yield writer, keep


def record(before: Repository, progress: Progress) -> Repository:
    """Move the repository's branches to what is in the store, if they are still where they were `before`.

    Raises MovedError if they are not.
    """
    with transaction.atomic():
        written = _record(before, at=progress.at, main=progress.main, annex=progress.annex, unfit=list(progress.unfit))
        for commit in progress.commits:
            commit.save()
        Bundle.objects.create(
            repository=written, at=progress.at, main=progress.main, annex=progress.annex, **progress.stored._asdict()
        )
    return written


def _record(before: Repository, **updates: object) -> Repository:
    same = Repository.objects.filter(
        pk=before.pk, history=before.history, at=before.at, main=before.main, annex=before.annex
    )
    if not same.update(**updates):
        raise MovedError
    return Repository.objects.select_related("dataset").get(pk=before.pk)


def latest_left_out(repository: Repository) -> list[int]:
    """The assets that the newest commit of `main` lacks, because their SHA-256 could not be computed."""
    newest = repository.commits.order_by("pk").last()
    return newest.left_out if newest else []


def merge_bundles(repository: Repository, beat: Beat) -> None:
    """Put one bundle in the place of all that a repository has. The sweep removes those, when nobody reads them."""
    bundles = list(Bundle.objects.filter(repository=repository).order_by("pk"))
    newest = bundles[-1]
    with opened(repository, beat) as base, workspace(base) as space, scratch() as folder:
        file = folder / "bundle"
        make_bundle(file, folder=space, main=newest.main, annex=newest.annex, without=[], beat=beat)
        replace_bundles(repository, bundles, store_bundle(file, beat))


def replace_bundles(repository: Repository, old: Sequence[Bundle], stored: StoredBundle) -> None:
    """Put a stored bundle, which has all that the `old` ones have, in their place; MovedError if somebody has."""
    newest = old[-1]
    with transaction.atomic():
        Repository.objects.select_for_update().filter(pk=repository.pk, history=repository.history).first()
        merged = Bundle.objects.filter(pk__in=[bundle.pk for bundle in old])
        if merged.delete()[0] != len(old):
            raise MovedError
        # It keeps its place before those that were added meanwhile.
        Bundle.objects.create(
            pk=newest.pk,
            repository=repository,
            at=newest.at,
            main=newest.main,
            annex=newest.annex,
            **stored._asdict(),
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
    """Restore a repository from the rows; why that cannot be done, or nothing if it was."""
    try:
        restore(repository, beat)
    except (RewriteError, DamagedError, GitError, MovedError) as error:
        return f"{error} It cannot be restored."
    return ""


def restore(repository: Repository, beat: Beat) -> None:
    """Write a repository again, with the same commits, and let one new bundle take the place of those it has.

    Raises RewriteError, DamagedError or GitError if it cannot be done, and MovedError if the repository moves on
    meanwhile; nothing is changed then.
    """
    with scratch() as space:
        folder = new_repository(space / "repository.git")
        commits = rewrite(repository, folder, beat)
        if not commits:
            return
        main, annex = commits[-1].sha, commits[-1].annex
        make_bundle(space / "bundle", folder=folder, main=main, annex=annex, without=[], beat=beat)
        stored = store_bundle(space / "bundle", beat)
        with transaction.atomic():
            written = _record(repository, annex=annex, fault="")
            Commit.objects.bulk_update(commits, ["annex"], batch_size=COMMITS_AT_ONCE)
            written.bundles.all().delete()
            written.bundles.create(at=commits[-1].at, main=main, annex=annex, **stored._asdict())
    forget(repository)


def sweep_bundles() -> None:
    """Delete from the store the bundles that no row tells of, and that are too old to be told of yet."""
    sweep_exports()
    day = f"{BUNDLES}{datetime.now(UTC) - BUNDLE_GRACE:%Y-%m-%d}/"
    for page in list_objects(BUNDLES):
        old = [each.key for each in page if each.key < day]
        known = set(Bundle.objects.filter(key__in=old).values_list("key", flat=True))
        for key in sorted({*old} - known):
            delete(key)


def check_some() -> None:
    """Have those repositories checked that were not for longest."""
    for number in repositories_to_check():
        start_job(CHECK_JOB, subject=str(number))
