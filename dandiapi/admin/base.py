"""What all of the admin has in common.

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
# Django asks the database for each word of a search in each field.
WORDS_SEARCHED = 10


class BoundedPaginator(Rows):
    """Counts no further than COUNTED rows: that is as far as anybody pages."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, as far as they are counted."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows[:COUNTED].count()


class BoundedSearch(ModelAdmin):
    """Searches for no more words than anybody types."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What Django finds, or nothing."""
        if len(search_term.split()) > WORDS_SEARCHED:
            return queryset.none(), False
        return super().get_search_results(request, queryset, search_term)


class ReadOnlyAdmin(BoundedSearch):
    """To look at."""

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
    """To look at, one dataset's after the other's: what is searched for is a dataset's number.

    Staff see what they may read elsewhere; what belongs to no dataset, or to one that is gone, administrators.
    """

    dataset_column = "dataset_id"
    search_fields = ("dataset_id",)
    search_help_text = "The number of a dataset"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows of the datasets that the asker may read."""
        rows = super().get_queryset(request)
        actor = actor_by_session(request)
        if actor.is_admin:
            return rows
        return rows.filter(**{f"{self.dataset_column}__in": visible_datasets(actor).values("pk")})

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows of that dataset, by an index; those that Django would find, it would find by reading all."""
        if not search_term:
            return queryset, False
        is_number = search_term.isascii() and search_term.isdigit() and len(search_term) <= 6
        return (queryset.filter(**{self.dataset_column: int(search_term)}) if is_number else queryset.none()), False


def is_administrator(request: HttpRequest) -> bool:
    """Whether an administrator is asking; others of the staff may only look."""
    return actor_by_session(request).is_admin


def ids(rows: QuerySet[Any]) -> list[Any]:
    """The keys of the rows that were chosen."""
    return list(rows.values_list("pk", flat=True))


def is_about_one(request: HttpRequest) -> bool:
    """Whether one row is shown in full, and not a list."""
    match = request.resolver_match
    return match is not None and "object_id" in match.kwargs
