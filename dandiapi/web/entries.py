"""The entries of metadata and their values, in words: people know no JSON."""

import re
from collections.abc import Sequence
from typing import Any

STEP = " › "


def entry_in_words(document: Any, path: Sequence[str]) -> str:
    """Return the place in a document that `path` leads to: "Contributor › Doe, Jane › Email".

    An item of a list is called by its name if it has one, and otherwise counted, from 1.
    """
    words = []
    for step in path:
        document = _below(document, step)
        words.append(_name_of(document) or str(int(step) + 1) if step.isdecimal() else _key_in_words(step))
    return STEP.join(words)


def value_at(document: Any, path: Sequence[str]) -> Any:
    """Return the value that `path` leads to; None if it leads nowhere."""
    for step in path:
        document = _below(document, step)
    return document


def _below(document: Any, step: str) -> Any:
    if isinstance(document, dict):
        return document.get(step)
    is_index = isinstance(document, list) and step.isdecimal() and int(step) < len(document)
    return document[int(step)] if is_index else None


def _name_of(item: Any) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else ""


def _key_in_words(key: str) -> str:
    """Return `relatedResource` as "Related resource"."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key)
    return words[:1].upper() + words[1:].lower()


def value_in_words(value: Any) -> str:
    """Return a value as text, line by line, without empty values and schema keys."""
    if isinstance(value, dict):
        shown = {key: value_in_words(item) for key, item in value.items() if key != "schemaKey"}
        return "\n".join(f"{_key_in_words(key)}: {', '.join(text.splitlines())}" for key, text in shown.items() if text)
    if isinstance(value, list):
        return "\n".join(", ".join(value_in_words(item).splitlines()) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "" if value is None else str(value)
