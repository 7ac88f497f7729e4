"""Bundles: made of what is new, kept in the object store, fetched and checked before anything is made of them."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from archive.errors import NotFoundError
from archive.git_annex.refs import ANNEX, MAIN
from archive.snapshots.keeping.git import Beat, Git
from archive.snapshots.models import BUNDLES, Bundle, new_bundle_key
from archive.storage import queries as store
from archive.storage import services as storage

CHUNK = 2**20
# Bundles that are not recorded are kept so long: one may have just been stored, to be recorded next, and one that has
# been merged with others may still be read.
BUNDLE_GRACE = timedelta(days=2)


class DamagedError(Exception):
    """An error for a bundle that is not in the store, or is not what was put there."""


class StoredBundle(NamedTuple):
    """A bundle that is in the store, and that no row names yet."""

    key: str
    size: int
    sha256: str


def make_bundle(
    file: Path, *, folder: Path, main: str, annex: str, without: Sequence[str], beat: Beat | None = None
) -> None:
    """Write a bundle of the branches of the repository in `folder`, without what these older commits have."""
    tips = {MAIN: main, ANNEX: annex}
    new = {name: tip for name, tip in tips.items() if tip and tip not in without}
    for name, tip in new.items():
        Git(folder).run("update-ref", name, tip)
    older = [f"^{sha}" for sha in without if sha]
    Git(folder).run("bundle", "create", "--quiet", str(file), *new, *older, beat=beat)


def store_bundle(file: Path, beat: Beat | None = None) -> StoredBundle:
    """Put a bundle into the store, under a key that nobody can guess, and return where it is."""
    key, digest = new_bundle_key(), hashlib.sha256()

    def chunks() -> Iterator[bytes]:
        with file.open("rb") as opened:
            while chunk := opened.read(CHUNK):
                digest.update(chunk)
                if beat:
                    beat()
                yield chunk

    storage.write(key, chunks(), content_type="application/x-git-bundle")
    return StoredBundle(key, file.stat().st_size, digest.hexdigest())


def fetch_bundle(bundle: Bundle, file: Path, beat: Callable[[], None] | None = None) -> None:
    """Write what the store has of a bundle into `file`; DamagedError if that is not what was put there."""
    digest = hashlib.sha256()
    try:
        with file.open("wb") as opened:
            for chunk in store.read(bundle.key):
                digest.update(chunk)
                opened.write(chunk)
                if beat:
                    beat()
    except NotFoundError as error:
        raise DamagedError(f"The bundle {bundle.key} is not in the store.") from error
    if digest.hexdigest() != bundle.sha256:
        raise DamagedError(f"The bundle {bundle.key} is not what was put into the store.")


def unbundle(file: Path, *, folder: Path, beat: Beat | None = None) -> None:
    """Give the repository in `folder` the objects of a bundle; GitError if it lacks what the bundle is built upon."""
    Git(folder).run("bundle", "unbundle", str(file), beat=beat)


def sweep_bundles() -> None:
    """Delete from the store the bundles that no row tells of, and that are too old to be told of yet."""
    day = f"{BUNDLES}{datetime.now(UTC) - BUNDLE_GRACE:%Y-%m-%d}/"
    for page in store.list_objects(BUNDLES):
        old = [each.key for each in page if each.key < day]
        known = set(Bundle.objects.filter(key__in=old).values_list("key", flat=True))
        for key in sorted({*old} - known):
            storage.delete(key)
