"""DANDI's search language (docs/dialects/dandi.md#search-language), read into a filter. Pure; takes linear time.

A search is a list of terms, all of which must hold: words, "quoted phrases", and operators as `species:mouse` or
`technique:"spike sorting"`. A colon makes no operator of any other word: `https://doi.org/...` is text, but for a word
that is nearly an operator, as `speices:mouse`, which is told from one.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Literal

from archive.errors import InvalidError

MAX_CHARACTERS = 1024
# Each is a subquery, and the time to plan a statement grows with their number.
MAX_OPERATORS = 10

DateKind = Literal["created", "modified", "published"]
NameKind = Literal["species", "approach", "technique"]


@dataclass(frozen=True)
class Text:
    """A term: the text occurs in the metadata of a version."""

    text: str


@dataclass(frozen=True)
class Moment:
    """A term: something happened before, or not before, the beginning of a day (UTC)."""

    kind: DateKind
    is_before: bool
    day: date


@dataclass(frozen=True)
class Name:
    """A term: the text occurs in a name of that kind in the summary of a version."""

    kind: NameKind
    text: str


@dataclass(frozen=True)
class FileType:
    """A term: there is a file whose media type begins so."""

    prefix: str


@dataclass(frozen=True)
class Owner:
    """A term: somebody of that name owns the dataset."""

    name: str


@dataclass(frozen=True)
class All:
    """A filter by terms that all hold: texts of one version, and names of one version."""

    terms: tuple["Term", ...]


Term = Text | Moment | Name | FileType | Owner

FILE_TYPES = {"nwb": "application/x-nwb", "image": "image/", "text": "text/", "video": "video/"}
OPERATORS = (
    "approach",
    "created_after",
    "created_before",
    "file_type",
    "modified_after",
    "modified_before",
    "owner",
    "published_after",
    "published_before",
    "species",
    "technique",
)

# How similar a word must be to an operator to be taken for a misspelling: `created` is, `title` is not.
_SLIP = 0.7

_NAMES: dict[str, NameKind] = {"approach": "approach", "species": "species", "technique": "technique"}
_DATES: dict[str, DateKind] = {"created": "created", "modified": "modified", "published": "published"}
_TERM = re.compile(r'(?:(?P<key>[a-z_]+):)?(?:"(?P<quoted>[^"]*)"|(?P<bare>[^\s"]*))')
_SPACE = re.compile(r"\s*")


def parse(text: str) -> All:
    """Return the filter that a search asks for; InvalidError, naming the field `search`, if it cannot be understood."""
    text = text.replace("\0", "")
    if len(text) > MAX_CHARACTERS:
        raise _error(f"A search has at most {MAX_CHARACTERS} characters; this one has {len(text)}.")
    if text.count('"') % 2:
        raise _error('A quotation mark is missing: write phrases as "mouse cortex".')
    terms = tuple(dict.fromkeys(_terms(text)))
    operators = sum(not isinstance(term, Text) for term in terms)
    if operators > MAX_OPERATORS:
        raise _error(
            f"A search has at most {MAX_OPERATORS} different operators with a value; this one has {operators}."
        )
    return All(terms)


def _terms(text: str) -> Iterator[Term]:
    position = _end_of(_SPACE, text, 0)
    while position < len(text):
        match = _TERM.match(text, position)
        # It matches at every position (for mypy).
        assert match  # noqa: S101
        key, value = match["key"], (match["quoted"] or match["bare"] or "").strip()
        # A word that ends in a colon is text, as in DANDI, even if it is an operator.
        if key and (value or match["quoted"] is not None) and _is_operator(key):
            yield _operation(key, value)
        elif words := f"{key}:{value}" if key else value:
            yield Text(words)
        position = _end_of(_SPACE, text, match.end())


def _end_of(pattern: re.Pattern[str], text: str, position: int) -> int:
    match = pattern.match(text, position)
    return match.end() if match else position


def _is_operator(key: str) -> bool:
    """Return whether a word is an operator; InvalidError if it is nearly one."""
    if key in OPERATORS:
        return True
    if close := get_close_matches(key, OPERATORS, n=1, cutoff=_SLIP):
        raise _error(f'There is no operator "{key}". Did you mean "{close[0]}"? To search for the text, quote it.')
    return False


def _operation(key: str, value: str) -> Term:
    if not value:
        raise _error(f'The operator "{key}" needs a value, as in {_example(key)}.')
    if key == "file_type":
        return FileType(FILE_TYPES.get(value.lower(), value.lower()))
    if key == "owner":
        return Owner(value)
    if key in _NAMES:
        return Name(_NAMES[key], value)
    return _moment(key, value)


def _moment(key: str, value: str) -> Moment:
    kind, _, when = key.partition("_")
    # `fromisoformat` alone would take weeks and dates without dashes.
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise _bad_date(key, value)
    try:
        day = date.fromisoformat(value)
    except ValueError:
        raise _bad_date(key, value) from None
    return Moment(_DATES[kind], when == "before", day)


def _bad_date(key: str, value: str) -> InvalidError:
    return _error(f'"{value}" is not a date: write {_example(key)}.')


def _example(key: str) -> str:
    examples = {
        "approach": 'approach:"electrophysiological approach"',
        "file_type": "file_type:nwb",
        "owner": "owner:jane@example.org",
        "species": "species:mouse",
        "technique": 'technique:"spike sorting"',
    }
    return examples.get(key, f"{key}:2026-01-31")


def _error(message: str) -> InvalidError:
    return InvalidError(message, field="search")
