"""Making and revoking tokens; making and approving accounts."""

import re
import secrets
import zlib
from collections.abc import Mapping
from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from archive.accounts.models import NAME_PART, Questionnaire, Token, User
from archive.accounts.policy import Action, Actor, Guarded, require
from archive.accounts.queries import (
    API_KEY_NAME,
    NAMES,
    QUESTIONS,
    Question,
    addresses_for_signup_mail,
    api_key_cipher,
    digest_of,
    has_proven_own_address,
)
from archive.accounts.work import queue_mail
from archive.errors import ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError

TOKEN_PREFIX = "arc_"  # noqa: S105 - the part that secret scanners look for, not a secret
MAX_TOKENS = 100
# Of the tokens that programs are handed for a purpose, as long as they are valid.
MAX_ISSUED = 1000
MAX_REASON = 1000


def create_token(
    *, user: User, name: str, scope: str = Token.Scope.WRITE, expires: datetime | None = None, secret: str = ""
) -> tuple[Token, str]:
    """Make a token for `user`. Returns it and its secret, which cannot be had again: a new one, unless it is given."""
    name = name.strip()
    if not name or len(name) > 100:
        raise InvalidError("A token needs a name of 1 to 100 characters.", field="name")
    if scope not in Token.Scope.values:
        raise InvalidError(f"The scope must be one of {', '.join(Token.Scope.values)}.", field="scope")
    if expires is not None and expires <= timezone.now():
        raise InvalidError("The expiry must lie in the future.", field="expires")
    if user.tokens.filter(revoked__isnull=True, purpose=Token.Purpose.ACCOUNT).count() >= MAX_TOKENS:
        raise InvalidError(f"You have {MAX_TOKENS} tokens already; revoke one first.", field="name")
    secret = secret or new_secret(TOKEN_PREFIX)
    token = Token.objects.create(
        user=user, name=name, digest=digest_of(secret), hint=secret[:8], scope=scope, expires=expires
    )
    return token, secret


def create_own_token(*, actor: Actor, name: str, scope: str, expires: datetime | None) -> tuple[Token, str]:
    """Make a token for the actor, as `create_token` does."""
    require(actor, Action.MANAGE_TOKENS)
    if actor.user is None:
        raise UnauthenticatedError
    return create_token(user=actor.user, name=name, scope=scope, expires=expires)


def issue_token(
    *,
    user: User,
    purpose: Token.Purpose,
    secret: str,
    expires: datetime,
    dataset: Guarded | None = None,
    scope: str = Token.Scope.WRITE,
) -> Token:
    """Make a token of a user for a purpose, and for one dataset if the purpose has one, with a secret made elsewhere.

    The caller has asked the policy. Tokens for that purpose that have expired go; of too many, those issued first do.
    """
    issued = user.tokens.filter(purpose=purpose)
    with transaction.atomic():
        issued.filter(expires__lte=timezone.now()).delete()
        superfluous = issued.order_by("-pk").values("pk")[MAX_ISSUED - 1 :]
        Token.objects.filter(pk__in=list(superfluous.values_list("pk", flat=True))).delete()
        return Token.objects.create(
            user=user,
            name=purpose.label,
            digest=digest_of(secret),
            hint=secret[-8:],
            scope=scope,
            purpose=purpose,
            dataset_id=dataset.pk if dataset else None,
            expires=expires,
        )


def revoke_session_tokens(*, user: User) -> None:
    """Revoke the tokens that web apps keep for the user in cookies."""
    user.tokens.filter(purpose=Token.Purpose.SESSION, revoked__isnull=True).update(revoked=timezone.now())


def new_secret(prefix: str) -> str:
    """Return 240 random bits between a prefix and a checksum, by which a scanner tells a secret from other text."""
    body = prefix + secrets.token_hex(30)
    return f"{body}{zlib.crc32(body.encode()):08x}"


def revoke_token(*, user: User, token_id: int) -> None:
    """Revoke one of the user's tokens, at once and for good."""
    if not user.tokens.filter(pk=token_id, revoked__isnull=True).update(revoked=timezone.now()):
        raise NotFoundError("You have no such token.")


def revoke_all_tokens(*, user: User) -> None:
    """Revoke all tokens of the user, at once and for good."""
    user.tokens.filter(revoked__isnull=True).update(revoked=timezone.now())


def replace_api_key(*, actor: Actor) -> str:
    """Revoke what DANDI calls the user's API key, if there is one, and return the secret of a new one.

    A key that is asked for with an expiring token expires with it: no token can prolong its own life.
    """
    require(actor, Action.MANAGE_TOKENS)
    if actor.user is None:
        raise UnauthenticatedError
    with transaction.atomic():
        # Concurrent requests of one user replace the key one after the other, and the last one stays.
        user = User.objects.select_for_update().get(pk=actor.user.pk)
        user.tokens.filter(name=API_KEY_NAME, revoked__isnull=True).update(revoked=timezone.now())
        token, secret = create_token(user=user, name=API_KEY_NAME, expires=actor.token.expires if actor.token else None)
        token.sealed = api_key_cipher().encrypt(secret.encode()).decode()
        token.save(update_fields=["sealed"])
    return secret


def fill_name_from_email(*, user: User) -> None:
    """Derive a missing first and last name from the e-mail address of a user whom nobody can ask."""
    if user.get_full_name():
        return
    words = re.findall(r"[^\W\d_]+", user.email.partition("@")[0]) or ["Somebody"]
    user.first_name, user.last_name = words[0].title(), words[-1].title()
    user.save(update_fields=["first_name", "last_name"])


def ensure_user(
    *, email: str, password: str | None = None, first_name: str = "", last_name: str = "", is_admin: bool = False
) -> User:
    """Return an approved account with that address: a new one, or the existing one, updated with what is given.

    The caller vouches for the address, which counts as verified. A missing name is derived from it.
    """
    user, _ = User.objects.get_or_create(username=email, defaults={"email": email})
    user.first_name = first_name or user.first_name
    user.last_name = last_name or user.last_name
    user.status = User.Status.APPROVED
    user.is_staff = user.is_staff or is_admin
    user.is_superuser = user.is_superuser or is_admin
    if password is not None:
        user.set_password(password)
    elif not user.password:
        user.set_unusable_password()
    user.save()
    fill_name_from_email(user=user)
    _vouch_for_address(user)
    return user


def _vouch_for_address(user: User) -> None:
    """Take the user's address for proven, unless it is proven to be somebody else's."""
    address = user.email.lower()
    if EmailAddress.objects.filter(email=address, verified=True).exists():
        return
    is_first = not EmailAddress.objects.filter(user=user, primary=True).exists()
    EmailAddress.objects.update_or_create(
        user=user,
        email=address,
        defaults={"verified": True},
        create_defaults={"verified": True, "primary": is_first},
    )


# --- Approval: docs/dialects/dandi.md#approval ------------------------------------------------------------------------


def answer_questionnaire(*, user: User, answers: Mapping[str, str]) -> None:
    """Keep what somebody answers, by question, and take their name from it.

    Who answers everything for the first time is approved if their proven address is of a trusted kind, and otherwise
    waits for an administrator, or for the proof.
    """
    kept = {each.text: answers[each.text].strip()[: each.max_length] for each in QUESTIONS if each.text in answers}
    for question in NAMES:
        kept[question.text] = _checked_name(question, kept.get(question.text, ""))
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        sheet, _ = Questionnaire.objects.get_or_create(user=person)
        sheet.answers |= kept
        sheet.save()
        person.first_name, person.last_name = (kept[each.text] for each in NAMES)
        person.save(update_fields=["first_name", "last_name"])
        if person.status == User.Status.INCOMPLETE and len(kept) == len(QUESTIONS):
            _register(person)


def _checked_name(question: Question, name: str) -> str:
    """Return the name as metadata have it, with the apostrophe of typewriters."""
    written = name.replace("’", "'")
    if not written:
        raise InvalidError("Please give your name.", field=question.text)
    if not NAME_PART.fullmatch(written):
        allowed = "letters, spaces, hyphens, dots and apostrophes"
        raise InvalidError(f"Please write your name with {allowed} only, as citations do.", field=question.text)
    return written


def approve_if_trusted(*, user: User) -> None:
    """Approve somebody who waits for that, if they have proven an address of a trusted kind by now."""
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        if person.status == User.Status.PENDING and _is_trusted(person):
            _approve(person)


def _is_trusted(person: User) -> bool:
    trusted = tuple(settings.ACCOUNTS_TRUSTED_ADDRESSES)
    return person.email.lower().endswith(trusted) and has_proven_own_address(person)


def _register(person: User) -> None:
    if settings.ACCOUNTS_APPROVED_AT_SIGNUP or _is_trusted(person):
        _approve(person)
        return
    person.status = User.Status.PENDING
    person.save(update_fields=["status"])
    queue_mail("registered", to=[*addresses_for_signup_mail(), person.email], person=person)
    queue_mail("review", to=addresses_for_signup_mail(), person=person)


def _approve(person: User) -> None:
    person.status, person.is_active = User.Status.APPROVED, True
    person.save(update_fields=["status", "is_active"])
    queue_mail("approved", to=[*addresses_for_signup_mail(), person.email], person=person)


def approve_user(*, actor: Actor, user: User) -> None:
    """Let somebody make datasets, and tell them; nothing happens if they may already."""
    require(actor, Action.REVIEW_USERS)
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        if person.status != User.Status.APPROVED or not person.is_active:
            _approve(person)


def reject_user(*, actor: Actor, user: User, reason: str) -> None:
    """Close somebody's account, and tell them why; nothing happens if it is closed."""
    require(actor, Action.REVIEW_USERS)
    reason = reason.strip()
    if not reason or len(reason) > MAX_REASON:
        raise InvalidError(f"A rejection needs a reason of 1 to {MAX_REASON} characters.", field="rejection_reason")
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        require_no_powers(person)
        if person.status == User.Status.REJECTED and not person.is_active:
            return
        person.status, person.is_active = User.Status.REJECTED, False
        person.save(update_fields=["status", "is_active"])
        queue_mail("rejected", to=[*addresses_for_signup_mail(), person.email], person=person, reason=reason)


# --- Powers -----------------------------------------------------------------------------------------------------------


def set_admin(*, actor: Actor, user: User, is_admin: bool) -> User:
    """Make somebody an administrator, or no more; returns them as they are now. Nobody gives up their own powers."""
    require(actor, Action.APPOINT)
    _require_other(actor, user)
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        if is_admin and not person.is_active:
            raise InvalidError("The account is blocked: let it in again first.", field="id")
        person.is_superuser = person.is_staff = is_admin
        person.save(update_fields=["is_superuser", "is_staff"])
    return person


def set_blocked(*, actor: Actor, user: User, is_blocked: bool) -> User:
    """Block somebody's account, whose tokens and sessions are good for nothing from then on, or let it in again."""
    require(actor, Action.APPOINT)
    _require_other(actor, user)
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        if is_blocked:
            require_no_powers(person)
        person.is_active = not is_blocked
        person.save(update_fields=["is_active"])
    return person


def _require_other(actor: Actor, user: User) -> None:
    if actor.user_id == user.pk:
        raise ForbiddenError("This is your own account: ask another administrator.")


def require_no_powers(user: User) -> None:
    """Raise ForbiddenError if somebody is of the staff, or an administrator."""
    if user.is_superuser or user.is_staff:
        raise ForbiddenError("They are of the staff: take their permissions away first.")


def forget_user(*, user: User) -> None:
    """Forget who had an account, which nobody can sign in to any more. The caller has asked the policy.

    The row stays, for what they have sent; what they did stays in the histories of datasets.
    """
    with transaction.atomic():
        person = User.objects.select_for_update().get(pk=user.pk)
        person.tokens.all().delete()
        person.reviewer_links.filter(revoked__isnull=True).update(revoked=timezone.now())
        Questionnaire.objects.filter(user=person).delete()
        EmailAddress.objects.filter(user=person).delete()
        SocialAccount.objects.filter(user=person).delete()
        require_no_powers(person)
        person.username, person.email, person.github_login = person.name_when_removed, "", ""
        person.first_name = person.last_name = ""
        person.orcid, person.is_active, person.status = None, False, User.Status.REJECTED
        person.set_unusable_password()
        person.save()


# --- Names ------------------------------------------------------------------------------------------------------------


def set_orcid(*, user: User, orcid: str | None) -> None:
    """Record the ORCID iD that the user has signed in with, or None; any other account that has it loses it."""
    if user.orcid == orcid:
        return
    with transaction.atomic():
        if orcid:
            User.objects.filter(orcid=orcid).exclude(pk=user.pk).update(orcid=None)
        user.orcid = orcid
        user.save(update_fields=["orcid"])


def set_github_login(*, user: User, login: str) -> None:
    """Record the GitHub login of the user, or "" for none; any other account that has it loses it."""
    if user.github_login == login:
        return
    with transaction.atomic():
        if login:
            User.objects.filter(github_login__iexact=login).exclude(pk=user.pk).update(github_login="")
        user.github_login = login
        user.save(update_fields=["github_login"])
