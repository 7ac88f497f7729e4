"""Names that clients choose: project names of datasets, labels of versions; and what a text may mean."""

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archive.errors import InvalidError
from archive.identifiers.names import (
    MAX_LABEL,
    VersionReference,
    check_label,
    check_project_name,
    dataset_number_in,
    label_sort_key,
    version_name,
    version_reference,
)

LABELS = ["1.0.0", "v2", "2024-review", "a", "x" * MAX_LABEL, "1", "α-1", "1.0.0+build.5", "release_1", "1.0.0-rc.1"]
NO_LABELS = {
    "": "1 to 64 characters",
    "x" * (MAX_LABEL + 1): "1 to 64 characters",
    "draft": "a meaning of its own",
    "Latest": "a meaning of its own",
    "HEAD": "a meaning of its own",
    "0.260102.0304": "the archive gives a version",
    "1 0": "legal name of a git tag",
    "1..0": "legal name of a git tag",
    "v1/2": "without slashes",
    "1~0": "legal name of a git tag",
    "a@{b": "legal name of a git tag",
    "a\nb": "legal name of a git tag",
    "a\u200bb": "legal name of a git tag",
    "\ud800": "legal name of a git tag",
    ".1": "begins with no dot",
    "-1": "begins with no dot",
    "1.": "ends in no dot",
    "1.lock": "ends in no dot",
    "@": "begins with no dot",
}


def is_label(text: str) -> bool:
    try:
        check_label(text)
    except InvalidError:
        return False
    return True


@pytest.mark.parametrize("label", LABELS)
def test_label_may_be(label: str) -> None:
    check_label(label)


@pytest.mark.parametrize(("label", "reason"), NO_LABELS.items())
def test_label_is_refused_with_the_reason(label: str, reason: str) -> None:
    with pytest.raises(InvalidError, match=re.escape(reason)) as caught:
        check_label(label)
    assert caught.value.field == "label"


@given(st.text(st.characters(max_codepoint=0x17F), min_size=1, max_size=6))
def test_label_is_always_a_tag_to_git(text: str) -> None:
    assume(is_label(text))
    assert subprocess.run(["git", "check-ref-format", f"refs/tags/{text}"], check=False).returncode == 0


@pytest.mark.parametrize("label", LABELS)
def test_label_is_taken_by_git(label: str, tmp_path: Path) -> None:
    author = ["-c", "user.name=A", "-c", "user.email=a@example.org"]
    for command in (["init", "-q"], [*author, "commit", "-q", "--allow-empty", "-m", "1"], ["tag", label]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)


@given(st.integers(0, 999_999))
def test_number_is_read_from_both_ways_of_writing_it(number: int) -> None:
    assert dataset_number_in(f"{number:06}") == dataset_number_in(f"ds{number:06}") == number


@pytest.mark.parametrize("name", ["a", "Mouse_Vision.2", "DS", "ds1", "ds0000001", "1234567", "PRJ-1"])
def test_project_name_may_be(name: str) -> None:
    check_project_name(name)
    assert dataset_number_in(name) is None


@pytest.mark.parametrize("name", ["", "a b", "a:b", "a/b", "_a", "..a", "ä", "a\n", "x" * 129, "000123", "ds000123"])
def test_project_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidError) as caught:
        check_project_name(name)
    assert caught.value.field == "project_name"


@given(st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants it so
def test_name_by_the_clock_is_no_label_and_means_that_version(moment: datetime) -> None:
    name = version_name(moment)
    assert not is_label(name)
    assert version_reference(name) == VersionReference(name=name)


def test_text_means_a_draft_a_label_or_an_ordinal() -> None:
    assert version_reference("draft") == VersionReference(name="draft")
    assert version_reference("1.0.0") == VersionReference(label="1.0.0")
    assert version_reference("12") == VersionReference(label="12", ordinal=12)
    assert version_reference("1" * 40).ordinal is None
    assert version_reference("²").ordinal is None


def test_labels_are_ordered_as_semantic_versions_behind_all_others_by_time() -> None:
    labels = ["1.10.0", None, "1.9.0", "v3", "1.10.0-rc.1"]
    numbered = list(enumerate(labels, start=1))
    ordered = sorted(numbered, key=lambda pair: label_sort_key(pair[1], pair[0]))
    assert [label for _, label in ordered] == [None, "v3", "1.9.0", "1.10.0-rc.1", "1.10.0"]
