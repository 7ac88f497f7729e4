"""The description of operations in the OpenAPI document, by the types that their methods return."""

from collections.abc import Callable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, NotRequired, TypeVar, Union, get_args, get_origin, get_type_hints, is_typeddict

from django.http.response import HttpResponseBase
from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import append_meta, build_array_type, build_object_type, get_doc, resolve_type_hint
from drf_spectacular.utils import extend_schema

from dandiapi.rest.answers import Answer

Method = TypeVar("Method", bound=Callable[..., HttpResponseBase])
Schema = dict[str, Any]

UNIONS: tuple[Any, ...] = (Union, UnionType)


def documented(others: Mapping[Any, Any] | None = None, **options: Any) -> Callable[[Method], Method]:
    """Return a decorator that documents an operation: the `Answer` that its method returns, and `others` by status."""

    def decorate(method: Method) -> Method:
        decorated: Method = extend_schema(responses={**answered(method), **(others or {})}, **options)(method)
        return decorated

    return decorate


def answered(method: Callable[..., Any]) -> dict[int, Any]:
    """Return the type of the body that a method answers with, by its status; nothing, if it returns no `Answer`."""
    returned = method.__annotations__["return"]
    for kind in get_args(returned) if get_origin(returned) in UNIONS else [returned]:
        if get_origin(kind) is Answer:
            return {200: get_args(kind)[0]}
    return {}


class TypedDictExtension(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """The extension that describes a TypedDict, or a list of them, as a component of the document."""

    @classmethod
    def _matches(cls, target: Any) -> bool:
        origin = get_origin(target)
        return is_typeddict(origin or target) or (origin is list and cls._matches(get_args(target)[0]))

    def get_name(self, auto_schema: AutoSchema, direction: str) -> str:
        """Return the component's name."""
        return name_of(self.target)

    def map_serializer(self, auto_schema: AutoSchema, direction: str) -> Schema:
        """Return the component's schema."""
        if get_origin(self.target) is list:
            return schema_of(self.target, auto_schema)
        kind = get_origin(self.target) or self.target
        return build_object_type(
            properties={name: schema_of(hint, auto_schema) for name, hint in fields_of(self.target).items()},
            required=kind.__required_keys__,
            description=get_doc(kind),
        )


def name_of(hint: Any) -> str:
    """Return what a type is called in the document: `PageOf[Owner]` is "PageOfOwner", `list[Owner]` "ListOfOwner"."""
    origin = get_origin(hint)
    if origin in UNIONS:
        return "Or".join(map(name_of, get_args(hint)))
    name = "ListOf" if origin is list else (origin or hint).__name__
    return name[:1].upper() + name[1:] + "".join(map(name_of, get_args(hint)))


def fields_of(hint: Any) -> dict[str, Any]:
    """Return the type of each field of a TypedDict; of a generic one, with the types it was given."""
    kind, arguments = get_origin(hint) or hint, get_args(hint)
    hints = get_type_hints(kind, include_extras=True)
    return {name: field[arguments] if getattr(field, "__parameters__", ()) else field for name, field in hints.items()}


def schema_of(hint: Any, auto_schema: AutoSchema) -> Schema:
    """Return the schema of a type, where every TypedDict is a reference to its component."""
    origin, arguments = get_origin(hint), get_args(hint)
    if is_typeddict(origin or hint):
        return auto_schema.resolve_serializer(hint, "response").ref
    if origin is NotRequired:
        return schema_of(arguments[0], auto_schema)
    if origin is Annotated:
        return _annotated(hint, auto_schema)
    if origin is list:
        return build_array_type(schema_of(arguments[0], auto_schema))
    if origin is dict:
        return build_object_type(additionalProperties=schema_of(arguments[1], auto_schema))
    if origin in UNIONS:
        return _union([schema_of(kind, auto_schema) for kind in arguments if kind is not NoneType], arguments)
    schema: Schema = resolve_type_hint(hint)  # type: ignore[no-untyped-call]
    return schema


def _annotated(hint: Any, auto_schema: AutoSchema) -> Schema:
    """Return the schema of a type with what `Annotated` adds to it: a description, or a type that says more."""
    schema = schema_of(hint.__origin__, auto_schema)
    for note in hint.__metadata__:
        schema = append_meta(schema, {"description": note}) if isinstance(note, str) else schema_of(note, auto_schema)
    return schema


def _union(schemas: list[Schema], kinds: tuple[Any, ...]) -> Schema:
    schema = schemas[0] if len(schemas) == 1 else {"oneOf": schemas}
    return append_meta(schema, {"nullable": NoneType in kinds})
