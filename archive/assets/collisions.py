"""Paths that cannot be: taken, inside a file, or not to be told from others where no notice is taken of case."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence

from django.db.models import Q

from archive.assets.models import Asset, Folded
from archive.errors import ConflictError
from archive.paths import ancestors, case_key
from archive.statements import find_rows

_FOLDED_PATH = Folded.template % {"expressions": "path"}
ALIKE = f"""
    SELECT path, NULL FROM archive_asset
     WHERE dataset_id = %(dataset)s AND retired IS NULL AND {_FOLDED_PATH} = ANY(%(files)s)
     UNION ALL
    SELECT path, file_count FROM archive_folder
     WHERE dataset_id = %(dataset)s AND retired IS NULL AND {_FOLDED_PATH} = ANY(%(folders)s)
"""  # noqa: S608 - built of constants only
TAKEN = """
    SELECT path, NULL FROM archive_asset
     WHERE dataset_id = %(dataset)s AND retired IS NULL AND path = ANY(%(files)s)
     UNION ALL
    SELECT path, file_count FROM archive_folder
     WHERE dataset_id = %(dataset)s AND retired IS NULL AND path = ANY(%(folders)s)
"""
CONFLICTS_SHOWN = 10


def case_collisions(dataset_id: int, new: Collection[str], *, leaving: Collection[str] = ()) -> dict[str, str]:
    """Return, for each new path that collides with another path when case is ignored, that other path.

    Files collide with files and with folders. Two folders that differ in case do not: such a system merges them, and
    nothing is lost. The other paths are those of the draft, except the files `leaving` it, and the rest of `new`. A
    path that the draft has already is not checked: its bytes and metadata may change.
    """
    if not new:
        return {}
    above = {folder for path in new for folder in ancestors(path)} - {""}
    there, file_counts = _in_draft(dataset_id, {*new, *above}, new)
    left = Counter(folder for path in leaving for folder in ancestors(path)) if file_counts else Counter()
    files = _by_fold((there - set(leaving)) | set(new))
    folders = _by_fold(above | {folder for folder, count in file_counts.items() if count > left[folder]})
    found = {}
    for path in sorted(set(new) - there):
        others = {file for name in (path, *ancestors(path)) for file in files[case_key(name)] - {name}}
        others |= folders[case_key(path)] - {path}
        if others:
            found[path] = min(others)
    return found


def _by_fold(names: Iterable[str]) -> dict[str, set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for name in names:
        groups[case_key(name)].add(name)
    return groups


def _in_draft(dataset_id: int, names: Iterable[str], new: Iterable[str]) -> tuple[set[str], dict[str, int]]:
    """Return the draft's files with one of the `names`, in any case, and its folders with one of the `new`.

    The counts are those of the files in them.
    """
    keys = {"files": [*map(case_key, names)], "folders": [*map(case_key, new)]}
    rows = find_rows(ALIKE, {"dataset": dataset_id, **keys})
    files = {path for path, file_count in rows if file_count is None}
    return files, {path: file_count for path, file_count in rows if file_count is not None}


def refuse_look_alikes(dataset_id: int, new_paths: Sequence[str], *, leaving: Sequence[str]) -> None:
    """Raise ConflictError if one of the new paths is, to some systems, that of another file or of a folder."""
    for path, other in case_collisions(dataset_id, new_paths, leaving=leaving).items():
        raise ConflictError(f'Some systems cannot tell path "{path}" from "{other}"; please give it another name')


def refuse_conflicts(dataset_id: int, new_paths: Sequence[str], *, leaving: Sequence[str]) -> None:
    """Raise ConflictError if one of the new paths is taken, lies inside a file, or is a folder, old or new.

    A folder that all files are `leaving` is none any more.
    """
    new = set(new_paths)
    if len(new) < len(new_paths):
        raise ConflictError("The same path is given more than once")
    above = {folder for path in new for folder in ancestors(path)} - {""}
    if both := new & above:
        raise ConflictError(f"Paths are both file and folder: {sorted(both)[:CONFLICTS_SHOWN]}")
    files, file_counts = _taken(dataset_id, new, above)
    left = Counter(folder for path in leaving for folder in ancestors(path))
    folders = {folder for folder, count in file_counts.items() if count > left[folder]}
    if files & new:
        raise ConflictError("An asset with that path already exists", paths=sorted(files & new)[:CONFLICTS_SHOWN])
    if files or folders:
        path = next(path for path in new_paths if path in folders or files & set(ancestors(path)))
        there = sorted({*files, *_files_in(dataset_id, folders)})[:CONFLICTS_SHOWN]
        raise ConflictError(f'Path of new asset "{path}" conflicts with existing assets: {there}')


def _files_in(dataset_id: int, folders: Iterable[str]) -> list[str]:
    """Return the first paths of the draft's assets in the first of these folders; no more than are shown."""
    within = Q(pk__in=[])
    for folder in sorted(folders)[:CONFLICTS_SHOWN]:
        within |= Q(path__startswith=f"{folder}/")
    assets = Asset.objects.filter(within, dataset_id=dataset_id).live()
    return list(assets.order_by("path").values_list("path", flat=True)[:CONFLICTS_SHOWN])


def _taken(dataset_id: int, new: set[str], above: set[str]) -> tuple[set[str], dict[str, int]]:
    """Return which of the new paths, or of the folders above them, are files of the draft, and which are folders.

    The folders come with the number of files in them.
    """
    taken = dict(find_rows(TAKEN, {"dataset": dataset_id, "files": [*(new | above)], "folders": [*new]}))
    folders = {path: count for path, count in taken.items() if count is not None}
    return taken.keys() - folders.keys(), folders
