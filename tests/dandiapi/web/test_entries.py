"""Entries of metadata and their values, in words."""

from typing import Any

import pytest

from dandiapi.web.entries import entry_in_words, value_in_words

DOCUMENT = {
    "contributor": [{"name": "Doe, Jane", "email": "j@example.org"}, {"email": "x"}, {"name": 5}],
    "keywords": ["mouse"],
}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (["description"], "Description"),
        (["relatedResource", "0", "url"], "Related resource › 1 › Url"),
        (["contributor", "0", "email"], "Contributor › Doe, Jane › Email"),
        (["contributor", "1"], "Contributor › 2"),
        (["contributor", "2"], "Contributor › 3"),
        (["contributor", "9", "name"], "Contributor › 10 › Name"),
        (["keywords", "0", "x"], "Keywords › 1 › X"),
        ([], ""),
    ],
)
def test_entry_is_called_by_its_keys_and_the_names_of_items(path: list[str], words: str) -> None:
    assert entry_in_words(DOCUMENT, path) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("Mice.", "Mice."),
        (None, ""),
        (True, "yes"),
        (5, "5"),
        (["a", "b"], "a\nb"),
        (
            {"schemaKey": "Person", "name": "Doe, Jane", "roleName": ["a", "b"], "affiliation": []},
            "Name: Doe, Jane\nRole name: a, b",
        ),
        ([{"name": "A", "isOld": False}], "Name: A, Is old: no"),
    ],
)
def test_value_is_text_line_by_line(value: Any, words: str) -> None:
    assert value_in_words(value) == words
