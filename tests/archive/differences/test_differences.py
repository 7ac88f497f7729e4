"""Differences of JSON documents, and sizes in words."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.differences import ALIGNED_ITEMS, Difference, Operation, differences, size_in_words

ADDED, REMOVED, CHANGED = Operation.ADDED, Operation.REMOVED, Operation.CHANGED

documents = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [Difference(CHANGED, "/a", 1, 2)]),
        ({"a": 1}, {}, [Difference(REMOVED, "/a", old=1)]),
        ({}, {"a": None}, [Difference(ADDED, "/a", new=None)]),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [Difference(CHANGED, "/a/b", 1, 2)]),
        ({"a": {"b": 1}}, {"a": [1]}, [Difference(CHANGED, "/a", {"b": 1}, [1])]),
        ({"a/b~c": 1}, {"a/b~c": 2}, [Difference(CHANGED, "/a~1b~0c", 1, 2)]),
        (1, 2, [Difference(CHANGED, "", 1, 2)]),
    ],
)
def test_differences_are_named_by_pointers(old: Any, new: Any, found: list[Difference]) -> None:
    assert differences(old, new) == found


def test_list_shows_only_what_came_when_something_is_put_in_front() -> None:
    assert differences(["b", "c"], ["a", "b", "c"]) == [Difference(ADDED, "/0", new="a")]


def test_list_shows_only_what_went_when_something_is_taken_out() -> None:
    assert differences(["a", "b", "c"], ["a", "c"]) == [Difference(REMOVED, "/1", old="b")]


def test_list_shows_what_changed_inside_an_item() -> None:
    old, new = [{"name": "Doe", "role": "x"}], [{"name": "Doe", "role": "y"}]
    assert differences(old, new) == [Difference(CHANGED, "/0/role", "x", "y")]


def test_long_list_is_compared_place_by_place() -> None:
    old = list(range(ALIGNED_ITEMS + 1))
    assert differences(old, [*old[:-1], -1]) == [Difference(CHANGED, f"/{ALIGNED_ITEMS}", ALIGNED_ITEMS, -1)]


def test_differences_end_at_the_limit() -> None:
    assert len(differences({}, {str(number): number for number in range(50)}, limit=20)) == 20


@given(documents)
def test_document_does_not_differ_from_itself(document: Any) -> None:
    assert differences(document, document) == []


@given(documents, documents)
def test_documents_that_are_not_equal_differ(old: Any, new: Any) -> None:
    assert bool(differences(old, new)) == (old != new)


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1 kB"),
        (1_234_567, "1.23 MB"),
        (10**18, "1 EB"),
        (10**22, "1e+04 EB"),
    ],
)
def test_size_is_said_in_words(size: int, words: str) -> None:
    assert size_in_words(size) == words
