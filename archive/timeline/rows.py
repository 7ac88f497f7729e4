"""Rows in time: each is there from the change that introduced it until the change that retired it.

Assets and folders of a dataset are such rows; so are the entries of a Zarr archive, from revision to revision. Retired
rows stay, for the versions that show them.
"""

from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import Q

Row = TypeVar("Row", bound=models.Model)


def live(*, to: str = "") -> Q:
    """Return the condition that a row is there now; `to` is the prefix of the relation that leads to the rows."""
    return Q(**{f"{to}retired__isnull": True})


def lasting_beyond(point: Any, *, to: str = "") -> Q:
    """Return the condition that a row was still there after the point (a number, or an expression), or still is."""
    return live(to=to) | Q(**{f"{to}retired__gt": point})


def shown_at(point: int | None, *, to: str = "") -> Q:
    """Return the condition that a row is there at the point; that it is there now, for None."""
    if point is None:
        return live(to=to)
    return Q(**{f"{to}introduced__lte": point}) & lasting_beyond(point, to=to)


class RowsInTime(models.QuerySet[Row]):
    """Rows in time, and the words in which all code asks for them."""

    def live(self) -> Self:
        """Return the rows that are there now: those of the draft."""
        return self.filter(live())

    def at(self, point: int | None) -> Self:
        """Return the rows that are there at the point; those of the draft for None, which is the point of a draft."""
        return self.filter(shown_at(point))

    def lasting_beyond(self, point: int) -> Self:
        """Return the rows that were still there after the point, or still are, whenever they came."""
        return self.filter(lasting_beyond(point))
