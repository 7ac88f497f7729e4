"""Names that some system takes for git's own are refused, as `git fsck` refuses them."""

import pytest

from archive.errors import InvalidError
from archive.paths import check_path, fits_git

TAKEN_FOR_GITS = [
    "git~1",
    "GIT~1",
    ".git ",
    ".git.",
    ".git . .",
    ".Git::$INDEX_ALLOCATION",
    "git~1:stream",
    ".gitmodules ",
    ".GITMODULES:x",
    "gitmod~1",
    "GITMOD~4",
    "gi7eba~1",
    "gi7eb~10",
    "~1000000",
]
HARMLESS = [".gitignore", ".gitattributes", "git~2", ".gitx", "x.git", "git", ".github", "gitmod~5", "gi7eba~0", "..."]


@pytest.mark.parametrize("name", TAKEN_FOR_GITS)
@pytest.mark.parametrize("path", ["{}", "a/{}", "{}/a", "a/{}/b"])
def test_check_refuses_what_is_taken_for_gits_own_wherever_it_stands(name: str, path: str) -> None:
    with pytest.raises(InvalidError):
        check_path(path.format(name))
    assert not fits_git(path.format(name))


@pytest.mark.parametrize("name", HARMLESS)
def test_check_lets_other_names_be(name: str) -> None:
    assert check_path(name) == name


@pytest.mark.parametrize("character", ["\u200c", "\u200d", "\u202e", "\ufeff"])
def test_git_cannot_have_a_name_that_macos_takes_for_gits_own(character: str) -> None:
    assert not fits_git(f"a/.g{character}it/config")
