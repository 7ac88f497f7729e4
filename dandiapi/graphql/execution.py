"""Execution of documents: parsed, measured, validated, and answered with statuses and codes that clients know.

docs/dialects/openneuro.md#graphql-over-http
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from django.conf import settings
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    OperationType,
    execute_sync,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from archive.errors import ArchiveError, InvalidError
from dandiapi.errors import as_domain_error
from dandiapi.graphql.context import Context
from dandiapi.graphql.limits import MAX_DEPTH, MAX_TOKENS, check_document, check_text
from dandiapi.graphql.schema import SCHEMA
from dandiapi.graphql.words import extensions, sentence

logger = logging.getLogger(__name__)

UNEXPECTED = "An unexpected error has occurred; it has been reported."
MAX_VALIDATION_ERRORS = 20
# The longest of what real clients send has some 6,000 characters.
KNOWN_TEXT = 8192


@dataclass(frozen=True)
class Answer:
    """An answer: the status, and the object in its body."""

    status: HTTPStatus
    body: dict[str, Any]


class RefusedError(Exception):
    """A request that is answered before anything is resolved, with a code that clients know."""

    def __init__(self, message: str, code: str, status: HTTPStatus = HTTPStatus.BAD_REQUEST) -> None:
        super().__init__(message)
        self.answer = Answer(status, {"errors": [{"message": message, "extensions": {"code": code}}]} | _version())


@dataclass(frozen=True)
class Operation:
    """A request as it was sent: a document, the operation of it that is meant, and values for its variables."""

    text: str
    name: str | None = None
    variables: Mapping[str, Any] | None = None
    # Whether it may change anything, as requests by GET may not.
    may_change: bool = True


def execute(operation: Operation, context: Context) -> Answer:
    """Answer an operation. Raises RefusedError for what is no operation, or asks for too much."""
    text = operation.text
    document = _known_document(text) if len(text) <= KNOWN_TEXT else _document(text)
    node = _chosen(document, operation)
    _check_variables(node, operation)
    result = execute_sync(
        SCHEMA.graphql_schema,
        document,
        context_value=context,
        variable_values=dict(operation.variables or {}),
        operation_name=operation.name,
    )
    body: dict[str, Any] = {"data": result.data}
    if result.errors:
        body["errors"] = [_told(error) for error in result.errors]
    return Answer(HTTPStatus.OK, body | _version())


def _document(text: str) -> DocumentNode:
    """Return a document that is within the limits and valid."""
    try:
        check_text(text)
        document = parse(text, max_tokens=MAX_TOKENS, no_location=False)
        check_document(document)
    except GraphQLSyntaxError as error:
        raise RefusedError(error.message, "GRAPHQL_PARSE_FAILED") from None
    except RecursionError:
        raise RefusedError(f"An operation is at most {MAX_DEPTH} fields deep.", "GRAPHQL_VALIDATION_FAILED") from None
    except InvalidError as error:
        raise RefusedError(error.message, "GRAPHQL_VALIDATION_FAILED") from None
    if faults := validate(SCHEMA.graphql_schema, document, max_errors=MAX_VALIDATION_ERRORS):
        raise RefusedError(faults[0].message, "GRAPHQL_VALIDATION_FAILED")
    return document


# What programs send again and again is looked at once.
_known_document = lru_cache(maxsize=128)(_document)


def _chosen(document: DocumentNode, operation: Operation) -> OperationDefinitionNode:
    node = get_operation_ast(document, operation.name)
    if node is None:
        named = f"There is no operation {operation.name!r}." if operation.name else "Which operation is meant?"
        raise RefusedError(named, "OPERATION_RESOLUTION_FAILURE")
    if node.operation is not OperationType.QUERY and not operation.may_change:
        raise RefusedError("GET is for queries alone.", "BAD_REQUEST", HTTPStatus.METHOD_NOT_ALLOWED)
    return node


def _check_variables(node: OperationDefinitionNode, operation: Operation) -> None:
    """Raise RefusedError unless the values fit the variables; those that the operation does not declare are ignored."""
    values = get_variable_values(SCHEMA.graphql_schema, node.variable_definitions, dict(operation.variables or {}))
    if isinstance(values, list):
        raise RefusedError(values[0].message, "BAD_USER_INPUT")


def _told(error: GraphQLError) -> dict[str, Any]:
    """Return what is told of an error. What nobody foresaw is logged, and not told."""
    cause = error.original_error
    told = error.formatted
    if cause is None or isinstance(cause, GraphQLError):
        code = {"code": "INTERNAL_SERVER_ERROR"}
        return {**told, "extensions": code | (error.extensions or {})}
    known = as_domain_error(cause)
    if not isinstance(known, ArchiveError):
        logger.error("A resolver failed.", exc_info=cause)
        return {**told, "message": UNEXPECTED, "extensions": {"code": "INTERNAL_SERVER_ERROR"}}
    return {**told, "message": sentence(known), "extensions": extensions(known)}


def _version() -> dict[str, Any]:
    # The Node client crashes on extensions without it.
    return {"extensions": {"openneuro": {"version": settings.OPENNEURO_VERSION}}}
