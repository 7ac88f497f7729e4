"""Listings of files: what is told of each, and where it is read (docs/dialects/openneuro.md#files)."""

from typing import NamedTuple
from urllib.parse import quote

from django.conf import settings
from graphql import GraphQLError

from archive.blobs.models import blob_key
from archive.catalogue.files import Entry, folder_of
from archive.catalogue.queries import entries_in
from archive.datasets.models import Version
from archive.datasets.queries import find_version
from archive.errors import NotFoundError
from archive.git_annex.attributes import Rules
from archive.storage.queries import public_url
from dandiapi.graphql.context import Context
from dandiapi.graphql.ids import dataset_id

NOT_FOUND = "Not Found"


class ListedFile(NamedTuple):
    """A file or folder, with the fields of the type DatasetFile."""

    id: str
    filename: str
    size: int
    directory: bool
    annexed: bool
    urls: list[str]
    key: str
    sha256: str | None
    md5: str | None


def listing_of(context: Context, version: Version, *, tree: str | None, recursive: bool) -> list[ListedFile]:
    """Return the files of a version: those in one folder, of which `tree` is the id, or all that are below it.

    `tree` may also be the commit of the version, or the tag of another, whose root is meant then.
    """
    version, folder = _place(context, version, tree)
    try:
        entries = entries_in(context.actor, version, folder, is_whole=recursive, at_most=context.left)
    except NotFoundError:
        raise GraphQLError(NOT_FOUND) from None
    context.tell(len(entries))
    rules = Rules(settings.SNAPSHOT_TEXT_NAMES, settings.SNAPSHOT_TEXT_BYTES)
    start = len(f"{folder}/") if folder else 0
    return [_told(entry, entry.path[start:], version, rules) for entry in entries]


def _place(context: Context, version: Version, tree: str | None) -> tuple[Version, str]:
    if not tree or tree == "HEAD" or tree == _commit(context, version):
        return version, ""
    folder = folder_of(tree)
    if folder is not None:
        return version, folder
    try:
        return find_version(context.actor, version.dataset_id, tree), ""
    except NotFoundError:
        raise GraphQLError(NOT_FOUND) from None


def _commit(context: Context, version: Version) -> str | None:
    if version.is_draft:
        return context.load.heads.get(version.dataset)
    return context.load.hashes.get(version)


def _told(entry: Entry, name: str, version: Version, rules: Rules) -> ListedFile:
    if entry.is_folder:
        return ListedFile(entry.id, name, 0, directory=True, annexed=False, urls=[], key="", sha256=None, md5=None)
    return ListedFile(
        entry.id,
        name,
        entry.size,
        directory=False,
        annexed=not rules.keeps_in_git(entry.path, entry.size),
        urls=[_url(entry, version)],
        key=entry.key,
        sha256=entry.sha256,
        md5=entry.md5,
    )


def _url(entry: Entry, version: Version) -> str:
    """Return where a file is read: from the store, once that gives it to everybody, and from this archive before."""
    if entry.is_open and entry.blob_id and version.dataset.is_released:
        return public_url(blob_key(entry.blob_id))
    place = f"{settings.ARCHIVE_URL}/crn/datasets/{dataset_id(version.dataset_id)}/objects/{quote(entry.key)}"
    return f"{place}?filename={quote(entry.name, safe='')}"
