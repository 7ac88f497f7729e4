"""The types of what the views of this face return: answers whose body has a type, and answers without one."""

from collections.abc import Mapping
from typing import Generic, TypeVar

from rest_framework.response import Response

T = TypeVar("T")


# `Generic` comes first: `Response[...]` of DRF forgets the type that it is given.
class Answer(Generic[T], Response):  # noqa: PYI059
    """An answer of status 200 with a body, whose type mypy checks and the OpenAPI document shows."""

    def __init__(self, data: T, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(data, headers=headers)


class Empty(Response):
    """An answer without a body."""

    def __init__(self, status: int, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status=status, headers=headers)
