"""Judging a push, and making it true of the draft."""

from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from django.conf import settings
from django.db import transaction

from archive.accounts.policy import Actor
from archive.assets.collisions import case_collisions
from archive.assets.models import Asset
from archive.assets.queries import live_assets
from archive.assets.services import NewAsset, change_assets
from archive.blobs.models import Blob
from archive.blobs.queries import attachable_by_digest
from archive.blobs.services import keep_contents
from archive.datasets.models import Dataset
from archive.datasets.queries import require_not_releasing
from archive.datasets.work import hold_draft
from archive.errors import BusyError
from archive.git_annex.keys import AnnexKey
from archive.git_annex.refs import ANNEX, MAIN, SYNCED_ANNEX, SYNCED_MAIN, TAGS
from archive.metadata.documents import file_metadata
from archive.paths import printable
from archive.snapshots.keeping.git import Git
from archive.snapshots.keeping.recording import MovedError
from archive.snapshots.pushing.entries import Faults
from archive.snapshots.pushing.receiving import Command, Push, RefusedError
from archive.snapshots.pushing.trees import GitFile, Limits, TreeChanges, changes_in, unsafe_paths_in_history
from archive.snapshots.pushing.uniting import log_faults
from archive.timeline.models import Change

OF_MAIN = frozenset({MAIN, SYNCED_MAIN})
OF_ANNEX = frozenset({ANNEX, SYNCED_ANNEX})

BATCH = 2000
# How much of the pushed files is held in memory at a time, between git and the store.
BATCH_BYTES = 64 * 2**20
BATCH_FILES = 500

NOTHING_CHANGED = "Refused; nothing was changed."
FETCH_FIRST = "it leaves out what the archive has in it: fetch first, merge, and push again."


# --- What is pushed ---------------------------------------------------------------------------------------------------


class Wanted(NamedTuple):
    """The commits that the branches are to be at: "" for one that stays where it is."""

    main: str
    annex: str


def wanted_branches(push: Push, target: "Target") -> Wanted:
    """Return where the branches are to be. Raises RefusedError, with a line for each ref at fault."""
    faults = [f"{printable(each.ref)}: {fault}" for each in push.commands if (fault := _command_fault(each))]
    if not faults:
        faults = [*_main_faults(push, "" if MAIN in target.free else target.main), *_annex_faults(push)]
    if faults:
        raise RefusedError(*faults, NOTHING_CHANGED)
    return Wanted(_wanted(push, OF_MAIN, target.main), _wanted(push, OF_ANNEX, target.annex))


def _command_fault(command: Command) -> str | None:
    """Return why there is no such command; None if there is."""
    if command.deletes:
        return "it cannot be deleted."
    if command.ref.startswith(TAGS):
        return "tags are the published versions of the dataset, and made by publishing it."
    if command.ref not in OF_MAIN | OF_ANNEX:
        return "of branches, only main can be pushed, as in `git push origin HEAD:main`."
    return None


def _main_faults(push: Push, current: str) -> Iterator[str]:
    """Yield why `main`, which is at `current`, must not be where it is wanted."""
    commands = [each for each in push.commands if each.ref in OF_MAIN]
    for each in commands:
        is_known = each.ref == SYNCED_MAIN and _contains(push.git, current, each.new)
        if fault := _commit_fault(push.git, each.new, "" if is_known else current):
            yield f"{each.ref}: {fault}"
    if len({each.new for each in commands}) > 1:
        yield f"{MAIN} and {SYNCED_MAIN}: they are to be the same commit."


def _annex_faults(push: Push) -> Iterator[str]:
    """Yield why `git-annex` must not be where it is wanted: it must not leave out what the client was told is there.

    What else is there is united with it.
    """
    commands = [each for each in push.commands if each.ref in OF_ANNEX]
    for each in commands:
        if fault := _commit_fault(push.git, each.new, each.old if each.old.strip("0") else ""):
            yield f"{each.ref}: {fault}"
    if len({each.new for each in commands}) > 1:
        yield f"{ANNEX} and {SYNCED_ANNEX}: they are to be the same commit."


def _commit_fault(git: Git, new: str, required: str) -> str | None:
    """Return what is wrong with an object that a branch is to be at; it has to contain a commit, if one is given."""
    [info] = git.infos([new])
    if info.kind != "commit":
        return f"it is to be a commit, not a {info.kind}."
    return None if not required or _contains(git, new, required) else FETCH_FIRST


def _wanted(push: Push, names: Collection[str], current: str) -> str:
    new = next((each.new for each in push.commands if each.ref in names), "")
    return "" if not new or _contains(push.git, current, new) else new


def _contains(git: Git, commit: str, other: str) -> bool:
    """Return whether the history of a commit, if there is any, has the other one in it."""
    return bool(commit) and git.succeeds("merge-base", "--is-ancestor", other, commit)


# --- What it means for the draft --------------------------------------------------------------------------------------


class DraftChanges:
    """The changes of a pushed commit to the draft: the files to add and to remove, once no fault is found."""

    def __init__(self, actor: Actor, dataset: Dataset, git: Git, old: str, new: str) -> None:
        self.add: list[NewAsset] = []
        self.remove: set[str] = set()
        self._actor = actor
        self._dataset = dataset
        self._git = git
        self._old = old
        self._new = new

    def steps(self, own_files: Mapping[str, str]) -> Iterator[str]:
        """Judge the commit; yields what is to be said meanwhile. Raises RefusedError, with a line for each fault.

        What is in files of git is put into the store when no fault is found. `own_files` are the ids of the
        files that the archive itself puts into the tree, by their paths: those are no assets.
        """
        faults = Faults()
        changes = self._changes(faults)
        yield f"Files that came or changed: {len(changes.contents)}; that are gone: {len(changes.removed)}."
        self._leave_out_own(changes, own_files)
        for path, other in case_collisions(self._dataset.number, changes.contents, leaving=changes.removed).items():
            faults.add(path, f"some systems cannot tell it from {printable(other)!r}")
        blobs = self._known_blobs(changes, faults)
        _require_sound(faults)
        for batch in self._files(changes):
            blobs |= batch
            yield f"Kept {len(blobs)} of {len(changes.contents)} files."
        self._compare(changes, blobs)

    def _changes(self, faults: Faults) -> TreeChanges:
        for path in unsafe_paths_in_history(self._git, self._old or None, self._new):
            faults.add(path, "some systems take a name in it for another, such as .git; no commit is to have it")
        zarrs = live_assets(self._dataset).filter(zarr__isnull=False).values_list("path", flat=True)
        limits = Limits(changed_paths=settings.GIT_PUSH_MAX_FILES, file_size=settings.GIT_MAX_FILE_SIZE)
        return changes_in(self._git, self._old or None, self._new, zarr_paths=set(zarrs), limits=limits, faults=faults)

    def _known_blobs(self, changes: TreeChanges, faults: Faults) -> dict[str, Blob]:
        """Return the blob of each path that stands for annexed content."""
        keys = {path: content for path, content in changes.contents.items() if isinstance(content, AnnexKey)}
        known: dict[str, Blob] = {}
        for hash_name in ("SHA256", "MD5"):
            digests = {key.digest for key in keys.values() if key.hash_name == hash_name}
            for batch in _batches(sorted(digests)):
                known |= attachable_by_digest(self._actor, self._dataset, hash_name, batch)
        for path, key in keys.items():
            if fault := _key_fault(key, known.get(key.digest)):
                faults.add(path, fault)
        return {path: known[key.digest] for path, key in keys.items() if key.digest in known}

    def _leave_out_own(self, changes: TreeChanges, own_files: Mapping[str, str]) -> None:
        assets = set(live_assets(self._dataset).filter(path__in=own_files).values_list("path", flat=True))
        for path, object_id in own_files.items():
            file = changes.contents.get(path)
            if isinstance(file, GitFile) and file.object_id == object_id and path not in assets:
                del changes.contents[path]

    def _files(self, changes: TreeChanges) -> Iterator[dict[str, Blob]]:
        """Yield the blobs of the paths whose content is in git, some at a time."""
        paths: dict[str, list[str]] = {}
        sizes: dict[str, int] = {}
        for path, content in changes.contents.items():
            if isinstance(content, GitFile):
                paths.setdefault(content.object_id, []).append(path)
                sizes[content.object_id] = content.size
        for ids in _batches_of_size(sizes):
            contents = dict(self._git.contents(ids))
            blobs = keep_contents(actor=self._actor, dataset=self._dataset, contents=[contents[each] for each in ids])
            yield {path: blob for each, blob in zip(ids, blobs, strict=True) for path in paths[each]}

    def _compare(self, changes: TreeChanges, blobs: dict[str, Blob]) -> None:
        """Settle what is to be added and removed: what has the bytes that it had, in whatever form, stays as it is."""
        there = {asset.path: asset for asset in self._draft_at([*changes.contents, *changes.removed])}
        self.remove = changes.removed & there.keys()
        # Empty files have the same bytes, and nothing else in common.
        gone = [there[path] for path in sorted(self.remove) if there[path].size]
        moved = {_bytes_of(asset.blob): asset.metadata for asset in gone}
        for path, blob in blobs.items():
            old = there.get(path)
            if old and _bytes_of(old.blob) == _bytes_of(blob):
                continue
            if old:
                self.remove.add(path)
            metadata = moved.get(_bytes_of(blob)) or file_metadata(path, old.metadata if old else {})
            self.add.append(NewAsset(path, blob, metadata))

    def _draft_at(self, paths: Sequence[str]) -> Iterator[Asset]:
        for batch in _batches(paths):
            yield from live_assets(self._dataset).filter(path__in=batch).select_related("blob")


def _key_fault(key: AnnexKey, blob: Blob | None) -> str | None:
    if blob is None:
        return f"the archive does not have its content, {key}; send that first: `git annex copy --to` this remote"
    if blob.size != key.size:
        return f"its key {key} says that it has {key.size} bytes; content of that digest has {blob.size}"
    return None


def _bytes_of(blob: Blob | None) -> tuple[str, int] | None:
    """Return what two blobs have in common if they hold the same bytes."""
    return (blob.etag, blob.size) if blob else None


def _batches(items: Sequence[str]) -> Iterator[Sequence[str]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))


def _batches_of_size(sizes: dict[str, int]) -> Iterator[list[str]]:
    """Yield the ids of files in batches that memory and the store have room for."""
    batch: list[str] = []
    held = 0
    for object_id, size in sizes.items():
        if batch and (held + size > BATCH_BYTES or len(batch) == BATCH_FILES):
            yield batch
            batch, held = [], 0
        batch.append(object_id)
        held += size
    if batch:
        yield batch


# --- The push ---------------------------------------------------------------------------------------------------------


class Target(Protocol):
    """The repository that is pushed to, and whose branches are to move."""

    @property
    def main(self) -> str:
        """Return the commit that `main` is at; "" if there is none."""

    @property
    def annex(self) -> str:
        """Return the commit that `git-annex` is at; "" if there is none."""

    @property
    def own_files(self) -> Mapping[str, str]:
        """Return the ids of the files that the archive itself puts into the tree, by their paths."""

    @property
    def free(self) -> Collection[str]:
        """Return the names of the branches that may go on from nothing that they are at."""

    def prepare(self, push: Push, wanted: Wanted) -> None:
        """Keep the objects that were pushed, so that nothing is lost once the branches have moved."""

    def move(self, wanted: Wanted, actor: Actor, change: Change | None) -> None:
        """Move the branches, in the caller's transaction; ArchiveError if something else has moved meanwhile."""


def judge_and_apply(actor: Actor, dataset: Dataset, target: Target, push: Push) -> Generator[str, None, None]:
    """Judge a push, and if nothing is wrong with it, make it true of the draft.

    Yields what is to be said meanwhile. Raises RefusedError or ArchiveError if it is not to be taken.
    """
    wanted = wanted_branches(push, target)
    if not any(wanted):
        return
    require_not_releasing(dataset)
    if wanted.annex:
        _require_sound(log_faults(push.git, target.annex, wanted.annex))
    changes = DraftChanges(actor, dataset, push.git, target.main, wanted.main)
    if wanted.main:
        yield from changes.steps(target.own_files)
    for last in (False, False, True):
        target.prepare(push, wanted)
        try:
            with transaction.atomic():
                target.move(wanted, actor, _applied(changes, actor, dataset, wanted.main))
            break
        except MovedError:
            # The archive has written `git-annex` meanwhile; what was pushed is united with that.
            if last:
                raise BusyError("The archive is writing to this repository; please try again.") from None
    if wanted.main:
        yield f"The draft is at {wanted.main}."


def _applied(changes: DraftChanges, actor: Actor, dataset: Dataset, commit: str) -> Change | None:
    """Make the changes of a pushed commit, in the caller's transaction; None if none was pushed."""
    if not commit:
        return None
    draft = hold_draft(dataset)
    details = {"commit": commit}
    return change_assets(actor=actor, dataset=draft.dataset, add=changes.add, remove=changes.remove, details=details)


def _require_sound(faults: Faults) -> None:
    if faults.count:
        raise RefusedError(*faults.lines(), NOTHING_CHANGED)
