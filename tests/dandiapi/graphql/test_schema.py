"""The schema has all that OpenNeuro's has, and what real clients send is valid in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLNamedType, GraphQLSchema, is_enum_type, parse, validate

from dandiapi.graphql import later
from dandiapi.graphql.fields import roots_of
from dandiapi.graphql.limits import check_document
from dandiapi.graphql.mutations import later as later_mutations
from dandiapi.graphql.schema import SCHEMA
from tests.dandiapi.graphql.documents import DOCUMENTS, text_of

HERE = Path(__file__).parent
FACTS = json.loads((HERE / "schema_facts.json").read_text())
# What is declared, and answers that it is not built yet.
NOT_YET = {"advancedSearch", "flaggedFiles", "orcidConsent", "participantCount", "publicMetadata", "search"}
BUILT = {
    "addMetadata",
    "createReviewer",
    "deleteReviewer",
    "prepareRepoAccess",
    "createDataset",
    "deleteDataset",
    "publishDataset",
    "updatePublic",
    "updatePermissions",
    "updateOrcidPermissions",
    "removePermissions",
    "starDataset",
    "createSnapshot",
    "deleteSnapshot",
    "deprecateSnapshot",
    "undoDeprecateSnapshot",
    "updateDescription",
    "updateDescriptionList",
    "updateReadme",
    "deleteFiles",
    "prepareUpload",
    "revalidate",
    "finishUpload",
    "cacheClear",
    "createGitEvent",
    "fsckDataset",
    "removeUser",
    "resetDraft",
    "setAdmin",
    "setBlocked",
    "updateContributors",
    "updateFileCheck",
    "updateSummary",
    "updateValidation",
    "updateWorkerTask",
}
NO_MUTATIONS_YET = set(FACTS["types"]["Mutation"]["fields"]) - BUILT


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    found: GraphQLSchema = SCHEMA.graphql_schema
    return found


@pytest.mark.parametrize("name", FACTS["types"])
def test_type_has_the_fields_and_arguments_of_the_dialect(schema: GraphQLSchema, name: str) -> None:
    assert [*faults_of(schema.type_map.get(name), FACTS["types"][name]["fields"])] == []


def faults_of(found: Any, wanted: dict[str, Any]) -> Iterator[str]:
    for name, fact in wanted.items():
        field = found.fields.get(name)
        if field is None or str(field.type) != fact["type"]:
            yield f"{name} is {field and field.type}, not {fact['type']}"
            continue
        given = {argument: str(value.type) for argument, value in field.args.items()}
        yield from (
            f"{name}({each}) is {given.get(each)}" for each in fact["args"] if given.get(each) != fact["args"][each]
        )
        yield from (
            f"{name}({each}) is new" for each in given.keys() - fact["args"].keys() if given[each].endswith("!")
        )


@pytest.mark.parametrize("name", FACTS["inputs"])
def test_input_has_the_fields_of_the_dialect(schema: GraphQLSchema, name: str) -> None:
    found: Any = schema.type_map[name]
    assert {field: str(value.type) for field, value in found.fields.items()} == FACTS["inputs"][name]


@pytest.mark.parametrize("name", FACTS["enums"])
def test_enumeration_has_the_values_of_the_dialect(schema: GraphQLSchema, name: str) -> None:
    found: GraphQLNamedType = schema.type_map[name]
    assert is_enum_type(found)
    assert set(found.values) == set(FACTS["enums"][name])  # type: ignore[attr-defined]


def test_scalars_and_defaults_are_those_of_the_dialect(schema: GraphQLSchema) -> None:
    assert set(FACTS["scalars"]) <= set(schema.type_map)
    assert schema.query_type
    arguments = schema.query_type.fields["datasets"].args
    assert (arguments["first"].default_value, arguments["filterBy"].default_value) == (25, {})


VALID = [each for each in DOCUMENTS if not each.get("notInSchema") and not each.get("invalidUpstream")]


@pytest.mark.parametrize(
    "document", [each for each in VALID if each["operation"] != "subscription"], ids=lambda each: each["name"]
)
def test_document_of_a_real_client_is_valid_and_within_the_limits(
    schema: GraphQLSchema, document: dict[str, Any]
) -> None:
    parsed = parse(text_of(document))
    assert validate(schema, parsed) == []
    check_document(parsed)


def test_what_is_not_built_yet_is_known() -> None:
    camel = {
        name: "".join(part.title() if place else part for place, part in enumerate(name.split("_")))
        for name in (*roots_of(later), *roots_of(later_mutations))
    }
    assert set(camel.values()) == NOT_YET | NO_MUTATIONS_YET


# Of the specification of October 2021, https://spec.graphql.org/October2021/#sec-Type-System.Directives.
PLACES = {
    *("QUERY", "MUTATION", "SUBSCRIPTION", "FIELD", "FRAGMENT_DEFINITION", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"),
    *("VARIABLE_DEFINITION", "SCHEMA", "SCALAR", "OBJECT", "FIELD_DEFINITION", "ARGUMENT_DEFINITION", "INTERFACE"),
    *("UNION", "ENUM", "ENUM_VALUE", "INPUT_OBJECT", "INPUT_FIELD_DEFINITION"),
}


def test_directives_have_places_that_clients_of_years_know(schema: GraphQLSchema) -> None:
    assert {place.name for directive in schema.directives for place in directive.locations} <= PLACES
    assert {"deprecated", "include", "skip"} <= {directive.name for directive in schema.directives}
