"""People, their tokens and their roles."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from archive.accounts.models import Grant, Invitation, Questionnaire, Token, User
from archive.accounts.queries import editors_of, find_proven_users, owners_of, viewers_of
from archive.accounts.services import approve_user, revoke_token
from archive.datasets.services import set_editors, set_owners, set_viewers
from dandiapi.admin.base import PER_PAGE, BoundedSearch, ByDatasetAdmin, ReadOnlyAdmin, UserAdmin, is_administrator
from dandiapi.credentials import actor_by_session

POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")
# Whoever changes these can sign in as that user, by resetting the password.
IDENTITY = ("username", "email")
FIELDS = {
    None: ["username", "github_login", "password", "status", "is_active"],
    "Person": ["first_name", "last_name", "email"],
    "Permissions": POWERS,
    "Dates": ["last_login", "date_joined"],
}


@admin.register(User)
class AccountAdmin(BoundedSearch, UserAdmin):
    """The admin of people. They sign up themselves, and stay, since the history names them; here they are approved."""

    list_display = ["username", "github_login", "first_name", "last_name", "review", "is_active", "date_joined"]
    list_filter = ["status", "is_active", "is_staff", "is_superuser"]
    list_per_page = PER_PAGE
    show_full_result_count = False
    ordering = ["-date_joined"]
    readonly_fields = ["status", "github_login", "last_login", "date_joined"]
    actions = ["approve"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Return whether the user may change this one: staff may not take over an administrator's account."""
        is_above = obj is not None and obj.is_superuser and not is_administrator(request)
        return super().has_change_permission(request, obj) and not is_above

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        """Return the fields that the user may not change: staff may give nobody powers, and take over no account."""
        reserved = [] if is_administrator(request) else [*POWERS, *IDENTITY]
        return [*self.readonly_fields, *reserved]

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Return the fields that the user sees: password hashes only if they may set passwords."""
        hidden = set() if is_administrator(request) else {"password"}
        return [(title, {"fields": [name for name in names if name not in hidden]}) for title, names in FIELDS.items()]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002
        """Let administrators set somebody's password, and nobody else: it opens all that is theirs."""
        if not is_administrator(request):
            raise PermissionDenied
        return super().user_change_password(request, id, form_url)

    @admin.display(description="Status", ordering="status")
    def review(self, person: User) -> str:
        """Return the status, with a link to the page where it is changed."""
        return format_html('<a href="{}">{}</a>', reverse("review-user", args=[person.username]), person.status)

    @admin.action(description="Approve", permissions=["change"])
    def approve(self, request: HttpRequest, people: QuerySet[User]) -> None:
        """Approve the chosen users, and tell them. A rejection needs a reason, and so a page of its own."""
        waiting = list(people.exclude(status=User.Status.APPROVED))
        for person in waiting:
            approve_user(actor=actor_by_session(request), user=person)
        self.message_user(request, f"{len(waiting)} people approved.", messages.SUCCESS)


@admin.register(Questionnaire)
class QuestionnaireAdmin(ReadOnlyAdmin):
    """The admin of people's answers to the questions of the sign-up."""

    list_display = ["user", "modified"]
    list_select_related = ["user"]
    search_fields = ["=user__username"]


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    """The admin of tokens, without the digests that recognise them."""

    list_display = ["name", "hint", "user", "scope", "created", "expires", "last_used", "revoked"]
    list_filter = ["scope"]
    list_select_related = ["user"]
    exclude = ["digest", "sealed"]
    search_fields = ["=user__username", "=hint"]
    actions = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Return whether the user may revoke tokens: whoever may change people may."""
        return request.user.has_perm("archive.change_user")

    @admin.action(description="Revoke", permissions=["revoke"])
    def revoke(self, request: HttpRequest, tokens: QuerySet[Token]) -> None:
        """Revoke the chosen tokens, at once and for good."""
        valid = list(tokens.filter(revoked__isnull=True).select_related("user"))
        for token in valid:
            revoke_token(user=token.user, token_id=token.pk)
        self.message_user(request, f"{len(valid)} tokens revoked.", messages.SUCCESS)


@admin.register(Invitation)
class InvitationAdmin(ByDatasetAdmin):
    """The admin of roles that wait for an address to be proven."""

    list_display = ["value", "kind", "role", "dataset", "created"]
    list_select_related = ["dataset"]


class GrantForm(ModelForm):  # type: ignore[type-arg]
    """The form for a new owner of a dataset."""

    def clean_user(self) -> User:
        """Return the user, if they have proven that the address they are named by is theirs."""
        user: User = self.cleaned_data["user"]
        if user.username not in find_proven_users([user.username]):
            raise ValidationError("This user has not proven that the address they are named by is theirs.")
        return user


@admin.register(Grant)
class GrantAdmin(ByDatasetAdmin):
    """The admin of owners. To add or delete one is a change of the dataset, in its history like any other."""

    list_display = ["dataset", "user", "role", "created"]
    list_select_related = ["dataset", "user"]
    raw_id_fields = ["dataset", "user"]
    fields = ["dataset", "user"]
    form = GrantForm
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return is_administrator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return is_administrator(request)

    def save_model(self, request: HttpRequest, obj: Grant, form: Any, change: bool) -> None:
        """Make the user another owner of the dataset."""
        self._set_owners(request, obj, [*owners_of(obj.dataset_id), obj.user])
        obj.pk = Grant.objects.get(dataset_id=obj.dataset_id, user_id=obj.user_id).pk

    def delete_model(self, request: HttpRequest, obj: Grant) -> None:
        """Remove the user from the owners, the editors or the viewers of the dataset."""
        others = {Grant.Role.EDITOR: (editors_of, set_editors), Grant.Role.VIEWER: (viewers_of, set_viewers)}
        if obj.role in others:
            people_of, set_people = others[Grant.Role(obj.role)]
            names = [person.username for person in people_of(obj.dataset_id) if person.pk != obj.user_id]
            set_people(actor=actor_by_session(request), dataset=obj.dataset, usernames=names)
            return
        self._set_owners(request, obj, [owner for owner in owners_of(obj.dataset_id) if owner.pk != obj.user_id])

    def _set_owners(self, request: HttpRequest, grant: Grant, people: Sequence[User]) -> None:
        names = [person.username for person in people]
        set_owners(actor=actor_by_session(request), dataset=grant.dataset, usernames=names)
