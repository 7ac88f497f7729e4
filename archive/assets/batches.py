"""Batches of files, as they are sent: what they hold, and whether they can be taken. Pure."""

import uuid
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from operator import itemgetter
from typing import Any

import orjson

from archive.errors import InvalidError
from archive.metadata.documents import file_metadata, strip_asset_metadata

CONFLICTS_SHOWN = 10
MAX_BATCH = 10_000
MAX_KEY = 100


@dataclass(frozen=True)
class BatchFile:
    """A file that is to be at a path: verified bytes, by the id of their blob or by their SHA-256.

    Without `metadata` it keeps what is said of the file at its path but not of its bytes.
    """

    path: str
    blob_id: uuid.UUID | None = None
    sha256: str = ""
    metadata: dict[str, Any] | None = None

    def metadata_after(self, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return the metadata of the file, in the place of one with the metadata `before`, or of none."""
        if self.metadata is None:
            return file_metadata(self.path, before)
        return strip_asset_metadata(self.metadata)


def check_batch(put: Sequence[BatchFile], remove: Collection[str], key: str) -> None:
    """Raise InvalidError, naming what is wrong, unless such a batch can be looked at."""
    if not 0 < len(put) + len(remove) <= MAX_BATCH:
        raise InvalidError(f"A batch puts and removes 1 to {MAX_BATCH} files.", field="put")
    if len(key) > MAX_KEY:
        raise InvalidError(f"A key has at most {MAX_KEY} characters.", field="key")
    counted = Counter([*(file.path for file in put), *remove])
    if twice := sorted(path for path, count in counted.items() if count > 1):
        raise InvalidError(f"Each path may be in a batch once: {shown_names(twice)}", field="put")
    if vague := [file.path for file in put if (file.blob_id is None) == (not file.sha256)]:
        raise InvalidError(f"Exactly one of blob_id or sha256 must be specified: {shown_names(vague)}", field="put")


def shown_names(names: Sequence[str]) -> str:
    """Return the first of the names, and how many more there are."""
    more = len(names) - CONFLICTS_SHOWN
    return ", ".join(names[:CONFLICTS_SHOWN]) + (f" and {more} more" if more > 0 else "")


def digest_of(put: Sequence[BatchFile], remove: Collection[str]) -> str:
    """Return the digest by which a batch is told from another, in whatever order its files are sent."""
    files = sorted(
        ([file.path, str(file.blob_id or file.sha256.lower()), file.metadata] for file in put), key=itemgetter(0)
    )
    return sha256(orjson.dumps([files, sorted(remove)], option=orjson.OPT_SORT_KEYS)).hexdigest()
