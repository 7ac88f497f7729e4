"""DANDI's search language (docs/dialects/dandi.md#search-language)."""

from datetime import date
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import InvalidError
from archive.search.grammar import MAX_CHARACTERS, All, FileType, Moment, Name, Owner, Term, Text, parse

QUOTE = '"'


@pytest.mark.parametrize(
    ("search", "terms"),
    [
        ("", []),
        ("  \t\n ", []),
        ("mouse cortex", [Text("mouse"), Text("cortex")]),
        ("mouse owner:x " * 50, [Text("mouse"), Owner("x")]),
        ('"mouse cortex"', [Text("mouse cortex")]),
        ('a"b c"d', [Text("a"), Text("b c"), Text("d")]),
        ('""', []),
        ("mo\0use", [Text("mouse")]),
        ('"species:mouse"', [Text("species:mouse")]),
        ("Species:mouse", [Text("Species:mouse")]),
        ("10.48324:x", [Text("10.48324:x")]),
        ("https://doi.org/10.48324/x", [Text("https://doi.org/10.48324/x")]),
        ("a: b", [Text("a:"), Text("b")]),
        ('title:"mouse cortex"', [Text("title:mouse cortex")]),
        ("species:mouse doi:10.1", [Name("species", "mouse"), Text("doi:10.1")]),
        ("species:", [Text("species:")]),
        ("owner: jane created_after:", [Text("owner:"), Text("jane"), Text("created_after:")]),
        ("species:mouse", [Name("species", "mouse")]),
        ('species:"Mus musculus"', [Name("species", "Mus musculus")]),
        ("approach:a technique:b:c", [Name("approach", "a"), Name("technique", "b:c")]),
        ("created_before:2026-01-31", [Moment("created", is_before=True, day=date(2026, 1, 31))]),
        ("modified_after:2026-01-31", [Moment("modified", is_before=False, day=date(2026, 1, 31))]),
        ("published_after:2024-02-29", [Moment("published", is_before=False, day=date(2024, 2, 29))]),
        ("file_type:nwb", [FileType("application/x-nwb")]),
        ("file_type:Image", [FileType("image/")]),
        ("file_type:text/csv", [FileType("text/csv")]),
        ('owner:"Jane Doe"', [Owner("Jane Doe")]),
    ],
)
def test_parse_reads_terms(search: str, terms: list[Term]) -> None:
    assert parse(search) == All(tuple(terms))


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ('"mouse', "A quotation mark is missing"),
        ('species:"mouse', "A quotation mark is missing"),
        ("speices:mouse", 'Did you mean "species"?'),
        ("created:2026-01-31", 'Did you mean "created_'),
        ('species:""', "needs a value, as in species:mouse"),
        ('species:" "', "needs a value"),
        ("created_after:yesterday", '"yesterday" is not a date: write created_after:2026-01-31.'),
        ("created_after:2026-02-30", "is not a date"),
        ("created_after:2026-W01-1", "is not a date"),
        ("created_after:２０２６-01-01", "is not a date"),
        ("x" * (MAX_CHARACTERS + 1), "at most 1024 characters"),
        (" ".join(f"owner:{number}" for number in range(110)), "at most 10 different operators"),
        (" ".join(f"modified_after:20{year}-01-01" for year in range(10, 21)), "this one has 11"),
    ],
)
def test_parse_says_what_is_wrong(search: str, message: str) -> None:
    with pytest.raises(InvalidError) as caught:
        parse(search)
    assert message in caught.value.message
    assert caught.value.field == "search"


def _is_answered(search: str) -> bool:
    """Whether it is read, or refused with a reason."""
    try:
        parse(search)
    except InvalidError as error:
        return bool(error.message)
    return True


@given(st.text(max_size=MAX_CHARACTERS))
def test_parse_answers_any_text(search: str) -> None:
    assert _is_answered(search)


@given(st.text(alphabet='ab_:" \t2-', max_size=60))
def test_parse_answers_any_text_that_looks_like_its_language(search: str) -> None:
    assert _is_answered(search)


@given(st.lists(st.text(alphabet=st.characters(exclude_characters=QUOTE + "\0"), min_size=1).filter(str.strip)))
def test_parse_finds_again_what_was_quoted(phrases: list[str]) -> None:
    search = " ".join(f'"{phrase}"' for phrase in phrases)[:MAX_CHARACTERS]
    expected = [phrase.strip() for phrase in search.split(QUOTE)[1::2] if phrase.strip()]
    assert [term.text for term in _read(search)] == list(dict.fromkeys(expected))


def _read(search: str) -> list[Text]:
    return [term for term in parse(search + QUOTE * (search.count(QUOTE) % 2)).terms if isinstance(term, Text)]


@pytest.mark.parametrize("unit", ["a", "a_", "a:", '""', 'a""', " a", ":", "a:b "])
def test_parse_is_quick_whatever_is_repeated(unit: str) -> None:
    search = (unit * MAX_CHARACTERS)[:MAX_CHARACTERS]
    began = process_time()
    for _ in range(20):
        _is_answered(search)
    assert process_time() - began < 1.0
