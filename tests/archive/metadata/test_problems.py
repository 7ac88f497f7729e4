"""What is wrong with metadata (docs/dialects/dandi.md#validation)."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

import pytest
from dandischema import models
from dandischema.exceptions import JsonschemaValidationError, PydanticValidationError
from dandischema.metadata import validate as library_validate
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from archive.metadata.documents import (
    AssetFacts,
    VersionFacts,
    candidate_asset_metadata,
    candidate_version_metadata,
    zarr_digest,
)
from archive.metadata.problems import (
    MAX_DEPTH,
    MAX_MESSAGE,
    MAX_PROBLEMS,
    MAX_STRING,
    MAX_VALUES,
    Problem,
    validate_asset,
    validate_version,
)

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
Path = tuple[str | int, ...]
Document = tuple[dict[str, Any], str, Callable[[dict[str, Any]], list[Problem]]]

CHARACTERS = "aZ0 .,:/@-\n\x00é\ud800😀"

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(CHARACTERS, max_size=20)
    | st.sampled_from(["dandi:OpenAccess", "dcite:ContactPerson", "https://x.org", "Person", "a@b", "0.7.0", 10**400])
)
keys = st.text(CHARACTERS, max_size=8) | st.sampled_from(
    ["schemaKey", "name", "value", "identifier", "wasDerivedFrom", "self"]
)
json_values = st.recursive(
    scalars,
    lambda children: st.lists(children, max_size=4) | st.dictionaries(keys, children, max_size=4),
    max_leaves=12,
)


def paths(value: object, path: Path = ()) -> list[Path]:
    """Where every value in a document is."""
    items: list[tuple[str | int, Any]] = []
    if isinstance(value, dict):
        items = list(value.items())
    if isinstance(value, list):
        items = list(enumerate(value))
    return [path, *(below for key, child in items for below in paths(child, (*path, key)))]


def put(document: Any, path: Path, value: object) -> Any:
    """A copy of the document with another value at that path."""
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = put(document[path[0]], path[1:], value)
    return copy


def library_problems(document: dict[str, Any], name: str) -> list[Problem]:
    """What dandischema itself finds, encoded as problems are."""
    try:
        library_validate(document, schema_key=name, json_validation=True)
    except JsonschemaValidationError as error:
        return [Problem(".".join(map(str, each.path)), each.message) for each in error.errors]
    except PydanticValidationError as error:
        return [Problem(str(each["loc"][0]) if each["loc"] else "", each["msg"]) for each in error.errors]
    except ValueError as error:
        return [Problem("", str(error))]
    return []


@pytest.fixture(scope="session")
def asset(asset_facts: AssetFacts) -> dict[str, Any]:
    return candidate_asset_metadata(asset_facts, now=NOW)


@pytest.fixture(scope="session")
def version(version_facts: VersionFacts) -> dict[str, Any]:
    return candidate_version_metadata(version_facts, holds_bytes=True)


@pytest.fixture(scope="session")
def documents(asset: dict[str, Any], version: dict[str, Any]) -> list[Document]:
    """A valid document of each kind, the name of its schema, and what validates it."""
    return [(asset, "PublishedAsset", validate_asset), (version, "PublishedDandiset", validate_version)]


# --- What is valid ----------------------------------------------------------------------------------------------------


def test_asset_of_the_dandi_client_is_valid(asset: dict[str, Any]) -> None:
    assert validate_asset(asset) == []


def test_dataset_with_what_is_required_is_valid(version: dict[str, Any]) -> None:
    assert validate_version(version) == []


def test_embargoed_dataset_is_valid(version_facts: VersionFacts) -> None:
    facts = replace(version_facts, access="EMBARGOED", embargoed_until=NOW.date())
    assert validate_version(candidate_version_metadata(facts, holds_bytes=True)) == []


def test_zarr_asset_is_valid_when_its_checksum_has_its_size(asset_facts: AssetFacts) -> None:
    digest = zarr_digest(f"{'d' * 32}-3--12345")
    zarr = replace(asset_facts, is_zarr=True, digest=digest, path="a.ome.zarr")
    assert validate_asset(candidate_asset_metadata(zarr, now=NOW)) == []
    assert [problem.field for problem in validate_asset(candidate_asset_metadata(replace(zarr, size=1), now=NOW))] == [
        "digest"
    ]


@pytest.mark.parametrize("schema_version", ["0.4.4", "0.6.10", "0.7.0"])
def test_metadata_of_an_older_schema_is_checked_without_the_network(
    asset: dict[str, Any], schema_version: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("socket.socket.connect", None)
    assert validate_asset({**asset, "schemaVersion": schema_version}) == []
    assert validate_asset({**asset, "schemaVersion": schema_version, "digest": {}}) == [
        Problem("digest", "Value error, A non-zarr asset must have a dandi-etag.")
    ]


# --- What is not ------------------------------------------------------------------------------------------------------


def test_dataset_without_bytes_may_not_be_published(version_facts: VersionFacts) -> None:
    assert validate_version(candidate_version_metadata(version_facts, holds_bytes=False)) == [
        Problem("assetsSummary", "Value error, A Dandiset containing no files or zero bytes is not publishable")
    ]


def test_dataset_needs_a_license_and_a_description(version: dict[str, Any]) -> None:
    lacking = {key: value for key, value in version.items() if key not in {"license", "description"}}
    assert validate_version(lacking) == [
        Problem("", "'description' is a required property"),
        Problem("", "'license' is a required property"),
    ]


def test_dataset_needs_a_contact_person_who_has_an_email(version: dict[str, Any]) -> None:
    (person,) = version["contributor"]
    nobody = {**version, "contributor": [{**person, "roleName": ["dcite:Author"]}]}
    assert validate_version(nobody) == [
        Problem("contributor", "Value error, At least one contributor must have role ContactPerson")
    ]
    silent = {**version, "contributor": [{key: value for key, value in person.items() if key != "email"}]}
    assert validate_version(silent) == [
        Problem("contributor", "Value error, Contact person must have an email address.")
    ]


def test_json_schema_problem_names_its_dotted_path(asset: dict[str, Any]) -> None:
    assert validate_asset(put(asset, ("wasAttributedTo", 0, "age", "unitText"), 5)) == [
        Problem("wasAttributedTo.0.age.unitText", "5 is not of type 'string'")
    ]


def test_asset_needs_its_sha256(asset_facts: AssetFacts) -> None:
    facts = replace(asset_facts, digest={"dandi:dandi-etag": f"{'d' * 32}-1"})
    assert validate_asset(candidate_asset_metadata(facts, now=NOW)) == [
        Problem("digest", "Value error, A non-zarr asset must have a sha2_256.")
    ]


@pytest.mark.parametrize("schema_version", [None, "0.1", "9.9.9", 8, [], {}])
def test_unknown_schema_version_is_the_only_problem(asset: dict[str, Any], schema_version: object) -> None:
    (problem,) = validate_asset({**asset, "schemaVersion": schema_version, "digest": {}})
    assert problem.field == ""
    assert problem.message.startswith(f"Metadata version {schema_version} is not allowed. Allowed are: 0.4.4,")


def test_problem_is_written_as_field_and_message() -> None:
    assert Problem("license", "none").as_dict() == {"field": "license", "message": "none"}


# --- As the library has it --------------------------------------------------------------------------------------------


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_problems_are_those_that_the_library_finds(documents: list[Document], data: st.DataObject) -> None:
    """One value anywhere in a valid document replaced: the problems are the library's, in order."""
    document, name, validate = data.draw(st.sampled_from(documents))
    # For another schemaVersion the library would ask the network.
    path = data.draw(st.sampled_from([path for path in paths(document)[1:] if path != ("schemaVersion",)]))
    value = data.draw(scalars | st.just([]) | st.just({}))
    assume(not isinstance(value, str) or "\ud800" not in value)
    changed = put(document, path, value)
    assert [problem.message for problem in validate(changed)] == sorted_messages(library_problems(changed, name))


# What is put where in a valid document of an asset: what is right, and what is wrong, of each kind.
CHANGES: list[tuple[Path, object]] = [
    (("approach",), [{"schemaKey": "ApproachType", "name": "behavioral approach"}]),
    (("wasAttributedTo",), []),
    (("encodingFormat",), "application/x-zarr"),
    (("encodingFormat",), 5),
    (("digest",), {}),
    (("digest",), {"dandi:dandi-etag": "1", "dandi:sha2-256": "a" * 64}),
    (("digest", "dandi:sha2-256"), "A"),
    (("digest",), {"dandi:dandi-etag": f"{'d' * 32}-1", "dandi:dandi-zarr-checksum": f"{'d' * 32}-3--12345"}),
    (("id",), "dandiasset:1"),
    (("identifier",), "1"),
    (("schemaKey",), "Dandiset"),
    (("datePublished",), None),
    (("publishedBy",), None),
    (("publishedBy",), "https://example.org/"),
    (("publishedBy", "wasAssociatedWith"), []),
    (("publishedBy", "schemaKey"), "Activity"),
    (("access",), []),
    (("access", 0, "status"), "dandi:EmbargoedAccess"),
    (("contentUrl", 0), "no address"),
    (("dateModified",), "2016-12-31T24:59:59Z"),
    (("variableMeasured", 0, "value"), ""),
    (("variableMeasured", 0, "schemaKey"), "Participant"),
    (("wasAttributedTo", 0, "age", "valueReference", "value"), None),
    (("wasAttributedTo", 0, "species"), "mouse"),
    (("wasDerivedFrom", 0, "wasDerivedFrom", 0, "schemaKey"), "Sample"),
    (("wasGeneratedBy", 0, "schemaKey"), "Project"),
    (("wasGeneratedBy", 0, "schemaKey"), "Person"),
    (("wasGeneratedBy", 1, "wasAssociatedWith", 0, "identifier"), "SCR"),
]


@pytest.mark.parametrize(("path", "value"), CHANGES)
def test_verdict_is_that_of_the_library(asset: dict[str, Any], path: Path, value: object) -> None:
    changed = put(asset, path, value)
    assert validate_asset(changed) == sorted(set(library_problems(changed, "PublishedAsset")))


def test_models_are_stripped_of_nothing_but_private_attributes() -> None:
    """What validators of models leave out must be pydantic's own, and no field may have its name."""
    defined = [each for each in vars(models).values() if isinstance(each, type) and issubclass(each, BaseModel)]
    assert len(defined) > 40
    for each in defined:
        assert each.model_post_init.__module__.startswith("pydantic.")
        assert "post_init" not in each.model_fields


def sorted_messages(problems: list[Problem]) -> list[str]:
    cut = [Problem(problem.field, problem.message[:MAX_MESSAGE]) for problem in problems]
    return [problem.message for problem in sorted(set(cut))]


# --- Whatever is submitted --------------------------------------------------------------------------------------------


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_validation_finds_problems_in_anything_and_never_raises(documents: list[Document], data: st.DataObject) -> None:
    document, _, validate = data.draw(st.sampled_from(documents))
    path = data.draw(st.sampled_from(paths(document)[1:]))
    changed = put(document, path, data.draw(json_values))
    for problem in validate(changed):
        assert len(problem.field) <= MAX_MESSAGE
        assert len(problem.message) <= MAX_MESSAGE
    assert validate(changed) == validate(changed)


@given(st.dictionaries(keys, json_values))
@settings(max_examples=50, deadline=None)
def test_document_of_anything_is_not_valid(document: dict[str, Any]) -> None:
    assert validate_asset(document)
    assert validate_version({"schemaVersion": "0.8.0", **document})


def nested(depth: int) -> Any:
    value: Any = {}
    for _ in range(depth):
        value = {"schemaKey": "PropertyValue", "value": 1, "valueReference": value}
    return value


def test_metadata_may_be_nested_so_deep_and_no_deeper(asset: dict[str, Any]) -> None:
    excess = Problem("", f"The metadata is nested more than {MAX_DEPTH} levels deep.")
    for depth in range(MAX_DEPTH - 3, MAX_DEPTH + 3):
        document: Any = 1
        for _ in range(depth):
            document = {"x": document}
        assert (validate_asset(document) == [excess]) == (depth >= MAX_DEPTH)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (nested(100_000), f"The metadata is nested more than {MAX_DEPTH} levels deep."),
        ("x" * (MAX_STRING + 1), f"The metadata holds a text of more than {MAX_STRING} characters."),
        ({"x" * (MAX_STRING + 1): 1}, f"The metadata holds a text of more than {MAX_STRING} characters."),
        ([0] * (MAX_VALUES + 1), f"The metadata holds more than {MAX_VALUES} values."),
    ],
    ids=["deep", "text", "key", "many"],
)
def test_metadata_too_large_to_check_is_a_problem(asset: dict[str, Any], value: object, message: str) -> None:
    assert validate_asset({**asset, "x": value}) == [Problem("", message)]


@pytest.mark.parametrize(
    "value",
    ["a\x00b", "\ud800", 10**5000, float("nan"), float("inf"), -(10**30)],
    ids=["nul", "surrogate", "long integer", "nan", "infinity", "negative"],
)
def test_values_that_json_can_spell_but_few_can_read_do_not_raise(asset: dict[str, Any], value: object) -> None:
    for path in paths(asset)[1:]:
        validate_asset(put(asset, path, value))


@pytest.mark.parametrize(
    "text",
    [
        " ",
        ", " * 9,
        "a.",
        "é",
        "http://a/%",
        "http://a/((",
        "mailto:aa",
        "a@b.",
        "2026-01-01T00:00:00.0",
        "[:",
        "-",
        "9",
    ],
)
def test_long_texts_take_no_longer_than_they_are_long(asset: dict[str, Any], text: str) -> None:
    long = (text * MAX_STRING)[: MAX_STRING - 1] + "!"
    started = perf_counter()
    for path in [("encodingFormat",), ("dateModified",), ("contentUrl", 1), ("wasAttributedTo", 0, "identifier")]:
        validate_asset(put(asset, path, long))
    assert perf_counter() - started < 5


def test_problems_are_limited_in_number(asset: dict[str, Any]) -> None:
    assert len(validate_asset({**asset, "approach": [{}] * 10_000})) == MAX_PROBLEMS
