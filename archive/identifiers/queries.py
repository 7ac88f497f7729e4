"""The many names of one number. Pure."""

import re
from collections.abc import Set as AbstractSet
from datetime import UTC, datetime, timedelta

from django.conf import settings

from archive.errors import InvalidError

MAX_DANDISET_NUMBER = 999_999


def dandiset_identifier(number: int) -> str:
    """Return the number as DANDI writes it: six digits, "000123" (docs/dialects/dandi.md#values)."""
    return f"{number:06}"


def parse_dandiset_number(value: object, *, field: str = "identifier") -> int:
    """Return the number that "000123", "DANDI:000123" or 123 stands for.

    Raises InvalidError, naming `field`, for anything else.
    """
    number = _number_in(value) if isinstance(value, str) else value
    # A bool is an int in Python, but not a number of a dataset.
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= MAX_DANDISET_NUMBER:
        return number
    raise InvalidError("A valid Dandiset identifier is required.", field=field)


def _number_in(text: str) -> int | None:
    match = re.fullmatch(r"[0-9]{6}", text.removeprefix(f"{settings.ARCHIVE_INSTANCE_NAME}:"))
    return int(match[0]) if match else None


def doi_name(number: int, version: str) -> str:
    """Return the DOI of a published version, as "10.80507/dandi.000123/0.260102.0304" (docs/dialects/dandi.md#dois)."""
    instance = settings.ARCHIVE_INSTANCE_NAME.lower()
    return f"{settings.ARCHIVE_DOI_PREFIX}/{instance}.{dandiset_identifier(number)}/{version}"


def concept_doi_name(number: int) -> str:
    """Return the DOI of a dataset whatever its version, as "10.80507/dandi.000123"."""
    return f"{settings.ARCHIVE_DOI_PREFIX}/{settings.ARCHIVE_INSTANCE_NAME.lower()}.{dandiset_identifier(number)}"


def registers_dois() -> bool:
    """Return whether DOIs are registered at DataCite: they are where all settings for it are given."""
    needed = (settings.DATACITE_URL, settings.DATACITE_USER, settings.DATACITE_PASSWORD, settings.ARCHIVE_DOI_PREFIX)
    return all(needed)


def version_name(moment: datetime) -> str:
    """Return the name of a version published at `moment`, "0.260102.0304" (docs/dialects/dandi.md#version-names)."""
    return f"{moment.astimezone(UTC):0.%y%m%d.%H%M}"


def next_version_name(moment: datetime, taken: AbstractSet[str]) -> str:
    """Return the first version name from `moment` on, minute by minute, that is not in `taken`."""
    while version_name(moment) in taken:
        moment += timedelta(minutes=1)
    return version_name(moment)
