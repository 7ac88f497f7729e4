"""The rules of a path inside a dataset (docs/dialects/dandi.md#paths, docs/decisions/paths.md)."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import InvalidError
from archive.paths import ancestors, case_key, check_path, composed, name_of, parent

MIB = 2**20
JOINERS = "\u200c\u200d"
# Persian for "books", written with the one, and a Sinhala syllable with the other.
JOINED = "\u06a9\u062a\u0627\u0628\u200c\u0647\u0627/\u0dc1\u0dca\u200d\u0dbb\u0dd3.txt"

harmless = st.characters(exclude_categories=["C", "Zl", "Zp"], exclude_characters="/\\")
names = (
    st.text(harmless, min_size=1, max_size=20)
    .map(lambda text: unicodedata.normalize("NFC", text))
    .filter(lambda name: name.casefold() not in {".", "..", ".git", ".gitmodules"})
)
good_paths = (
    st.lists(names, min_size=1, max_size=8).map("/".join).filter(lambda path: unicodedata.is_normalized("NFC", path))
)


@given(good_paths)
def test_check_returns_a_good_path_as_it_came(path: str) -> None:
    assert check_path(path) == path


@given(good_paths, st.sampled_from(["..", ".", "", ".git", ".Git", ".GITMODULES"]), good_paths)
def test_check_refuses_a_name_that_leads_elsewhere_wherever_it_stands(before: str, name: str, after: str) -> None:
    for path in [f"{name}/{after}", f"{before}/{name}/{after}", f"{before}/{name}"]:
        with pytest.raises(InvalidError):
            check_path(path)


@given(
    st.text(harmless),
    st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp"], exclude_characters=JOINERS) | st.just("\\"),
    st.text(harmless),
)
def test_check_refuses_a_character_that_is_not_seen_wherever_it_stands(before: str, hidden: str, after: str) -> None:
    with pytest.raises(InvalidError):
        check_path(before + hidden + after)


@pytest.mark.parametrize(
    ("path", "fault"),
    [
        (None, "Path must be a string"),
        (b"a", "Path must be a string"),
        ("", "Path must not be empty"),
        ("/a", "Path must not begin with /"),
        ("a/", "it contains an empty name (// or a trailing /)"),
        ("a//b", "it contains an empty name (// or a trailing /)"),
        ("a/../b", "'..' is not allowed as a name"),
        ("./a", "'.' is not allowed as a name"),
        (".git/config", "'.git' is not allowed as a name"),
        ("a/.GIT/config", "'.GIT' is not allowed as a name"),
        ("a/.gitModules", "'.gitModules' is not allowed as a name"),
        ("a\\b", "it contains a backslash"),
        ("a\nb", "it contains a control character"),
        ("a\x00b", "it contains a control character"),
        ("a\u202eb", "it contains a control character"),
        ("a\u2028b", "it contains a control character"),
        ("sub-1/e\u0301.txt", "it is not in Unicode normalization form C; use 'sub-1/\u00e9.txt'"),
        ("\ud800", "it is not valid Unicode"),
        ("a" * 256, "a name in it is longer than 255 bytes"),
        ("é" * 128, "a name in it is longer than 255 bytes"),
        ("/".join(["aa"] * 172), "it is longer than 512 characters"),
        ("/".join(["€€€€"] * 100), "it is longer than 1024 bytes"),
    ],
)
def test_check_says_what_is_wrong(path: object, fault: str) -> None:
    with pytest.raises(InvalidError) as caught:
        check_path(path, field="path")
    assert caught.value.message.removeprefix("Path improperly formatted: ") == fault
    assert caught.value.field == "path"


@pytest.mark.parametrize(
    "path",
    ["a", "a b/c", "...", ".gitignore", ".dandi/x", "é" * 127, "/".join(["aa"] * 170) + "/b", "sub-01/+-=!'\"", JOINED],
)
def test_check_takes_what_is_unusual_but_harmless(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize("path", ["a" * MIB, "/" * MIB, "a/" * (MIB // 2), "../" * (MIB // 3), "e\u0301" * (MIB // 2)])
def test_check_refuses_a_million_characters_at_once(path: str) -> None:
    started = time.perf_counter()
    with pytest.raises(InvalidError):
        check_path(path)
    assert time.perf_counter() - started < 0.5


@pytest.mark.parametrize(
    ("one", "other"),
    [("a/B.txt", "A/b.TXT"), ("été", "ÉTÉ"), ("ὁδός", "ὉΔΌΣ"), ("straße", "STRAßE")],
)
def test_case_keys_are_equal_when_only_their_case_differs(one: str, other: str) -> None:
    assert case_key(one) == case_key(other)
    assert len(case_key(one)) == len(one)


@pytest.mark.parametrize("path", ["e\u0301te\u0301", "\u00e9t\u00e9"])
def test_composed_path_is_as_it_is_stored(path: str) -> None:
    assert check_path(composed(path)) == "\u00e9t\u00e9"


@given(good_paths)
def test_parent_and_name_make_the_path_again(path: str) -> None:
    assert f"{parent(path)}/{name_of(path)}".removeprefix("/") == path


@given(good_paths)
def test_ancestors_are_the_parents_up_to_the_root(path: str) -> None:
    folders = list(ancestors(path))
    assert folders == [parent(below) for below in [path, *folders[:-1]]]
    assert folders[-1] == ""


def test_ancestors_come_nearest_first() -> None:
    assert list(ancestors("a/b/c.nwb")) == ["a/b", "a", ""]
    assert list(ancestors("c.nwb")) == [""]
