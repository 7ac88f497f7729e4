"""Folding and lexemes: what is found is what is there."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.search.text import (
    MAX_LEXEME_BYTES,
    PIECE,
    PROBE,
    fold,
    is_told_by_probes,
    lexemes,
    probes,
    searchable_text,
)


def _matches(probe: str, words: set[str]) -> bool:
    """What PostgreSQL does with a probe."""
    text = re.sub(r"^'|'(:\*)?$", "", probe)
    return any(word.startswith(text) for word in words) if probe.endswith(":*") else text in words


def _found(part: str, text: str) -> bool:
    words = set(lexemes(text))
    return all(_matches(probe, words) for probe in probes(part))


@pytest.mark.parametrize(
    ("text", "folded"),
    [("Müller", "muller"), ("STRASSE Straße", "strasse strasse"), ("a \n\t b", "a b"), ("ﬁne", "fine"), ("Å", "a")],
)
def test_fold_leaves_out_case_accents_and_kinds_of_space(text: str, folded: str) -> None:
    assert fold(text) == folded


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Sørensen Ærø", "sorensen aero"),
        ("Łódź", "lodz"),
        ("Đorđević", "dordevic"),
        ("STRAẞE Straße", "strasse strasse"),
        ("Œuvre cœur", "oeuvre coeur"),
        ("Þórður Guðmundsson", "thordur gudmundsson"),
        ("Diyarbakır İstanbul ISPARTA ısparta", "diyarbakir istanbul isparta isparta"),
        ("Ħamrun għaqda", "hamrun ghaqda"),
        ("Ŧáhkku eaŋgalas Ǥ Ʒ ǯ", "tahkku eangalas g z z"),
        ("ĸ ŉ ĳ ŀ ſ Əli", "q 'n ij l· s ali"),
        ("Ґава Київ Њ", "гава київ њ".replace("ї", "і")),
        ("ǿ ǿ Ǽ", "o o ae"),
        ("d’Été Brezhonegʼ", "d'ete brezhoneg'"),
    ],
)
def test_fold_knows_the_letters_of_europe_that_are_no_letter_with_an_accent(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
def test_fold_changes_nothing_twice(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_searchable_text_is_json_as_it_reads() -> None:
    text = searchable_text({"name": 'A "Mouse"\nin C\\D', "keys": ["é", 1]})
    assert text == '{"name": "a "mouse" in c\\d", "keys": ["e", 1]}'


@pytest.mark.parametrize(
    "part", ["mouse", "ous", "e", "c57bl/6", "7bl/6j", '"mouse c5', "se c57", "visual cort", '6j", v']
)
def test_lexemes_have_every_part_of_a_text(part: str) -> None:
    assert _found(part, '"mouse c57bl/6j", visual cortex')


@pytest.mark.parametrize("part", ["visual mouse", "isual mo", "visual cells", "mouse cortex"])
def test_lexemes_tell_which_words_stand_side_by_side(part: str) -> None:
    assert not _found(part, "visual cortex; visual, mouse; cells; mouse-cortex")


@pytest.mark.parametrize("part", ["of na", "s of naive", "pus of n", "f na"])
def test_lexemes_have_phrases_that_begin_with_the_end_of_a_word(part: str) -> None:
    assert _found(part, "hippocampus of naive mice")


@pytest.mark.parametrize("part", ["mice", "se mouse", "bl/7", "ual-c", "isual co", "tex."])
def test_lexemes_with_the_text_tell_what_is_not_there(part: str) -> None:
    text = '"mouse c57bl/6j", visual/cortex'
    assert [_found(part, text), part in text].count(True) < 2
    assert part not in text


@given(st.text(alphabet='abcé7/."_ ß', max_size=200), st.data())
def test_lexemes_never_hide_a_part_that_is_there(text: str, data: st.DataObject) -> None:
    folded = fold(text)
    start = data.draw(st.integers(0, len(folded)))
    assert _found(folded[start : start + data.draw(st.integers(0, 60))], folded)


@given(st.integers(1, 300), st.data())
def test_lexemes_never_hide_a_part_of_a_long_word(length: int, data: st.DataObject) -> None:
    word = data.draw(st.text(alphabet="ab", min_size=length, max_size=length))
    start = data.draw(st.integers(0, length - 1))
    assert _found(word[start : start + data.draw(st.integers(1, 2 * PIECE))], word)


@given(st.text(alphabet="ab_. ", max_size=30), st.text(alphabet="ab_. ", min_size=1, max_size=8))
def test_lexemes_alone_tell_of_parts_of_one_word(text: str, part: str) -> None:
    told = is_told_by_probes(part)
    assert [part] * told == [part] * (told and _found(part, text) == (part in text))


def test_lexemes_fit_into_a_row() -> None:
    words = " ".join(f"{number:0{PROBE}x}" for number in range(30_000))
    assert sum(len(lexeme.encode()) for lexeme in lexemes(words)) <= MAX_LEXEME_BYTES
