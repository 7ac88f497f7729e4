"""The documents at the root of a BIDS dataset: what is read of them, and how their texts are changed."""

import json
import time
from datetime import date
from typing import Any

import pytest
import yaml

from archive.bids.documents import (
    Contributor,
    read_contributors,
    read_description,
    readme_name,
    with_changes,
    with_contributors,
    with_doi_and_license,
    with_fields,
)
from archive.errors import InvalidError

DAY = date(2026, 11, 28)
DATACITE = """data:
  attributes:
    types: {resourceTypeGeneral: Dataset}
    contributors:
    - name: Doe, Jane
      givenName: Jane
      familyName: Doe
      contributorType: DataCurator
      order: 2
      nameIdentifiers: [{nameIdentifier: 'https://orcid.org/0000-0002-1825-0097', nameIdentifierScheme: ORCID}]
    - name: Roe, Richard
      order: 1
    - 3
"""


@pytest.mark.parametrize("text", [None, "", "{", "[]", "3", "[" * 5000, '{"Name": "\\ud800"}'])
def test_description_that_is_missing_or_broken_is_named_after_the_dataset(text: str | None) -> None:
    read = read_description(text, fallback="ds000001")
    assert (read.name, read.bids_version, read.is_found) == ("ds000001", "1.11.0", False)


@pytest.mark.parametrize(
    ("given", "field", "read"),
    [
        ({}, "name", "Unnamed Dataset"),
        ({"Name": ""}, "name", "Unnamed Dataset"),
        ({"Name": "Faces"}, "name", "Faces"),
        ({"Name": {"a": 1}}, "name", '{"a": 1}'),
        ({}, "bids_version", "1.11.0"),
        ({"BIDSVersion": 1.8}, "bids_version", "1.8"),
        ({"DatasetType": ["raw"]}, "dataset_type", "raw"),
        ({"DatasetType": "derivative"}, "dataset_type", "derivative"),
        ({"Authors": ["A", {"b": 1}]}, "authors", ("A", '{"b": 1}')),
        ({"Authors": "A"}, "authors", ()),
        ({"Funding": {"a": 1}}, "funding", ()),
        ({"Authors": ["A", "B"]}, "senior_author", "B"),
        ({}, "senior_author", None),
        ({"Acknowledgements": ["x"]}, "acknowledgements", '["x"]'),
        ({}, "license", None),
    ],
)
def test_description_is_read_whatever_its_fields_are(given: dict[str, Any], field: str, read: Any) -> None:
    assert getattr(read_description(json.dumps(given), fallback="ds000001"), field) == read


def test_description_is_written_with_four_spaces_and_keeps_its_other_fields() -> None:
    assert with_fields('{"Name": "A", "Über": 1}', {"Name": "B"}) == '{\n    "Name": "B",\n    "Über": 1\n}\n'
    assert with_fields(None, {"Name": "B"}) == '{\n    "Name": "B"\n}\n'
    with pytest.raises(InvalidError):
        with_fields("{", {"Name": "B"})


def test_description_gets_a_doi_and_a_license_if_it_has_none() -> None:
    assert json.loads(str(with_doi_and_license('{"Name": "A"}', "10.1/b"))) == {
        "Name": "A",
        "License": "CC0",
        "DatasetDOI": "doi:10.1/b",
    }
    assert json.loads(str(with_doi_and_license('{"License": "PDDL"}', "10.1/b")))["License"] == "PDDL"
    assert with_doi_and_license(None, "10.1/b") is None
    assert with_doi_and_license("{", "10.1/b") is None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "1.1.0 2026-11-28\n  - One\n  - Two\n"),
        ("1.0.0 2025-01-01\n  - Old\n", "1.1.0 2026-11-28\n  - One\n  - Two\n\n1.0.0 2025-01-01\n  - Old\n"),
        ("Revision history\n", "Revision history\n\n1.1.0 2026-11-28\n  - One\n  - Two\n"),
        (
            "History\n\n1.1.0 2024-01-01\n  - Other\n\n1.0.0 2023-01-01\n  - Old\n",
            "History\n\n1.1.0 2026-11-28\n  - One\n  - Two\n\n1.0.0 2023-01-01\n  - Old\n",
        ),
        ("1.1.0\n  - Other\n", "1.1.0 2026-11-28\n  - One\n  - Two\n"),
        ("1.1.0-rc 2024-01-01\n", "1.1.0 2026-11-28\n  - One\n  - Two\n\n1.1.0-rc 2024-01-01\n"),
    ],
)
def test_changes_of_a_version_come_first_or_in_the_place_of_what_was_said_of_it(before: str, after: str) -> None:
    assert with_changes(before, "1.1.0", DAY, ["One", "Two\n"]) == after


def test_readme_is_the_first_of_the_names_that_there_is() -> None:
    assert readme_name({"README": "", "README.rst": ""}) == "README.rst"
    assert readme_name({}) is None


def test_contributors_are_those_of_datacite_in_their_order() -> None:
    first, second = read_contributors(DATACITE, ["Somebody"])
    assert first == Contributor("Roe, Richard", 1)
    assert second == Contributor("Doe, Jane", 2, "DataCurator", "Jane", "Doe", "0000-0002-1825-0097")


@pytest.mark.parametrize("datacite", [None, "", "{", "[]", DATACITE.replace(": Dataset", ": Text"), "[" * 5000])
def test_contributors_are_the_authors_where_datacite_names_none(datacite: str | None) -> None:
    assert read_contributors(datacite, ["A", "B"]) == [Contributor("A", 1), Contributor("B", 2)]


def test_contributors_that_refer_to_one_another_are_not_read() -> None:
    """A few hundred bytes of them, merged into one another, would take minutes and all memory."""
    lines = ["a0: &a0 {k: 1}"]
    lines += [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 8)}]}}" for n in range(1, 12)]
    bomb = "\n".join([*lines, DATACITE])
    begun = time.process_time()
    assert read_contributors(bomb, ["A"]) == [Contributor("A", 1)]
    assert time.process_time() - begun < 1


@pytest.mark.parametrize(
    "text",
    [
        "[" * 65_000,
        "{a: " * 16_000,
        "\n".join(" " * depth + "- " for depth in range(200)),
        "x: !!bool maybe",
        'x: !!int ""',
        "x: !!timestamp x",
        "x: !!binary [1]",
        "? [a]\n: b",
    ],
)
def test_datacite_that_is_deep_or_not_what_it_says_names_nobody(text: str) -> None:
    assert read_contributors(text, ["Jane Doe"]) == [Contributor("Jane Doe", 1)]


def test_description_that_is_deep_has_no_text_there() -> None:
    deep = "[" * 1000 + "]" * 1000
    assert read_description(f'{{"Name": {deep}, "License": "CC0"}}', fallback="ds000001").license in {"CC0", None}


def test_text_of_a_description_has_no_character_that_postgres_refuses() -> None:
    assert read_description('{"Name": "a\\u0000b"}', fallback="ds000001").name == "ab"


# --- Contributors that are written ------------------------------------------------------------------------------------

JANE = Contributor("Doe, Jane", 1, given_name="Jane", family_name="Doe", orcid="0000-0002-1825-0097")


def test_contributors_that_are_written_are_those_that_are_read() -> None:
    people = [JANE, Contributor("Lab", 2, contributor_type="HostingInstitution")]
    assert read_contributors(with_contributors(None, people), ["Somebody"]) == people


def test_contributors_take_the_place_of_others_and_leave_the_rest() -> None:
    before = (
        "data:\n  type: dois\n  attributes:\n    doi: 10.1/2\n    contributors: [{name: Old}]\n    added: 2020-01-02\n"
    )
    after = yaml.safe_load(with_contributors(before, [JANE]))["data"]
    assert after["type"] == "dois"
    assert (after["attributes"]["doi"], after["attributes"]["added"]) == ("10.1/2", date(2020, 1, 2))
    assert [each["name"] for each in after["attributes"]["contributors"]] == ["Doe, Jane"]


@pytest.mark.parametrize("text", ["- a", "data: 1", "data: {attributes: []}", "a: &a {b: *a}", "a: [", "x" * 70_000])
def test_contributors_are_not_written_into_what_cannot_be_read(text: str) -> None:
    with pytest.raises(InvalidError, match=r"datacite\.yml cannot be read"):
        with_contributors(text, [JANE])


@pytest.mark.parametrize(
    "text", ["2020-01-01: x", "? !!binary aGk=\n: x", "a: !!set {q}", "1: a\n'1': b", "a: !!binary aGk="]
)
def test_contributors_leave_whatever_else_there_is(text: str) -> None:
    before, after = (yaml.safe_load(each) for each in (text, with_contributors(text, [JANE])))
    assert {name: value for name, value in after.items() if name != "data"} == before


@pytest.mark.parametrize("text", ["# Only this.", "data:", "data: {attributes: }", "\n"])
def test_contributors_are_written_where_nothing_was(text: str) -> None:
    assert read_contributors(with_contributors(text, [JANE]), []) == [JANE]


def test_contributors_are_not_written_beside_a_number_that_is_not_written() -> None:
    with pytest.raises(InvalidError, match=r"datacite\.yml cannot be read"):
        with_contributors(f"a: 0x{'f' * 20_000}", [JANE])


def test_contributors_that_are_too_many_to_be_read_are_not_written() -> None:
    with pytest.raises(InvalidError, match="more than 65536 characters"):
        with_contributors(None, [JANE] * 500)


def test_no_contributors_leave_those_of_the_description() -> None:
    assert [each.name for each in read_contributors(with_contributors(None, []), ["Somebody"])] == ["Somebody"]
