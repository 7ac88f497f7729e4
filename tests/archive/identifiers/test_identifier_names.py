"""The many names of one number (docs/dialects/dandi.md#values, docs/dialects/dandi.md#version-names)."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.errors import InvalidError
from archive.identifiers.names import (
    dandiset_identifier,
    doi_name,
    next_version_name,
    parse_dandiset_number,
    version_name,
)


@given(st.integers(0, 999_999))
def test_parse_reads_back_every_spelling_of_a_number(number: int) -> None:
    identifier = dandiset_identifier(number)
    assert len(identifier) == 6
    assert parse_dandiset_number(identifier) == number
    assert parse_dandiset_number(f"DANDI:{identifier}") == number
    assert parse_dandiset_number(number) == number


@pytest.mark.parametrize(
    "value",
    [
        "",
        "1",
        "0000001",
        "00000a",
        " 000001",
        "000001\n",
        "OTHER:000001",
        "DANDI:DANDI:000001",
        "\u0660\u0660\u0660\u0660\u0660\u0661",
        "²00000",
        -1,
        1_000_000,
        1.0,
        True,
        None,
        [],
        {},
        b"000001",
    ],
)
def test_parse_refuses_what_is_no_identifier(value: object) -> None:
    with pytest.raises(InvalidError, match=r"^A valid Dandiset identifier is required\.$") as caught:
        parse_dandiset_number(value, field="dandiset")
    assert caught.value.field == "dandiset"


def test_doi_names_prefix_instance_number_and_version() -> None:
    assert doi_name(123, "0.260102.0304") == "10.80507/dandi.000123/0.260102.0304"


def test_version_is_named_for_its_moment_in_utc() -> None:
    somewhere = timezone(timedelta(hours=-5))
    assert version_name(datetime(2026, 1, 1, 23, 4, 59, tzinfo=somewhere)) == "0.260102.0404"


def test_next_version_name_goes_on_by_minutes_while_taken() -> None:
    moment = datetime(2025, 12, 31, 23, 58, tzinfo=UTC)
    taken = {"0.251231.2358", "0.251231.2359", "0.260101.0001"}
    assert next_version_name(moment, set()) == "0.251231.2358"
    assert next_version_name(moment, taken) == "0.260101.0000"
