"""The names of datasets and versions: those of the archive, and those that clients choose. Pure.

A dataset is known by its number, in several ways of writing, and perhaps by a project name. A version has a name by the
clock, an ordinal (3 is the third of its dataset), and perhaps a label, which is its tag in git.
"""

import re
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from unicodedata import is_normalized

from django.conf import settings
from semver import Version as SemanticVersion

from archive.errors import InvalidError

MAX_DANDISET_NUMBER = 999_999
MAX_PROJECT_NAME = 128
MAX_LABEL = 64
PROJECT_NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
# What looks like a number of a dataset is one, in whatever way it is written.
NUMBER_PATTERN = r"^(?:ds)?[0-9]{6}$"
VERSION_NAME_PATTERN = r"^0\.[0-9]{6}\.[0-9]{4}$"
DRAFT = "draft"
RESERVED_LABELS = ("draft", "latest", "head")
# What branches and other references of a clone are called.
_NAMES_IN_CLONES = frozenset({"main", "git-annex", "fetch_head", "orig_head", "merge_head"})
# What git takes for the id of an object, whatever tag has that name.
_OBJECT_ID = re.compile(r"[0-9a-fA-F]{40}(?:[0-9a-fA-F]{24})?")
# What git refuses in the name of a tag (git-check-ref-format), and what ends a part of an address.
_FORBIDDEN_IN_LABELS = re.compile(r"[\x00-\x20\x7f ~^:?*\[\\/]|\.\.|@\{")
_MAX_ORDINAL_DIGITS = 9


def dandiset_identifier(number: int) -> str:
    """Return the number as DANDI writes it: six digits, "000123" (docs/dialects/dandi.md#values)."""
    return f"{number:06}"


def openneuro_identifier(number: int) -> str:
    """Return the number as OpenNeuro writes it, "ds000123" (docs/dialects/openneuro.md#ids)."""
    return f"ds{number:06}"


def openneuro_doi_name(number: int, tag: str) -> str:
    """Return the DOI of a version as OpenNeuro's clients look for it, "10.80507/openneuro.ds000123.v1.0.0"."""
    return f"{settings.ARCHIVE_DOI_PREFIX}/openneuro.{openneuro_identifier(number)}.v{tag}"


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


# --- Names that clients choose ----------------------------------------------------------------------------------------


def dataset_number_in(name: str) -> int | None:
    """Return the number that is written as "000123" or "ds000123"; None for any other name."""
    return int(name[-6:]) if re.fullmatch(NUMBER_PATTERN, name) else None


def check_project_name(name: str) -> None:
    """Raise InvalidError unless a dataset can have that project name."""
    if not re.fullmatch(PROJECT_NAME_PATTERN, name) or len(name) > MAX_PROJECT_NAME:
        raise InvalidError(
            f"A project name has 1 to {MAX_PROJECT_NAME} letters, digits, dots, dashes and underscores, and begins with"
            " a letter or a digit.",
            field="project_name",
        )
    if dataset_number_in(name) is not None:
        raise InvalidError("A project name must not look like the number of a dataset.", field="project_name")


def check_label(label: str) -> None:
    """Raise InvalidError, saying why, unless a version can have that label."""
    if reason := _fault_of_label(label):
        raise InvalidError(reason, field="label")


def _fault_of_label(label: str) -> str:
    if not 0 < len(label) <= MAX_LABEL:
        return f"A label has 1 to {MAX_LABEL} characters."
    if label.lower() in {*RESERVED_LABELS, *_NAMES_IN_CLONES}:
        return f"{label!r} cannot be a label: it has a meaning of its own, here or in git."
    if _OBJECT_ID.fullmatch(label):
        return "A label must not look like the id of a commit."
    if not is_normalized("NFC", label):
        return "A label must be in Unicode's normalization form C."
    if re.fullmatch(VERSION_NAME_PATTERN, label):
        return "A label must not look like the name that the archive gives a version."
    if _FORBIDDEN_IN_LABELS.search(label) or not label.isprintable():
        return "A label must be a legal name of a git tag, without slashes: no spaces, and none of ~^:?*[\\ .. @{."
    if label.startswith((".", "-")) or label.endswith((".", ".lock")) or label == "@":
        return (
            "A label must be a legal name of a git tag: it begins with no dot or dash, and ends in no dot or `.lock`."
        )
    return ""


@dataclass(frozen=True)
class VersionReference:
    """A client's word for a version: its name by the clock (or "draft"), or else a label, or its ordinal.

    Digits alone may be either of the last two: a version whose label they are is meant first.
    """

    name: str = ""
    label: str = ""
    ordinal: int | None = None


def version_reference(text: str) -> VersionReference:
    """Return which version of a dataset a text may mean."""
    if text == DRAFT or re.fullmatch(VERSION_NAME_PATTERN, text):
        return VersionReference(name=text)
    is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_ORDINAL_DIGITS
    return VersionReference(label=text, ordinal=int(text) if is_number else None)


def label_sort_key(label: str | None, ordinal: int) -> tuple[bool, SemanticVersion, int]:
    """Return the sort key of a version: semantic versions by precedence, after all others by ordinal."""
    if label and SemanticVersion.is_valid(label):
        return True, SemanticVersion.parse(label), ordinal
    return False, SemanticVersion(0), ordinal
