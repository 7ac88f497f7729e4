"""The scalars of the schema (docs/dialects/openneuro.md#scalars)."""

from datetime import UTC, date, datetime
from typing import Any

import graphene
from graphql import GraphQLError, IntValueNode, Node, StringValueNode, value_from_ast_untyped

# What a JavaScript client can hold of a number.
MAX_BIG_INT = 2**53 - 1


class BigInt(graphene.Scalar):
    """A whole number, given as a number of JSON: sizes of files are larger than an Int."""

    @staticmethod
    def serialize(value: Any) -> int:
        """Return the number as it goes out."""
        return int(value)

    @staticmethod
    def parse_value(value: Any) -> int:
        """Return the number that a variable has."""
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_BIG_INT:
            raise GraphQLError("A BigInt is a whole number.")
        return value

    @classmethod
    def parse_literal(cls, node: Node, _variables: Any = None) -> int:
        """Return the number that the text of a document has."""
        if not isinstance(node, IntValueNode):
            raise GraphQLError("A BigInt is a whole number.")
        return cls.parse_value(int(node.value))


class DateTime(graphene.Scalar):
    """A moment, in UTC, with milliseconds: `2026-01-02T03:04:05.678Z`."""

    @staticmethod
    def serialize(value: datetime) -> str:
        """Return the moment as it goes out."""
        moment = value.astimezone(UTC)
        return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"

    @staticmethod
    def parse_value(value: Any) -> datetime:
        """Return the moment that a variable has: text of ISO 8601, or seconds since 1970."""
        try:
            if isinstance(value, str):
                moment = datetime.fromisoformat(value)
                # Where it is in UTC, it may lie beyond the years that there are.
                return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
            return datetime.fromtimestamp(value, UTC)
        except (TypeError, ValueError, OverflowError, OSError):
            raise GraphQLError("A DateTime is a text such as 2026-01-02T03:04:05.678Z.") from None

    @classmethod
    def parse_literal(cls, node: Node, _variables: Any = None) -> datetime:
        """Return the moment that the text of a document has."""
        if not isinstance(node, StringValueNode | IntValueNode):
            raise GraphQLError("A DateTime is a text such as 2026-01-02T03:04:05.678Z.")
        return cls.parse_value(int(node.value) if isinstance(node, IntValueNode) else node.value)


class Date(graphene.Scalar):
    """A day: `2026-01-02`."""

    @staticmethod
    def serialize(value: date) -> str:
        """Return the day as it goes out."""
        return f"{value:%Y-%m-%d}"

    @staticmethod
    def parse_value(value: Any) -> date:
        """Return the day that a variable has."""
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            raise GraphQLError("A Date is a text such as 2026-01-02.") from None

    @classmethod
    def parse_literal(cls, node: Node, _variables: Any = None) -> date:
        """Return the day that the text of a document has."""
        return cls.parse_value(node.value if isinstance(node, StringValueNode) else None)


class JSON(graphene.Scalar):
    """Anything that JSON can hold."""

    @staticmethod
    def serialize(value: Any) -> Any:
        """Return what goes out, as it is."""
        return value

    @staticmethod
    def parse_value(value: Any) -> Any:
        """Return what a variable has, as it is."""
        return value

    @staticmethod
    def parse_literal(node: Any, variables: Any = None) -> Any:
        """Return what the text of a document has."""
        return value_from_ast_untyped(node, variables)
