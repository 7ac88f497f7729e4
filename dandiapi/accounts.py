"""Signing up and in, with a password or through GitHub, ORCID or Google: our part in allauth."""

import smtplib
from secrets import token_hex
from typing import Any
from urllib.parse import urlencode

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from oauth2_provider.models import AccessToken, RefreshToken
from oauth2_provider.models import Grant as AuthorizationCode

from archive.accounts.models import User
from archive.accounts.queries import (
    has_proven_own_address,
    is_address,
    is_orcid,
    is_username_of_another,
    open_questions,
)
from archive.accounts.services import approve_if_trusted, revoke_all_tokens, set_github_login, set_orcid
from archive.datasets.services import accept_invitations
from archive.errors import BusyError
from dandiapi.clients import address_of

MAX_USERNAME = 150


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """The adapter of sign-up: the username is the e-mail address, and approval is as the settings say."""

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """Fill in a new user from the sign-up form."""
        user = super().save_user(request, user, form, commit=False)
        name_by_address(user)
        if commit:
            user.save()
        return user

    def post_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse:
        """Learn how GitHub and ORCID know them and what they have proven by now; ask what is still to be asked."""
        set_github_login(user=user, login=github_login(user))
        set_orcid(user=user, orcid=orcid_of(user))
        accept_invitations(user=user)
        going: HttpResponseRedirect = super().post_login(request, user, **kwargs)
        return _by_way_of_questions(user, going)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that attempts to sign in are counted by: the same as for any other request."""
        return address_of(request)

    def confirm_email(self, request: HttpRequest, email_address: EmailAddress) -> bool:
        """Take an address for proven if whoever follows the link in the mail is signed in to the account.

        Else a link that somebody is tricked into following would give their address to a stranger's account.
        """
        if request.user == email_address.user:
            return bool(super().confirm_email(request, email_address))
        messages.error(
            request, "Sign in to the account that the address is to be proven for, and then follow the link."
        )
        return False

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send a mail at once, and not as a job: these mails hold secrets, which must not lie in a queue."""
        try:
            super().send_mail(template_prefix, email, context)
        except (smtplib.SMTPException, OSError) as error:
            raise BusyError("The mail server is away just now; please try again.", retry_after=60) from error


def _by_way_of_questions(user: User, going: HttpResponseRedirect) -> HttpResponseRedirect:
    """Return the redirect to the open questions first, if there are any; else `going`, where the user was going.

    The authorisation of web apps asks its questions itself.
    """
    if not open_questions(user) or going.url.startswith(reverse("authorize")):
        return going
    return HttpResponseRedirect(f"{reverse('about-you')}?{urlencode({'next': going.url})}")


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """The adapter of sign-up for people who come from GitHub, ORCID or Google."""

    def populate_user(self, request: HttpRequest, sociallogin: Any, data: dict[str, Any]) -> User:
        """Fill in a new user from what the provider says, cut to what fits."""
        user: User = super().populate_user(request, sociallogin, data)
        user.first_name, user.last_name = user.first_name[:100], user.last_name[:100]
        return user

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """Keep a new user."""
        user: User = super().save_user(request, sociallogin, form)
        name_by_address(user)
        user.save()
        return user


def name_by_address(user: User) -> None:
    """Name a new user by their e-mail address, if that can be a username, and approve them where everybody is.

    Who has changed their address is still named by the old one. Whoever has that now, or one that is too long, gets a
    name that nobody can choose, and nobody has at GitHub: else they could be taken for whom they are not.
    """
    is_taken = is_username_of_another(user, user.email)
    can_be_one = is_address(user.email) and len(user.email) <= MAX_USERNAME and not is_taken
    user.username = user.email if can_be_one else f"user_{token_hex(8)}"
    if settings.ACCOUNTS_APPROVED_AT_SIGNUP:
        user.status = User.Status.APPROVED


def github_login(user: User) -> str:
    """Return the user's GitHub login, if GitHub is the only one that vouches for them; otherwise ""."""
    vouchers = list(SocialAccount.objects.filter(user=user)[:2])
    if len(vouchers) != 1:
        return ""
    return str(vouchers[0].extra_data.get("login") or "")[:100]


def orcid_of(user: User) -> str | None:
    """Return the ORCID iD that the user has linked by signing in there, if it is one."""
    linked = SocialAccount.objects.filter(user=user, provider="orcid").order_by("pk").values_list("uid", flat=True)
    return next((uid for uid in linked if is_orcid(uid)), None)


def follow_proof(request: HttpRequest, email_address: EmailAddress, **kwargs: Any) -> None:
    """Let what waits for the proof of an address take effect."""
    approve_if_trusted(user=email_address.user)
    accept_invitations(user=email_address.user)


def follow_reset(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """End all that was handed out for an account that has proven nothing: who reads its mail may be another person.

    Else somebody could sign up with another's address, keep a token, and wait until they take the account and prove it.
    """
    if has_proven_own_address(user):
        return
    for model in (RefreshToken, AccessToken, AuthorizationCode, SocialAccount):
        model.objects.filter(user=user).delete()
    EmailAddress.objects.filter(user=user).exclude(email__iexact=user.email).delete()
    revoke_all_tokens(user=user)
