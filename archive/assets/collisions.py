"""Paths that some systems cannot tell apart: those of macOS and Windows take no notice of case."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable

from archive.assets.models import Folded
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
