"""Types of answers as schemas of the OpenAPI document."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Generic, Literal, NotRequired, TypedDict, TypeVar
from uuid import UUID

import pytest
from django.http import HttpResponse  # noqa: TID251 - what a face answers
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from drf_spectacular.types import OpenApiTypes

from dandiapi.rest.answers import Answer, Empty
from dandiapi.rest.operations import answered, name_of, schema_of

T = TypeVar("T")
TEXT = {"type": "string"}


class Color(StrEnum):
    RED = "red"
    BLUE = "blue"


class Pet(TypedDict):
    """An animal at home."""

    name: str


class Dog(Pet):
    """A pet that barks."""

    owner: NotRequired[Pet]


class Box(TypedDict, Generic[T]):
    """Something to put things into."""

    inside: list[T]


def reference(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{name}"}


@pytest.fixture
def auto_schema() -> AutoSchema:
    """What reads the views, with an empty document."""
    schema = AutoSchema()
    schema.registry = ComponentRegistry()
    return schema


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (str, TEXT),
        (Any, {}),
        (datetime, TEXT | {"format": "date-time"}),
        (UUID | None, {"type": ["string", "null"], "format": "uuid"}),
        (list[int], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, Any], {"type": "object", "additionalProperties": {}}),
        (Literal["a", "b"], TEXT | {"enum": ["a", "b"]}),
        (Annotated[str, Color], TEXT | {"enum": ["red", "blue"]}),
        (Annotated[str, OpenApiTypes.URI] | None, {"type": ["string", "null"], "format": "uri"}),
        (Annotated[int | None, "How many."], {"type": ["integer", "null"], "description": "How many."}),
        (Pet, reference("Pet")),
        (Pet | None, {"oneOf": [reference("Pet"), {"type": "null"}]}),
        (Pet | Dog, {"oneOf": [reference("Pet"), reference("Dog")]}),
        (dict[str, Pet], {"type": "object", "additionalProperties": reference("Pet")}),
        (list[Pet], {"type": "array", "items": reference("Pet")}),
        (Box[Pet], reference("BoxPet")),
    ],
    ids=str,
)
def test_type_has_its_schema(auto_schema: AutoSchema, hint: Any, schema: dict[str, Any]) -> None:
    assert schema_of(hint, auto_schema) == schema


def test_typed_dict_becomes_a_component_with_all_that_it_is_made_of(auto_schema: AutoSchema) -> None:
    schema_of(Box[Dog], auto_schema)
    inside = {"type": "array", "items": reference("Dog")}
    assert auto_schema.registry.build({})["schemas"] == {
        "BoxDog": {
            "type": "object",
            "description": "Something to put things into.",
            "properties": {"inside": inside},
            "required": ["inside"],
        },
        "Dog": {
            "type": "object",
            "description": "A pet that barks.",
            "properties": {"name": TEXT, "owner": reference("Pet")},
            "required": ["name"],
        },
        "Pet": {
            "type": "object",
            "description": "An animal at home.",
            "properties": {"name": TEXT},
            "required": ["name"],
        },
    }


@pytest.mark.parametrize(
    ("hint", "name"), [(Box[str], "BoxStr"), (list[Pet], "ListOfPet"), (Box[Pet | Dog], "BoxPetOrDog")], ids=str
)
def test_component_is_named_by_its_type(hint: Any, name: str) -> None:
    assert name_of(hint) == name


@pytest.mark.parametrize(
    ("returned", "responses"),
    [
        (Answer[Pet], {200: Pet}),
        (Answer[list[Pet]] | Empty, {200: list[Pet]}),
        (Answer[Pet] | HttpResponse, {200: Pet}),
        (Empty, {}),
        (HttpResponse, {}),
    ],
    ids=str,
)
def test_answer_is_what_the_method_returns(returned: Any, responses: dict[int, Any]) -> None:
    def method() -> Any: ...

    method.__annotations__["return"] = returned
    assert answered(method) == responses
