"""The base of all views of this face: the actor, and the things that addresses name."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from rest_framework.exceptions import ValidationError
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from archive.accounts.models import User
from archive.accounts.policy import Actor
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import find_dataset, find_version
from archive.errors import InvalidError, UnauthenticatedError
from dandiapi.credentials import actor_of
from dandiapi.rest.render import WORDS
from dandiapi.rest.words import sentence

S = TypeVar("S", bound=Serializer[Any])


class View(APIView):
    """A view of the REST face."""

    # What its requests may send.
    body_limit = WORDS

    @cached_property
    def actor(self) -> Actor:
        """Return who is asking."""
        return actor_of(self.request)

    @property
    def user(self) -> User:
        """Return the user, in a view whose permission lets in only signed-in users."""
        if self.actor.user is None:
            raise UnauthenticatedError
        return self.actor.user

    @property
    def number(self) -> int:
        """Return the number of the dataset in the address."""
        return int(self.kwargs["identifier"])

    @cached_property
    def dataset(self) -> Dataset:
        """Return the dataset in the address, if the actor may read it."""
        return self.version.dataset if "version" in self.kwargs else find_dataset(self.actor, self.number, hidden=False)

    @cached_property
    def version(self) -> Version:
        """Return the version in the address, its dataset at hand, if the actor may read it."""
        return find_version(self.actor, self.number, self.kwargs["version"], hidden=False)

    @property
    def asset_id(self) -> UUID:
        """Return the id of the asset in the address."""
        return UUID(self.kwargs["asset_id"])

    def body(self, serializer: type[S]) -> S:
        """Return the request's body, checked by a serializer; a 400 naming the fields if it does not pass."""
        checked = serializer(data=self.request.data)
        checked.is_valid(raise_exception=True)
        return checked

    def usernames(self, serializer: type[S], *, at_most: int) -> list[str]:
        """Return the usernames in the request's body, a list of people that is checked likewise."""
        people = serializer(data=self.request.data, many=True, allow_empty=True, max_length=at_most)  # type: ignore[call-arg]
        people.is_valid(raise_exception=True)
        return [person["username"] for person in people.validated_data]

    def query(self, serializer: type[S]) -> S:
        """Return the request's query, checked by a serializer; a 400 naming the fields if it does not pass."""
        checked = serializer(data=self.request.query_params)
        checked.is_valid(raise_exception=True)
        return checked


@contextmanager
def bare_errors() -> Iterator[None]:
    """Answer an InvalidError with its message alone, not under the name of a field (docs/dialects/dandi.md#errors)."""
    try:
        yield
    except InvalidError as error:
        raise InvalidError(sentence(error)) from error


@contextmanager
def general_errors() -> Iterator[None]:
    """Answer an InvalidError that names no field as one of the request as a whole (docs/dialects/dandi.md#errors)."""
    try:
        yield
    except InvalidError as error:
        raise InvalidError(sentence(error), field=error.field or "non_field_errors") from error


@contextmanager
def listed_errors() -> Iterator[None]:
    """Answer an InvalidError with a list of one message (docs/dialects/dandi.md#errors)."""
    try:
        yield
    except InvalidError as error:
        raise ValidationError([sentence(error)]) from error
