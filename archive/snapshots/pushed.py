"""What the branch `git-annex` has to tell of commits that were pushed: of the keys that they name themselves."""

from collections.abc import Iterator
from pathlib import Path

from git import Blob, Repo

from archive.assets.models import Asset
from archive.blobs.models import blob_key
from archive.digests import AnnexKey, parse_annex_key
from archive.errors import InvalidError
from archive.snapshots.delta import CHUNK, Point
from archive.snapshots.layout import Placed
from archive.snapshots.models import Commit
from archive.snapshots.plumbing import ENVIRONMENT
from archive.storage.queries import public_url

# No link, and no file that stands for one, is larger.
MAX_POINTER = 32_768
POINTER = "/annex/objects/"


def pushed_keys(folder: Path, commit: Commit, *, is_public: bool) -> Iterator[Placed]:
    """The files that a pushed commit brought and that are not in git itself, with the keys that the commit gives them.

    `folder` is a repository that has the commit.
    """
    repository = reading(folder)
    assets = Asset.objects.filter(
        Point(commit.at).assets, dataset_id=commit.repository_id, introduced=commit.at, blob__isnull=False
    )
    try:
        tree = repository.commit(commit.sha).tree
        for path, blob_id in assets.order_by("path").values_list("path", "blob_id").iterator(chunk_size=CHUNK):
            entry = _entry(tree, path)
            key = _key_of(entry) if entry else None
            if key:
                yield Placed(path, key, public_url(blob_key(blob_id)) if is_public and blob_id else "")
    finally:
        repository.close()


def reading(folder: Path) -> Repo:
    """The repository in `folder`, to read single objects of; to be closed, since a git child stays with it."""
    repository = Repo(folder)
    repository.git.update_environment(**ENVIRONMENT)
    return repository


def _entry(tree: object, path: str) -> Blob | None:
    try:
        entry = tree / path  # type: ignore[operator]
    except KeyError:
        return None
    return entry if isinstance(entry, Blob) else None


def _key_of(blob: Blob) -> AnnexKey | None:
    if blob.size > MAX_POINTER:
        return None
    return key_in(blob.data_stream.read(), is_link=blob.mode == Blob.link_mode)


def key_in(content: bytes, *, is_link: bool) -> AnnexKey | None:
    """The key that a link, or a file that stands for one, names; None for any other file."""
    folder, found, name = content.partition(b"\n")[0].decode(errors="replace").rpartition("/")
    if not found or not (is_link or f"{folder}/" == POINTER):
        return None
    try:
        return parse_annex_key(name)
    except InvalidError:
        return None
