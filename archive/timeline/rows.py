"""Rows in time: each is there from the change that introduced it until the change that retired it.

Assets and folders of a dataset are such rows; so are the entries of a Zarr archive, from revision to revision. Retired
rows stay, for the versions that show them.
"""

from typing import Any, Self, TypeVar

from django.db import models
from django.db.models import OuterRef, Q

Row = TypeVar("Row", bound=models.Model)


# A point after all changes: what is there then is what is there now.
FOREVER = 2**63 - 1


def live() -> Q:
    """Return the condition that a row is there now."""
    return Q(retired__isnull=True)


def lasting_beyond(point: Any) -> Q:
    """Return the condition that a row was still there after the point (a number, or an expression), or still is."""
    return live() | Q(retired__gt=point)


def shown_at(point: int | None) -> Q:
    """Return the condition that a row is there at the point; that it is there now, for None."""
    if point is None:
        return live()
    return Q(introduced__lte=point) & lasting_beyond(point)


def rows_of(relation: Any) -> models.QuerySet[Any]:
    """Return the rows of a relation, such as `Blob.assets`, as a subquery of a query of what they point at.

    Conditions that go through the relation itself have Postgres read what they point at a second time.
    """
    rows: models.QuerySet[Any] = relation.rel.related_model.objects
    return rows.filter(**{relation.rel.field.name: OuterRef("pk")})


class RowsInTime(models.QuerySet[Row]):
    """Rows in time, and the words in which all code asks for them."""

    def live(self) -> Self:
        """Return the rows that are there now: those of the draft."""
        return self.filter(live())

    def gone(self) -> Self:
        """Return the rows that are there no more."""
        return self.filter(retired__isnull=False)

    def at(self, point: int | None) -> Self:
        """Return the rows that are there at the point; those of the draft for None, which is the point of a draft."""
        return self.filter(shown_at(point))

    def lasting_beyond(self, point: int) -> Self:
        """Return the rows that were still there after the point, or still are, whenever they came."""
        return self.filter(lasting_beyond(point))
