"""Repositories of open datasets laid out for everybody: git-annex clones them from the object store alone.

What is laid out is a copy, open to all, of the bundles that are the repository itself; those stay closed.
"""

import hashlib
from datetime import timedelta

from django.utils import timezone

from archive.git_annex.serverless import (
    CLONE_FILE,
    bundle_name,
    clone_address,
    manifest,
    manifest_name,
    place,
    references_bundle,
)
from archive.snapshots.keeping.git import Beat
from archive.snapshots.models import Bundle, Repository
from archive.snapshots.queries import EXPORTS, export_prefix, references
from archive.storage import services as storage
from archive.storage.queries import list_objects, public_url

BUNDLE_TYPE = "application/x-git-bundle"
TEXT_TYPE = "text/plain"
# Files of no recorded export are kept so long: they may belong to an export that is being written, and those of one
# that was replaced may still be read.
GRACE = timedelta(days=2)


def export(repository: Repository, beat: Beat) -> None:
    """Export the repository as it is now, if it is not yet. Its dataset must be open.

    The manifest comes after what it names, so that every clone finds a whole.
    """
    repository = Repository.objects.get(pk=repository.pk)
    told = references(repository)
    if not repository.main:
        return
    prefix, uuid = export_prefix(repository), repository.annex_uuid
    bundles = list(Bundle.objects.filter(repository=repository).order_by("pk"))
    sources = {bundle_name(uuid, size=each.size, sha256=each.sha256): each.key for each in bundles}
    tips = references_bundle(told)
    tips_name = bundle_name(uuid, size=len(tips), sha256=hashlib.sha256(tips).hexdigest())
    names = [*sources, tips_name]
    if names == repository.exported:
        return
    for name in sources.keys() - set(repository.exported):
        storage.copy(sources[name], f"{prefix}{place(name)}", is_open=True)
        beat()
    storage.write(f"{prefix}{place(tips_name)}", [tips], content_type=BUNDLE_TYPE, is_open=True)
    name = manifest_name(uuid)
    storage.write(f"{prefix}{place(name)}", [manifest(names)], content_type=TEXT_TYPE, is_open=True)
    address = clone_address(uuid, public_url(prefix))
    storage.write(f"{prefix}{CLONE_FILE}", [address.encode()], content_type=TEXT_TYPE, is_open=True)
    Repository.objects.filter(pk=repository.pk, history=repository.history).update(exported=names)


def sweep_exports() -> None:
    """Delete old exports of repositories that do not exist any more, or have moved on since."""
    before = timezone.now() - GRACE
    for page in list_objects(EXPORTS):
        folders = {each.key.removeprefix(EXPORTS).partition("/")[0] for each in page}
        kept = _kept({folder.partition(".")[0] for folder in folders})
        for each in page:
            if each.key not in kept and each.stored < before:
                storage.delete(each.key)


def _kept(annex_uuids: set[str]) -> set[str]:
    """Return the keys of all that is laid out of these repositories now."""
    keys = set()
    for repository in Repository.objects.filter(annex_uuid__in=annex_uuids):
        prefix = export_prefix(repository)
        names = [*repository.exported, manifest_name(repository.annex_uuid)]
        keys |= {f"{prefix}{CLONE_FILE}", *(f"{prefix}{place(name)}" for name in names)}
    return keys
