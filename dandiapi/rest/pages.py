"""Pages of lists, as DANDI numbers them (docs/dialects/dandi.md#pages)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from rest_framework.request import Request
from rest_framework.utils.urls import remove_query_param, replace_query_param

from archive.errors import InvalidError, NotFoundError
from dandiapi.rest.answers import Answer
from dandiapi.rest.outputs import LazyPageOf, PageOf

T = TypeVar("T")

DEFAULT_SIZE = 100
MAX_SIZE = 1000
# What is longer than this is not read as a number at all.
MAX_DIGITS = 1000


@dataclass(frozen=True)
class Page:
    """The page that a request asks for."""

    request: Request
    number: int
    size: int

    @classmethod
    def of(cls, request: Request) -> "Page":
        """Return the page that a request asks for; NotFoundError when its number is invalid."""
        number = _positive(request, "page", default=1)
        if number is None:
            raise NotFoundError("Invalid page.")
        return cls(request, number, size_of(request))

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    def answer(self, *, count: int, fetch: Callable[[int, int], Iterable[T]]) -> Answer[PageOf[T]]:
        """Return a counted page; `fetch` gets offset and limit. Raise NotFound past the end, but for the first page."""
        if self.number > 1 and self.offset >= count:
            raise NotFoundError("Invalid page.")
        return self.counted_answer(lambda offset, limit: (count, fetch(offset, limit)))

    def counted_answer(self, fetch: Callable[[int, int], tuple[int, Iterable[T]]]) -> Answer[PageOf[T]]:
        """Return a page as `answer` does, where `fetch` counts too."""
        count, results = fetch(self.offset, self.size)
        if self.number > 1 and self.offset >= count:
            raise NotFoundError("Invalid page.")
        following, previous = self._neighbours(more=self.offset + self.size < count)
        return Answer({"count": count, "next": following, "previous": previous, "results": list(results)})

    def lazy_answer(
        self, *, count: Callable[[], int], fetch: Callable[[int, int], Iterable[T]]
    ) -> Answer[LazyPageOf[T]]:
        """Return a page that is counted only if it is the first, and is empty past the end."""
        results = list(fetch(self.offset, self.size + 1))
        following, previous = self._neighbours(more=len(results) > self.size)
        counted = count() if self.number == 1 else None
        return Answer({"count": counted, "next": following, "previous": previous, "results": results[: self.size]})

    def _neighbours(self, *, more: bool) -> tuple[str | None, str | None]:
        """Return the addresses of the next page, if there is `more`, and of the page before."""
        address = self.request.build_absolute_uri()
        following = replace_query_param(address, "page", self.number + 1) if more else None
        previous = None
        if self.number == 2:
            previous = remove_query_param(address, "page")
        elif self.number > 2:
            previous = replace_query_param(address, "page", self.number - 1)
        return following, previous


def size_of(request: Request) -> int:
    """Return how many results the page that a request asks for has."""
    size = _positive(request, "page_size", default=DEFAULT_SIZE) or DEFAULT_SIZE
    return min(size, MAX_SIZE)


def _positive(request: Request, name: str, *, default: int) -> int | None:
    """Return the number of that name in a request's query; None for an invalid one."""
    text = request.query_params.get(name, str(default))
    if len(text) > MAX_DIGITS:
        raise InvalidError(f"A number of at most {MAX_DIGITS} digits is needed.", field=name)
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) < 10**9 else None
