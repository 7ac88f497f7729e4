"""The base classes of the admin.

Lists are bounded, sorted by an index, and ask no query per row: some of these tables have millions of rows.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from archive.accounts.models import User
from archive.datasets.queries import visible_datasets
from dandiapi.credentials import actor_by_session

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    UserAdmin = DjangoUserAdmin[User]
    Rows = Paginator[Any]
else:
    ModelAdmin, UserAdmin, Rows = admin.ModelAdmin, DjangoUserAdmin, Paginator

PER_PAGE = 50
COUNTED = 10_000
# Django adds a condition for each word of a search in each field.
WORDS_SEARCHED = 10


class BoundedPaginator(Rows):
    """A paginator that counts no further than COUNTED rows, which is as far as anybody pages."""

    @cached_property
    def count(self) -> int:
        """Return how many rows there are, COUNTED at most."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows[:COUNTED].count()


class BoundedSearch(ModelAdmin):
    """An admin that refuses searches for more words than anybody types."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return what Django finds, or nothing for too many words."""
        if len(search_term.split()) > WORDS_SEARCHED:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)


class ReadOnlyAdmin(BoundedSearch):
    """An admin of rows that are only looked at."""

    list_per_page = PER_PAGE
    show_full_result_count = False
    paginator = BoundedPaginator
    ordering = ["-pk"]
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ByDatasetAdmin(ReadOnlyAdmin):
    """An admin of rows that are only looked at, and searched by the number of their dataset.

    Staff see what they may read elsewhere; administrators also see what belongs to no dataset, or to a deleted one.
    """

    dataset_column = "dataset_id"
    search_fields = ("dataset_id",)
    search_help_text = "The number of a dataset"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Return the rows of the datasets that the user may read."""
        rows = super().get_queryset(request)
        actor = actor_by_session(request)
        if actor.is_admin:
            return rows
        return rows.filter(**{f"{self.dataset_column}__in": visible_datasets(actor).values("pk")})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Return the rows of a dataset, found by an index; Django's own search would read all rows."""
        if not search_term:
            return queryset, False
        is_number = search_term.isascii() and search_term.isdigit() and len(search_term) <= 6
        return (queryset.filter(**{self.dataset_column: int(search_term)}) if is_number else queryset.none()), False


def is_administrator(request: HttpRequest) -> bool:
    """Return whether the user is an administrator; others of the staff may only look."""
    return actor_by_session(request).is_admin


def ids(rows: QuerySet[Any]) -> list[Any]:
    """Return the keys of the rows that were chosen."""
    return list(rows.values_list("pk", flat=True))


def is_about_one(request: HttpRequest) -> bool:
    """Return whether one row is shown in full, and not a list."""
    match = request.resolver_match
    return match is not None and "object_id" in match.kwargs
