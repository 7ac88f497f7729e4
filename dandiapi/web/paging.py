"""Pages of lists, for people."""

from dataclasses import dataclass

from django.http import HttpRequest

from archive.errors import NotFoundError


def number_asked_for(request: HttpRequest) -> int:
    """Return the number of the page that the request asks for; NotFoundError if no list has such a page."""
    text = request.GET.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    if number < 1:
        raise NotFoundError("This list has no such page.")
    return number


@dataclass(frozen=True)
class Page:
    """A page of a list of `count` rows, `size` to a page."""

    number: int
    size: int
    count: int

    @classmethod
    def of(cls, request: HttpRequest, *, count: int, size: int) -> "Page":
        """Return the page that the request asks for; NotFoundError if the list has no such page."""
        page = cls(number_asked_for(request), size, count)
        if page.number > page.last:
            raise NotFoundError("This list has no such page.")
        return page

    @property
    def last(self) -> int:
        return max(1, -(-self.count // self.size))

    @property
    def start(self) -> int:
        """Return how many rows come before the page."""
        return (self.number - 1) * self.size

    @property
    def end(self) -> int:
        return min(self.start + self.size, self.count)

    @property
    def previous(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def following(self) -> int | None:
        return self.number + 1 if self.number < self.last else None
