"""Patterns of LIKE."""

import pytest

from archive.patterns import like_glob, like_text


@pytest.mark.parametrize(
    ("glob", "pattern"),
    [
        ("", ""),
        ("a", "a"),
        ("*", "%"),
        ("sub-*/*.nwb", "sub-%/%.nwb"),
        ("**/a", "%/a"),
        ("*" * 1023 + "b", "%b"),
        ("100%_\\*", "100\\%\\_\\\\%"),
        (".?[a-z]", ".?[a-z]"),
    ],
)
def test_glob_is_a_pattern_with_one_sign_for_each_run_of_stars(glob: str, pattern: str) -> None:
    assert like_glob(glob) == pattern


def test_text_stands_for_itself() -> None:
    assert like_text("50%_of\\it*") == "50\\%\\_of\\\\it*"
