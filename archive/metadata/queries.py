"""The metadata schema that this server speaks, as JSON Schema (docs/dialects/dandi.md#service)."""

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from archive.errors import InvalidError

if TYPE_CHECKING:
    from pydantic import BaseModel

SCHEMA_NAMES = ("Dandiset", "Asset", "PublishedDandiset", "PublishedAsset")


@dataclass(frozen=True)
class SchemaInfo:
    """The version of the schema that this server speaks, and those whose metadata it takes, oldest first."""

    current: str
    allowed: tuple[str, ...]
    licenses: tuple[str, ...]


@cache
def schema_info() -> SchemaInfo:
    """Return the current version of the schema, the versions that are taken, and the licenses."""
    # dandischema's constants are cheap to import, its models are not; a process that never asks pays for neither.
    from dandischema.conf import get_instance_config
    from dandischema.consts import ALLOWED_VALIDATION_SCHEMAS, DANDI_SCHEMA_VERSION

    licenses = sorted(each.value for each in get_instance_config().licenses)
    return SchemaInfo(DANDI_SCHEMA_VERSION, tuple(ALLOWED_VALIDATION_SCHEMAS), tuple(licenses))


@cache
def json_schema(name: str) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of one of SCHEMA_NAMES, with the patterns of this instance.

    It is shared: copy it before you change it. Raises InvalidError, naming the field `model`, for another name.
    """
    from dandischema.utils import TransitionalGenerateJsonSchema

    return model(name).model_json_schema(schema_generator=TransitionalGenerateJsonSchema)


def model(name: str) -> "type[BaseModel]":
    """Return the pydantic model of one of SCHEMA_NAMES; InvalidError, naming the field `model`, for another name."""
    if name not in SCHEMA_NAMES:
        raise InvalidError(f"The model must be one of {', '.join(SCHEMA_NAMES)}.", field="model")
    # Takes a second: only a process that validates, or shows a schema, should pay for it.
    from dandischema import models

    found: type[BaseModel] = getattr(models, name)
    return found
