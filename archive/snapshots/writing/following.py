"""Following a dataset with its repository: writing what is planned, keeping it in the store, recording it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from uuid import uuid4

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from archive.assets.models import Asset
from archive.datasets.models import Dataset
from archive.paths import ancestors
from archive.snapshots.keeping.bundles import make_bundle, store_bundle
from archive.snapshots.keeping.cache import opened, scratch, take_in, workspace
from archive.snapshots.keeping.exports import export
from archive.snapshots.keeping.git import Beat
from archive.snapshots.keeping.recording import MovedError, Progress, latest_left_out, merge_bundles, record, update
from archive.snapshots.models import Bundle, Commit, Repository
from archive.snapshots.writing.delta import Delta, Placed, Point
from archive.snapshots.writing.plans import Horizon, first_plan, plans, version_points
from archive.snapshots.writing.pushed import keys_of_pushed_commit
from archive.snapshots.writing.writer import COMMITS_AT_ONCE, Plan, Writer
from archive.timeline.models import Change

MAX_BUNDLES = 30
UNFIT_SHOWN = 20


def begin(dataset: Dataset, beat: Beat) -> Repository:
    """Return the repository of the dataset, which has a first commit from now on, if it had none."""
    repository = begun(dataset)
    if repository.main or not repository.begins_before_assets:
        return repository
    try:
        return _write(repository, [first_plan(repository)], beat)
    except MovedError:
        return Repository.objects.select_related("dataset").get(pk=dataset.pk)


def follow(repository: Repository, horizon: Horizon, beat: Beat) -> None:
    """Write a repository as far as can be seen, and keep in the store what was written."""
    repository = _tell_of_pushes(repository, beat)
    if repository.dataset.is_released and not repository.tells_urls:
        repository = _tell_urls(repository, beat)
    while batch := list(islice(plans(repository, horizon, beat), COMMITS_AT_ONCE)):
        repository = _write(repository, batch, beat)
    behind = Repository.objects.filter(pk=repository.pk, at__lt=horizon.reach, history=repository.history)
    behind.update(at=horizon.reach)
    if Bundle.objects.filter(repository=repository).count() > MAX_BUNDLES:
        merge_bundles(repository, beat)
    if repository.dataset.is_released:
        export(repository, beat)


def begun(dataset: Dataset) -> Repository:
    """Return the repository of the dataset, in the history that its release, or its creation, began."""
    with transaction.atomic():
        Repository.objects.get_or_create(dataset=dataset)
        repository = Repository.objects.select_for_update(of=["self"]).select_related("dataset").get(dataset=dataset)
        is_stale = repository.released != repository.dataset.released
        if repository.text_names is not None and not is_stale:
            return repository
        if is_stale:
            repository.commits.all().delete()
            repository.bundles.all().delete()
            repository.annex_pushes.all().delete()
            repository.history += 1
        repository.released = repository.dataset.released
        repository.at = _before_history(repository)
        repository.main = repository.annex = ""
        repository.unfit, repository.exported = [], []
        repository.tells_urls = repository.dataset.is_released
        repository.text_names, repository.text_bytes = settings.SNAPSHOT_TEXT_NAMES, settings.SNAPSHOT_TEXT_BYTES
        repository.special_remote = settings.ANNEX_SPECIAL_REMOTE
        repository.datalad_id = repository.datalad_id or uuid4()
        repository.save()
    return repository


def _before_history(repository: Repository) -> int:
    """Return the last change that is not of this history; an older dataset may have had the same number."""
    if repository.released:
        return repository.released - 1
    creations = Change.objects.filter(dataset_id=repository.dataset_id, kind=Change.Kind.CREATE_DATASET)
    return creations.order_by("-number").values_list("number", flat=True).first() or 0


def _still_unfit(repository: Repository, found: Sequence[str]) -> list[str]:
    """Return, of the paths that git cannot have, the first that the draft still has."""
    live = Asset.objects.filter(dataset=repository.dataset_id).live()
    above = {path: {path, *ancestors(path)} for path in dict.fromkeys(found)}
    there = set(live.filter(path__in=set().union(*above.values())).values_list("path", flat=True)) if above else set()
    return [path for path, assets in above.items() if assets & there][:UNFIT_SHOWN]


def _write(repository: Repository, batch: Sequence[Plan], beat: Beat) -> Repository:
    """Write the planned commits, and return the repository as it then is."""
    at = batch[-1].until.at
    with _writing(repository, beat) as (writer, keep):
        commits = writer.write(batch)
        return keep(commits, at) if commits else update(repository, at=at)


def _tell_of_pushes(repository: Repository, beat: Beat) -> Repository:
    """Write into `git-annex` the pushed commits it lacks, and return the repository as it then is."""
    for commit in repository.commits.filter(annex="").order_by("pk"):
        with _writing(repository, beat) as (writer, keep):
            writer.tell(keys_of_pushed_commit(writer.folder, commit, is_public=writer.is_public), commit.recorded)
            commit.annex = writer.annex
            if writer.annex == repository.annex:
                # It brought nothing but files that are in git itself.
                commit.save(update_fields=["annex"])
                continue
            repository = keep([commit], repository.at)
    return repository


def _tell_urls(repository: Repository, beat: Beat) -> Repository:
    """Let `git-annex` tell where the files of the draft and of all versions are, now that anybody may read them."""
    if repository.main:
        with _writing(repository, beat) as (writer, keep):
            writer.tell(_annexed_files(repository, writer, beat), timezone.now())
            # Files may all be in git itself: then there is nothing to tell.
            if writer.annex != repository.annex:
                repository = keep([], repository.at)
    Repository.objects.filter(pk=repository.pk, history=repository.history).update(tells_urls=True)
    return repository


def _annexed_files(repository: Repository, writer: Writer, beat: Beat) -> Iterator[Placed]:
    """Yield the annexed files of the versions, the oldest first, and then of the draft: each as it comes."""
    since: Point | None = None
    left_out = frozenset(latest_left_out(repository))
    for at in [*version_points(repository.dataset_id, until=repository.at), repository.at]:
        until = Point(at, left_out)
        delta = Delta(repository.dataset_id, repository.rules, since, until, writer.is_public, beat)
        yield from (step for step in delta.steps() if isinstance(step, Placed) and not step.text)
        since = until


Keep = Callable[[Sequence[Commit], int], Repository]


@contextmanager
def _writing(repository: Repository, beat: Beat) -> Iterator[tuple[Writer, Keep]]:
    """Yield what writes on top of the repository, and the function that keeps and records what was written."""
    is_public = repository.dataset.is_released
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
