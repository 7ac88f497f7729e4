"""Docstrings name their subject: functions say by a verb what they do or return, classes by a noun what they are."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.house.sources import modules, named

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
ARTICLES = {"A", "An", "The"}
DETERMINERS = {"All", "Any", "Both", "Each", "Every", "One", "Other", "Some", "That", "Their", "These", "This", "Those"}
PRONOUNS = {
    *("Anybody", "Everybody", "He", "It", "Its", "Nobody", "Nothing", "Others", "She", "Somebody", "Something", "Them"),
    *("There", "They"),
}
QUESTIONS = {"How", "What", "When", "Where", "Whether", "Which", "Who", "Whoever", "Whom", "Whose", "Why"}
PREPOSITIONS = {"As", "At", "By", "For", "From", "If", "In", "Not", "Of", "On", "Only", "To", "With", "Without"}
NO_VERBS = ARTICLES | DETERMINERS | PRONOUNS | QUESTIONS | PREPOSITIONS


def first_word(docstring: str) -> str:
    return re.split(r"[\s,.:;]", docstring, maxsplit=1)[0]


def is_imperative(word: str) -> bool:
    """Return whether a word can be an imperative: these are never third persons or plurals, which end in one s."""
    is_one_s = word.endswith("s") and not word.endswith("ss")
    return re.fullmatch(r"[A-Z][a-z-]+", word) is not None and not is_one_s


def fault(node: ast.AST) -> str | None:
    """Return the first word of a docstring that does not name its subject."""
    if not isinstance(node, (*FUNCTIONS, ast.ClassDef)) or not (docstring := ast.get_docstring(node)):
        return None
    word = first_word(docstring)
    if isinstance(node, ast.ClassDef):
        return word if word in PRONOUNS | QUESTIONS else None
    is_verb = is_imperative(word) and word not in NO_VERBS
    return None if is_verb else word


def faults(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (*FUNCTIONS, ast.ClassDef)) and (word := fault(node)) is not None:
            yield f"{node.name}: {word}"


def test_docstrings_name_their_subject() -> None:
    found = {named(file): list(faults(file.read_text())) for file in modules("archive", "dandiapi", "embedded")}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    ("docstring", "word"),
    [
        ("The asset.", "The"),
        ("Whether it is.", "Whether"),
        ("It.", "It"),
        ("All of them.", "All"),
        ("Returns it.", "Returns"),
        ("`x` as y.", "`x`"),
    ],
)
def test_function_whose_docstring_begins_without_a_verb_is_noticed(docstring: str, word: str) -> None:
    assert list(faults(f'def planted() -> None:\n    """{docstring}"""\n')) == [f"planted: {word}"]


def test_class_whose_docstring_asks_what_it_is_is_noticed() -> None:
    assert list(faults('class Planted:\n    """What it is."""\n')) == ["Planted: What"]


def test_class_whose_docstring_names_it_passes() -> None:
    assert list(faults('class Planted:\n    """One thing, planted."""\n')) == []


@pytest.mark.parametrize("docstring", ["Return it.", "Pass it on.", "Raise unless it is."])
def test_function_whose_docstring_begins_with_a_verb_passes(docstring: str) -> None:
    assert list(faults(f'async def planted() -> None:\n    """{docstring}"""\n')) == []
