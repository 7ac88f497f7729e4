"""The differences between two JSON documents, and sizes in words. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from itertools import islice
from typing import Any

import orjson

# Longer lists are compared index by index: aligning them takes quadratic time.
ALIGNED_ITEMS = 200
MAX_DIFFERENCES = 200
UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB", "EB")


class Operation(StrEnum):
    """The kind of change to a value."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


@dataclass(frozen=True)
class Difference:
    """A value that is in one document only, or differs between the two.

    `pointer` is a JSON Pointer (RFC 6901): into the newer document, or for what was removed into the older.
    """

    operation: Operation
    pointer: str
    old: Any = None
    new: Any = None

    @property
    def path(self) -> list[str]:
        """Return the keys and indexes that the pointer is made of."""
        return [step.replace("~1", "/").replace("~0", "~") for step in self.pointer.split("/")[1:]]


def differences(old: Any, new: Any, *, limit: int = MAX_DIFFERENCES) -> list[Difference]:
    """Return at most `limit` differences between two documents, in the order of the older one."""
    return list(islice(_compare(old, new, ""), limit))


def _compare(old: Any, new: Any, pointer: str) -> Iterator[Difference]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _compare_objects(old, new, pointer)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(old, new, pointer)
    else:
        yield Difference(Operation.CHANGED, pointer, old, new)


def _compare_objects(old: Mapping[str, Any], new: Mapping[str, Any], pointer: str) -> Iterator[Difference]:
    for key, value in old.items():
        below = f"{pointer}/{_escaped(key)}"
        if key in new:
            yield from _compare(value, new[key], below)
        else:
            yield Difference(Operation.REMOVED, below, old=value)
    for key in [key for key in new if key not in old]:
        yield Difference(Operation.ADDED, f"{pointer}/{_escaped(key)}", new=new[key])


def _compare_lists(old: Sequence[Any], new: Sequence[Any], pointer: str) -> Iterator[Difference]:
    for start, end, new_start, new_end in _unequal_spans(old, new):
        paired = min(end - start, new_end - new_start)
        for index in range(paired):
            yield from _compare(old[start + index], new[new_start + index], f"{pointer}/{new_start + index}")
        for index in range(start + paired, end):
            yield Difference(Operation.REMOVED, f"{pointer}/{index}", old=old[index])
        for index in range(new_start + paired, new_end):
            yield Difference(Operation.ADDED, f"{pointer}/{index}", new=new[index])


def _unequal_spans(old: Sequence[Any], new: Sequence[Any]) -> Iterator[tuple[int, int, int, int]]:
    if max(len(old), len(new)) > ALIGNED_ITEMS:
        yield 0, len(old), 0, len(new)
        return
    for tag, *span in SequenceMatcher(a=_texts(old), b=_texts(new), autojunk=False).get_opcodes():
        if tag != "equal":
            start, end, new_start, new_end = span
            yield start, end, new_start, new_end


def _texts(items: Sequence[Any]) -> list[bytes]:
    return [orjson.dumps(item, option=orjson.OPT_SORT_KEYS) for item in items]


def _escaped(key: str) -> str:
    return key.replace("~", "~0").replace("/", "~1")


def size_in_words(size: int) -> str:
    """Return a number of bytes as people say it, in powers of 1000; below zero, with a minus."""
    if size < 0:
        return f"−{size_in_words(-size)}"
    if size == 1:
        return "1 byte"
    amount, unit = float(size), 0
    while amount >= 999.5 and unit < len(UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.3g} {UNITS[unit]}"
