"""Which files are in git itself, and how a clone is told."""

import pytest

from archive.git_annex.attributes import MAX_LINE, Rules, is_sound_in_git

RULES = Rules(["README*", "*.json"], 100)


@pytest.mark.parametrize(
    ("path", "size", "is_in_git"),
    [
        ("README.md", 100, True),
        ("README.md", 101, False),
        ("sub-1/a.json", 1, True),
        ("README/a.nwb", 1, False),
        ("readme.md", 1, False),
    ],
)
def test_file_is_in_git_by_its_name_and_size(path: str, size: int, is_in_git: bool) -> None:
    assert RULES.keeps_in_git(path, size) is is_in_git


def test_attributes_say_the_same_to_git_annex() -> None:
    assert RULES.attributes().decode().splitlines() == [
        "* annex.backend=SHA256E annex.largefiles=anything",
        "README* annex.largefiles=largerthan=100",
        "*.json annex.largefiles=largerthan=100",
    ]


@pytest.mark.parametrize("path", [".gitattributes", "sub-1/.GitAttributes"])
def test_attributes_are_sound_when_no_line_is_too_long_for_git(path: str) -> None:
    line = b"x" * (MAX_LINE - 1)
    assert is_sound_in_git(path, line + b"\n" + line)
    assert not is_sound_in_git(path, line + b"x")


def test_other_files_are_sound_whatever_they_hold() -> None:
    assert is_sound_in_git("README.md", b"x" * MAX_LINE)
