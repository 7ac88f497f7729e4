"""The admin: every model, to look at; and to change only what the domain has a service for.

Lists are bounded, sorted by an index, and ask no query per row: some of these tables have millions of rows.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from archive import models
from archive.accounts.models import Grant, Token, User
from archive.accounts.queries import owners_of
from archive.accounts.services import revoke_token, set_status
from archive.datasets.services import set_owners
from archive.timeline.models import Job, Projection
from archive.timeline.services import retry_jobs, retry_projections
from dandiapi.auth import actor_of

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    UserAdmin = DjangoUserAdmin[User]
    Rows = Paginator[Any]
else:
    ModelAdmin, UserAdmin, Rows = admin.ModelAdmin, DjangoUserAdmin, Paginator

PER_PAGE = 50
COUNTED = 10_000


class BoundedPaginator(Rows):
    """Counts no further than COUNTED rows: that is as far as anybody pages."""

    @cached_property
    def count(self) -> int:
        """How many rows there are, as far as they are counted."""
        rows = cast("QuerySet[Any]", self.object_list)
        return rows[:COUNTED].count()


class ReadOnlyAdmin(ModelAdmin):
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
    """To look at, one dataset's after the other's: what is searched for is a dataset's number."""

    dataset_column = "dataset_id"
    search_fields = ("dataset_id",)
    search_help_text = "The number of a dataset"

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """The rows of that dataset, by an index; those that Django would find, it would find by reading all."""
        if not search_term:
            return queryset, False
        is_number = search_term.isascii() and search_term.isdigit() and len(search_term) <= 6
        return (queryset.filter(**{self.dataset_column: int(search_term)}) if is_number else queryset.none()), False


# --- Accounts ---------------------------------------------------------------------------------------------------------


@admin.register(User)
class AccountAdmin(UserAdmin):
    """People: they sign up themselves, and stay, since the history names them; here they are let in, or not."""

    list_display = ["username", "first_name", "last_name", "status", "is_active", "is_staff", "date_joined"]
    list_filter = ["status", "is_active", "is_staff", "is_superuser"]
    list_per_page = PER_PAGE
    show_full_result_count = False
    ordering = ["-date_joined"]
    fieldsets = [
        (None, {"fields": ["username", "password", "status", "is_active"]}),
        ("Person", {"fields": ["first_name", "last_name", "email"]}),
        ("Permissions", {"fields": ["is_staff", "is_superuser", "groups", "user_permissions"]}),
        ("Dates", {"fields": ["last_login", "date_joined"]}),
    ]
    readonly_fields = ["last_login", "date_joined"]
    actions = ["approve", "reject"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Staff may not become administrators by taking over an administrator's account."""
        is_above = obj is not None and obj.is_superuser and not _is_administrator(request)
        return super().has_change_permission(request, obj) and not is_above

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Nor may they give themselves, or others, more than they have."""
        powers = [] if _is_administrator(request) else ["is_staff", "is_superuser", "groups", "user_permissions"]
        return [*self.readonly_fields, *powers]

    @admin.action(description="Approve", permissions=["change"])
    def approve(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Let them make datasets."""
        self._set_status(request, people, User.Status.APPROVED)

    @admin.action(description="Reject", permissions=["change"])
    def reject(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Let them only read."""
        self._set_status(request, people, User.Status.REJECTED)

    def _set_status(self, request: HttpRequest, people: QuerySet[User], status: User.Status) -> None:
        count = set_status(user_ids=_ids(people), status=status)
        self.message_user(request, f"{count} people: {status.label}.", messages.SUCCESS)


def _is_administrator(request: HttpRequest) -> bool:
    return actor_of(request).is_admin


def _ids(rows: QuerySet[Any]) -> list[Any]:
    return list(rows.values_list("pk", flat=True))


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    """Tokens, without what they are recognised by."""

    list_display = ["name", "hint", "user", "scope", "created", "expires", "last_used", "revoked"]
    list_filter = ["scope"]
    list_select_related = ["user"]
    exclude = ["digest"]
    search_fields = ["=user__username", "=hint"]
    actions = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever may change people may do so."""
        return request.user.has_perm("archive.change_user")

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        """Revoke them, at once and for good."""
        valid = list(tokens.filter(revoked__isnull=True).select_related("user"))
        for token in valid:
            revoke_token(user=token.user, token_id=token.pk)
        self.message_user(request, f"{len(valid)} tokens revoked.", messages.SUCCESS)


@admin.register(Grant)
class GrantAdmin(ByDatasetAdmin):
    """Owners of datasets. To add or delete one is a change of the dataset, in its history like any other."""

    list_display = ["dataset", "user", "role", "created"]
    list_select_related = ["dataset", "user"]
    raw_id_fields = ["dataset", "user"]
    fields = ["dataset", "user"]
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_administrator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return _is_administrator(request)

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        """Make somebody an owner too."""
        self._set_owners(request, obj, [*owners_of(obj.dataset_id), obj.user])
        obj.pk = Grant.objects.get(dataset_id=obj.dataset_id, user_id=obj.user_id).pk

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        """Make somebody an owner no longer."""
        self._set_owners(request, obj, [owner for owner in owners_of(obj.dataset_id) if owner.pk != obj.user_id])

    def _set_owners(self, request: HttpRequest, grant: Grant, people: Sequence[User]) -> None:
        names = [person.username for person in people]
        set_owners(actor=actor_of(request), dataset=grant.dataset, usernames=names)


# --- Datasets ---------------------------------------------------------------------------------------------------------


@admin.register(models.Dataset)
class DatasetAdmin(ByDatasetAdmin):
    """Datasets."""

    dataset_column = "pk"
    list_display = ["identifier", "access", "embargo_end", "star_count", "created", "modified"]
    list_filter = ["access"]


@admin.register(models.Version)
class VersionAdmin(ByDatasetAdmin):
    """Drafts and published versions."""

    list_display = ["__str__", "name", "status", "file_count", "size", "created", "modified"]
    list_filter = ["status"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The list does without what may be large."""
        rows = super().get_queryset(request)
        return rows if _is_about_one(request) else rows.defer("metadata", "problems")


@admin.register(models.Star)
class StarAdmin(ByDatasetAdmin):
    """Stars."""

    list_display = ["dataset", "user", "created"]
    list_select_related = ["dataset", "user"]


@admin.register(models.Sequence)
class SequenceAdmin(ReadOnlyAdmin):
    """Where numbers come from."""

    list_display = ["name", "last"]


# --- Files ------------------------------------------------------------------------------------------------------------


@admin.register(models.Asset)
class AssetAdmin(ByDatasetAdmin):
    """Files, in drafts and published versions."""

    list_display = ["__str__", "size", "status", "introduced", "retired", "created"]
    list_filter = ["status"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The list does without what may be large."""
        rows = super().get_queryset(request)
        return rows if _is_about_one(request) else rows.defer("metadata", "problems", "contribution")


def _is_about_one(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and "object_id" in match.kwargs


@admin.register(models.Folder)
class FolderAdmin(ByDatasetAdmin):
    """Folders and their sums."""

    list_display = ["__str__", "file_count", "size", "child_count", "introduced", "retired"]


@admin.register(models.Blob)
class BlobAdmin(ReadOnlyAdmin):
    """Bytes in the store."""

    list_display = ["id", "size", "etag", "sha256", "uploader", "is_open", "created"]
    list_filter = ["is_open"]
    list_select_related = ["uploader"]
    search_fields = ["etag__exact", "sha256__exact"]


@admin.register(models.Upload)
class UploadAdmin(ByDatasetAdmin):
    """Bytes on their way in."""

    list_display = ["id", "dataset", "user", "size", "created"]
    list_select_related = ["dataset", "user"]


@admin.register(models.ZarrArchive)
class ZarrAdmin(ByDatasetAdmin):
    """Zarr archives."""

    list_display = ["id", "dataset", "name", "status", "revision", "file_count", "size", "created"]
    list_filter = ["status"]
    list_select_related = ["dataset"]
    ordering = ["-created"]


@admin.register(models.ZarrRevision)
class ZarrRevisionAdmin(ReadOnlyAdmin):
    """What Zarr archives were."""

    list_display = ["id", "zarr", "number", "checksum", "file_count", "size", "created"]
    list_select_related = ["zarr"]


@admin.register(models.ZarrEntry)
class ZarrEntryAdmin(ReadOnlyAdmin):
    """The files of Zarr archives."""

    list_display = ["path", "zarr", "md5", "size", "introduced", "retired"]
    list_select_related = ["zarr"]


# --- Timeline ---------------------------------------------------------------------------------------------------------


@admin.register(models.Timeline)
class TimelineAdmin(ByDatasetAdmin):
    """How far each dataset's history goes."""

    list_display = ["dataset_id", "number", "changed"]


@admin.register(models.Change)
class ChangeAdmin(ByDatasetAdmin):
    """What was done, by whom."""

    list_display = ["dataset_id", "number", "kind", "author_name", "author_email", "recorded"]
    list_filter = ["kind"]


@admin.register(Projection)
class ProjectionAdmin(ByDatasetAdmin):
    """How far what is derived has followed, and why not further."""

    list_display = ["name", "dataset_id", "state", "cursor", "attempts", "next_attempt", "advanced", "reason"]
    list_filter = ["state", "name"]
    actions = ["try_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whoever may look at them may do so: it does no harm."""
        return self.has_view_permission(request)

    @admin.action(description="Try again now", permissions=["retry"])
    def try_again(self, request: HttpRequest, projections: QuerySet[Projection]) -> None:
        """Do not wait for the next attempt."""
        count = retry_projections(_ids(projections))
        self.message_user(request, f"{count} projections will be tried in a moment.", messages.SUCCESS)


@admin.register(Job)
class JobAdmin(ByDatasetAdmin):
    """Work that somebody waits for."""

    list_display = ["kind", "subject", "dataset_id", "state", "step", "attempts", "created", "ended", "reason"]
    list_filter = ["state", "kind"]
    ordering = ["-created"]
    actions = ["try_again"]

    def has_retry_permission(self, request: HttpRequest) -> bool:
        """Whoever may look at them may do so: it does no harm."""
        return self.has_view_permission(request)

    @admin.action(description="Try again now", permissions=["retry"])
    def try_again(self, request: HttpRequest, jobs: QuerySet[Job]) -> None:
        """Do not wait for the next attempt. What has ended stays so."""
        count = retry_jobs(_ids(jobs))
        self.message_user(request, f"{count} jobs will be tried in a moment.", messages.SUCCESS)
