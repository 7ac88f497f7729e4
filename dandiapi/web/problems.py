"""The problems of metadata in plain words: which entry, its value, and what to write instead.

What the archive keeps, and tells programs, are the messages of the schema's own checks, which people know; but they
show regular expressions and Python.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from archive.accounts.models import NAME_PART
from archive.metadata.problems import MAX_MESSAGE, problems_of_object
from dandiapi.web.entries import entry_in_words, value_at

VALUE_CHARACTERS = 80
# Larger parts are not validated again for each view of the page: no honest person or place is so large.
PART_CHARACTERS = 3000
PERSON = "Write the last name, a comma and the first name, as “Doe, Jane”, with letters, hyphens, dots and apostrophes."

PERSON_NAME = r"^([\w\s\-\.']+),"

# How to write a value that must match a regular expression of the schema, by the beginning of the expression.
FORMS = {
    PERSON_NAME: PERSON,
    r"^\d{4}-\d{4}-\d{4}": "Write an ORCID as four groups of digits, as “0000-0002-1825-0097”.",
    r"^https://ror.org/": "Write an identifier of ROR, as “https://ror.org/03yrm5c26”.",
    r"^RRID:": "Write an RRID, as “RRID:SCR_016433”.",
    r"^dandi://": "Write an address as “dandi://DANDI/000001”.",
}
# Messages of the schema about a whole object, in plain words.
SENTENCES = {
    "A Dandiset containing no files or zero bytes is not publishable": (
        "There is nothing in the dataset yet: upload a file that is not empty."
    ),
    "At least one contributor must have role ContactPerson": (
        "Nobody is the contact person: give the role “dcite:ContactPerson” to a contributor with an e-mail address."
    ),
    "Both identifier and url cannot be None": "It has neither an identifier nor a web address: give one of them.",
    "The value field of a PropertyValue cannot be None or empty.": "It has no value: give one.",
}
KINDS = {
    "array": "a list",
    "boolean": "yes or no (true or false)",
    "integer": "a whole number",
    "number": "a number",
    "object": "an entry with fields of its own",
    "string": "a text",
}
FORMATS = {
    "date": "a date: write it as “2026-01-31”",
    "date-time": "a moment: write it as “2026-01-31T12:00:00+00:00”",
    "email": "an e-mail address: write it as “jane@example.org”",
    "uri": "a web address: write it whole, as “https://example.org/page”",
    "uuid4": "a UUID: write 32 hexadecimal digits",
}


@dataclass(frozen=True)
class ShownProblem:
    """A problem on a page."""

    path: str
    entry: str
    message: str


def in_words(problem: Mapping[str, str], metadata: Mapping[str, Any] | None) -> Iterator[ShownProblem]:
    """Yield a problem as a page says it, or several where its message hides more than one.

    `metadata` are those of the dataset; None for what is about a file (`path`).
    """
    steps = problem["field"].split(".") if problem["field"] else []
    value = value_at(metadata, steps)
    for below, message in _explained(value, problem["message"]):
        yield ShownProblem(problem.get("path", ""), entry_in_words(metadata, [*steps, *below]), _said(message))


def _explained(value: Any, message: str) -> Iterable[tuple[list[str], str]]:
    """Return the message, or in its place the messages of all that is wrong in `value`, each with its place."""
    inner: list[tuple[list[str], str]] = []
    if message.startswith("String should match pattern") and isinstance(value, list):
        inner = list(_odd_names(value))
    if message.startswith("{") and isinstance(value, dict) and len(str(value)) <= PART_CHARACTERS:
        inner = [(each.field.split(".") if each.field else [], each.message) for each in problems_of_object(value)]
    return inner or [([], message)]


def _odd_names(people: Iterable[Any]) -> Iterator[tuple[list[str], str]]:
    for place, person in enumerate(people):
        name = person.get("name") if isinstance(person, dict) and person.get("schemaKey") == "Person" else None
        if isinstance(name, str) and not re.fullmatch(rf"{NAME_PART.pattern},\s+{NAME_PART.pattern}", name):
            yield [str(place), "name"], f"{name!r} does not match '{PERSON_NAME}'"


def _said(message: str) -> str:
    """Return a message of the schema's checks in plain words."""
    for pattern, say in _SAYINGS:
        if match := re.fullmatch(pattern, message, re.DOTALL):
            return say(match)
    return message


def _quoted(value: str) -> str:
    """Return a value of a message in the quotes that people use, cut to a readable length."""
    text = value[1:-1] if value[:1] in {"'", '"'} else value
    return f"“{text}”" if len(text) <= VALUE_CHARACTERS else f"“{text[:VALUE_CHARACTERS]}…”"


def _form(pattern: str) -> str:
    plain = pattern.replace("\\\\", "\\")
    return next((form for start, form in FORMS.items() if plain.startswith(start)), "See the schema for its form.")


def _choices(text: str) -> str:
    return ", ".join(re.findall(r"['\"]([^'\"]+)['\"]", text)) or text


_SAYINGS = (
    (r"Value error, (.*)", lambda match: SENTENCES.get(match[1], match[1])),
    (r"String should match pattern '(.*)'", lambda match: f"It is not written as it has to be. {_form(match[1])}"),
    (
        r"(.*) does not match ['\"](.*)['\"]",
        lambda match: f"{_quoted(match[1])} is not written as it has to be. {_form(match[2])}",
    ),
    (r"\[\] (?:should be non-empty|is too short)", lambda _: "It is empty: give at least one."),
    (r"'' (?:should be non-empty|is too short)", lambda _: "It is empty: write something."),
    (r"'(.*)' is a required property", lambda match: f"{entry_in_words(None, [match[1]])} is missing: add it."),
    (
        r"(.*) is not of type '(\w+)'",
        lambda match: f"{_quoted(match[1])} is not {KINDS.get(match[2], match[2])}: write one.",
    ),
    (r"(.*) is not one of \[(.*)\]", lambda match: f"{_quoted(match[1])} is none of: {_choices(match[2])}."),
    (
        r"(.*) is not an? '([\w-]+)'",
        lambda match: f"{_quoted(match[1])} is not {FORMATS.get(match[2], match[2])}.",
    ),
    (r"(.*) was expected", lambda match: f"Write {_quoted(match[1])} here."),
    (r"(.*) is too long", lambda match: f"{_quoted(match[1])} is too long: shorten it."),
    (
        r"(.*) is not valid under any of the given schemas",
        lambda match: (
            f"{_quoted(match[1])} has a form that nothing here expects: see the schema for what may stand here."
        ),
    ),
    # Messages that show a long value are cut before they say what is wrong with it.
    (
        rf"(['\"\[{{].{{{MAX_MESSAGE - 1}}})",
        lambda match: f"{_quoted(match[1])} is too long: shorten it, or see the schema for what may stand here.",
    ),
)
