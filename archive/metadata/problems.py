"""The problems of metadata, as the metadata schema finds them (docs/dialects/dandi.md#validation)."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from archive.metadata.queries import json_schema, model, schema_info

if TYPE_CHECKING:
    from jsonschema.protocols import Validator
    from jsonschema_rs import Draft202012Validator as QuickValidator
    from pydantic_core import ErrorDetails, SchemaValidator

MAX_PROBLEMS = 200
MAX_MESSAGE = 1000

# Far above what metadata of a dataset or file comes to, and low enough that checking it takes seconds at worst.
MAX_DEPTH = 40
MAX_VALUES = 50_000
MAX_STRING = 100_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, order=True)
class Problem:
    """A problem of metadata: `field` is a dotted path, or "" for the whole, and `message` is for a person."""

    field: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """Return the problem as it is stored and answered: `{"field", "message"}`."""
        return asdict(self)


def validate_asset(metadata: dict[str, Any]) -> list[Problem]:
    """Return the problems of an asset with this metadata, from `candidate_asset_metadata`, that forbid publishing.

    Takes any JSON object and never raises; see `validate_version`.
    """
    return _validate(metadata, "PublishedAsset")


def validate_version(metadata: dict[str, Any]) -> list[Problem]:
    """Return the problems of a version with this metadata, from `candidate_version_metadata`, that forbid publishing.

    Takes any JSON object and never raises: what could not be checked is a problem too. At most MAX_PROBLEMS, sorted.
    Metadata of the current schema version is checked by JSON Schema and, if that finds nothing, by the pydantic
    models; metadata of an older one by the models alone, since its JSON Schema would have to be fetched from GitHub.
    """
    return _validate(metadata, "PublishedDandiset")


def problems_of_object(part: dict[str, Any]) -> list[Problem]:
    """Return the problems of a part of metadata by its `schemaKey`; none if that is not known.

    The checks of the whole say of such a part only that it fits none of the kinds that may stand there.
    """
    kind = part.get("schemaKey")
    if kind not in json_schema("PublishedDandiset")["$defs"] or _first_problems(_excesses(part)):
        return []
    return _first_problems(
        _problem(error.absolute_path, error.message) for error in _part_validator(str(kind)).iter_errors(part)
    )


@cache
def _part_validator(kind: str) -> "Validator":
    from jsonschema import Draft202012Validator

    schema = {"$defs": json_schema("PublishedDandiset")["$defs"], "$ref": f"#/$defs/{kind}"}
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def _validate(metadata: dict[str, Any], name: str) -> list[Problem]:
    try:
        return _first_problems(_excesses(metadata)) or _schema_problems(metadata, name)
    except Exception:
        # The checks of dandischema assume shapes that pydantic has not made sure of; what trips them is not valid.
        logger.warning("Metadata could not be validated as %s", name, exc_info=True)
        return [Problem("", "The metadata could not be validated: it has a shape that nothing expects.")]


def _schema_problems(metadata: dict[str, Any], name: str) -> list[Problem]:
    version = metadata.get("schemaVersion")
    if version not in schema_info().allowed:
        allowed = ", ".join(schema_info().allowed)
        return [_problem([], f"Metadata version {version} is not allowed. Allowed are: {allowed}.")]
    problems = _first_problems(_json_schema_problems(metadata, name)) if version == schema_info().current else []
    return problems or _first_problems(_model_problems(metadata, name))


def _json_schema_problems(metadata: dict[str, Any], name: str) -> Iterable[Problem]:
    # jsonschema takes 300 times as long as jsonschema-rs, but the messages people know are its own. The two agree on
    # what the schema says, save that a leap second passes the quick one; the models refuse it.
    if _quick_validator(name).is_valid(metadata):
        return ()
    return (_problem(error.absolute_path, error.message) for error in _validator(name).iter_errors(metadata))


def _model_problems(metadata: dict[str, Any], name: str) -> Iterator[Problem]:
    return (_problem(error["loc"][:1], error["msg"]) for error in _model_errors(metadata, name))


def _model_errors(metadata: dict[str, Any], name: str) -> "list[ErrorDetails]":
    from pydantic import ValidationError

    try:
        _model_validator(name).validate_python(metadata)
    except ValidationError as error:
        return error.errors(include_url=False, include_context=False, include_input=False)
    return []


@cache
def _model_validator(name: str) -> "SchemaValidator":
    """Return the validator of a model, which finds what the model finds, in a third of its time.

    The difference is what dandischema's models say of themselves in JSON-LD: a private attribute, which pydantic would
    copy, depth and all, into each object that it makes only to throw it away.
    """
    from pydantic_core import SchemaValidator

    # Otherwise the models inside of others would be validated by the validators that these have already.
    return SchemaValidator(_without_private_attributes(model(name).__pydantic_core_schema__), _use_prebuilt=False)


def _without_private_attributes(schema: Any) -> Any:
    """Return a schema of pydantic's core by which models, none of which has a step of its own there, get none."""
    if isinstance(schema, dict):
        return {key: _without_private_attributes(value) for key, value in schema.items() if key != "post_init"}
    if isinstance(schema, list | tuple):
        return type(schema)(map(_without_private_attributes, schema))
    return schema


@cache
def _quick_validator(name: str) -> "QuickValidator":
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator(json_schema(name), validate_formats=True)


@cache
def _validator(name: str) -> "Validator":
    from dandischema.utils import dandi_jsonschema_validator

    return dandi_jsonschema_validator(json_schema(name))


def _first_problems(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(set(islice(problems, MAX_PROBLEMS)))


def _problem(location: Iterable[str | int], message: str) -> Problem:
    field = ".".join(map(str, location))
    return Problem(field[:MAX_MESSAGE], message[:MAX_MESSAGE])


def _excesses(metadata: dict[str, Any]) -> Iterator[Problem]:
    """Yield the first excess that makes `metadata` slow to check: too deep, too many values, too long a text."""
    if _is_small(metadata):
        return
    level: list[Any] = [metadata]
    count = 0
    for _ in range(MAX_DEPTH):
        count += len(level)
        if count > MAX_VALUES:
            yield Problem("", f"The metadata holds more than {MAX_VALUES} values.")
            return
        if any(len(value) > MAX_STRING for value in level if isinstance(value, str)):
            yield Problem("", f"The metadata holds a text of more than {MAX_STRING} characters.")
            return
        level = [child for value in level for child in _children(value)]
        if not level:
            return
    yield Problem("", f"The metadata is nested more than {MAX_DEPTH} levels deep.")


def _is_small(metadata: dict[str, Any]) -> bool:
    """Return whether metadata hold no excess for sure: as JSON they are short, and with few brackets not deep."""
    try:
        text = orjson.dumps(metadata)
    except TypeError:
        return False
    return len(text) <= min(MAX_VALUES, MAX_STRING) and text.count(b"{") + text.count(b"[") < MAX_DEPTH


def _children(value: object) -> Iterable[Any]:
    if isinstance(value, dict):
        return (*value.keys(), *value.values())
    return value if isinstance(value, list) else ()
