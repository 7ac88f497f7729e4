"""What the documents of many versions say: as many queries for a hundred as for one."""

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

from archive.accounts.policy import Actor, is_blinded
from archive.bids.documents import (
    DATACITE,
    DESCRIPTION,
    README_NAMES,
    Contributor,
    Description,
    read_contributors,
    read_description,
    readme_name,
)
from archive.bids.models import Deprecation, FileText, Statement
from archive.blobs.models import blob_key
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import readable_among
from archive.identifiers.names import openneuro_identifier
from archive.statements import find_rows
from archive.storage.queries import read_whole
from archive.timeline.rows import FOREVER

# The text of a larger file is not read.
MAX_TEXT = 2**20
# How many files are read at the same time; the client of the store has ten connections.
PARALLEL_READS = 8

FILES = f"""
    SELECT version.id, asset.path, asset.blob_id, known.text
      FROM archive_version AS version
      JOIN archive_asset AS asset ON asset.dataset_id = version.dataset_id
      LEFT JOIN archive_filetext AS known ON known.blob_id = asset.blob_id
     WHERE version.id = ANY(%(versions)s) AND asset.path = ANY(%(names)s)
       AND asset.introduced <= COALESCE(version.at, {FOREVER})
       AND (asset.retired IS NULL OR asset.retired > COALESCE(version.at, {FOREVER}))
       AND asset.blob_id IS NOT NULL AND asset.size <= {MAX_TEXT}
"""  # noqa: S608 - built of constants only


def texts_of_versions(versions: Collection[Version], names: Collection[str]) -> dict[Version, dict[str, str]]:
    """Return the texts of the files of those names in each of the versions, but for what is no small file.

    What is read from the store is kept, so it is read once.
    """
    found = list(find_rows(FILES, {"versions": [version.pk for version in versions], "names": [*names]}))
    read = _read({blob_id for _, _, blob_id, text in found if text is None})
    texts: dict[int, dict[str, str]] = {version.pk: {} for version in versions}
    for pk, path, blob_id, known in found:
        text = read.get(blob_id) if known is None else known
        if text is not None:
            texts[pk][path] = text
    return {version: texts[version.pk] for version in versions}


def _read(blob_ids: Collection[UUID]) -> dict[UUID, str]:
    """Read the texts of blobs from the store, and keep them."""
    if not blob_ids:
        return {}
    with ThreadPoolExecutor(PARALLEL_READS) as threads:
        contents = threads.map(lambda blob_id: (blob_id, read_whole(blob_key(blob_id))), blob_ids)
        found = {blob_id: _decoded(content) for blob_id, content in contents if content is not None}
    rows = [FileText(blob_id=blob_id, text=text) for blob_id, text in found.items()]
    FileText.objects.bulk_create(rows, ignore_conflicts=True)
    return found


def _decoded(content: bytes) -> str:
    # Postgres keeps no NUL in a text.
    return content.decode("utf-8-sig", "replace").replace("\0", "")


def descriptions_of_versions(versions: Collection[Version]) -> dict[Version, Description]:
    """Return the description of each of the versions, without people for who reads it blinded."""
    found = texts_of_versions(versions, [DESCRIPTION])
    return {version: _description(version, texts) for version, texts in found.items()}


def _description(version: Version, texts: Mapping[str, str]) -> Description:
    description = read_description(texts.get(DESCRIPTION), fallback=openneuro_identifier(version.dataset_id))
    return description.without_people if version.is_blinded else description


def readmes_of_versions(versions: Collection[Version]) -> dict[Version, str]:
    """Return the text of the README of each of the versions that has one."""
    found = texts_of_versions(versions, README_NAMES)
    named = {version: (texts, readme_name(texts)) for version, texts in found.items()}
    return {version: texts[name] for version, (texts, name) in named.items() if name}


def contributors_of_versions(versions: Collection[Version]) -> dict[Version, list[Contributor]]:
    """Return who contributed to each of the versions; nobody to who reads it blinded."""
    told = [version for version in versions if not version.is_blinded]
    found = texts_of_versions(told, [DESCRIPTION, DATACITE])
    return {
        version: read_contributors(texts.get(DATACITE), _description(version, texts).authors)
        for version, texts in found.items()
    }


def deprecations_of_versions(versions: Iterable[Version]) -> dict[Version, Deprecation]:
    """Return the deprecation of each of the versions that is deprecated; by nobody for who reads it blinded."""
    known = {version.pk: version for version in versions}
    found = {known[row.pk]: row for row in Deprecation.objects.filter(pk__in=known).select_related("user")}
    for version, row in found.items():
        if version.is_blinded:
            row.user = None
    return found


def statements_about_datasets(actor: Actor, datasets: Collection[Dataset]) -> dict[Dataset, dict[str, Any]]:
    """Return what their owners state about each of the datasets that the actor may read whole.

    Nothing about one that they read blinded: statements may name people.
    """
    readable = {each.pk: each for each in readable_among(actor, [*datasets]) if not is_blinded(actor, each)}
    return {readable[row.pk]: row.values for row in Statement.objects.filter(pk__in=readable)}
