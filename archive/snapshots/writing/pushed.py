"""The content of the branch `git-annex` about commits that were pushed, and the keys that they name themselves."""

from collections.abc import Iterator
from pathlib import Path

from archive.assets.models import Asset
from archive.blobs.models import blob_key
from archive.git_annex.keys import AnnexKey
from archive.snapshots.keeping.git import Git
from archive.snapshots.models import Commit
from archive.snapshots.pushing.entries import Faults
from archive.snapshots.pushing.trees import NO_LIMITS, changes_in
from archive.snapshots.writing.delta import CHUNK, Placed, Point
from archive.storage.queries import public_url


def keys_of_pushed_commit(folder: Path, commit: Commit, *, is_public: bool) -> Iterator[Placed]:
    """Yield the annexed files that a pushed commit brought, with the keys that the commit gives them.

    `folder` is a repository that has the commit. What had the same bytes before, under another key or in git, is told
    of too: git-annex has to find it by the key that it has now.
    """
    before = Commit.objects.filter(repository=commit.repository_id, pk__lt=commit.pk).order_by("pk").last()
    old = before.sha if before else None
    changes = changes_in(Git(folder), old, commit.sha, zarr_paths=(), limits=NO_LIMITS, faults=Faults())
    keys = {path: key for path, key in changes.contents.items() if isinstance(key, AnnexKey)}
    assets = Asset.objects.filter(Point(commit.at).assets, dataset_id=commit.repository_id)
    ordered = sorted(keys)
    for start in range(0, len(ordered), CHUNK):
        paths = ordered[start : start + CHUNK]
        blobs = dict(assets.filter(path__in=paths).values_list("path", "blob_id"))
        for path in paths:
            if blob_id := blobs.get(path):
                yield Placed(path, keys[path], public_url(blob_key(blob_id)) if is_public else "")
