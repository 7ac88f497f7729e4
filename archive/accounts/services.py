"""Making and revoking tokens; making and approving accounts; writing to people."""

import re
import secrets
import zlib
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from archive.accounts.models import Token, User
from archive.accounts.queries import digest_of
from archive.accounts.work import MAIL_JOB
from archive.errors import InvalidError, NotFoundError
from archive.timeline.services import start_job

TOKEN_PREFIX = "arc_"  # noqa: S105 - the part that secret scanners look for, not a secret
API_KEY_NAME = "API key"
MAX_TOKENS = 100


def create_token(
    *, user: User, name: str, scope: str = Token.Scope.WRITE, expires: datetime | None = None
) -> tuple[Token, str]:
    """Make a token for `user`. Returns it and its secret, which cannot be had again."""
    name = name.strip()
    if not name or len(name) > 100:
        raise InvalidError("A token needs a name of 1 to 100 characters.", field="name")
    if scope not in Token.Scope.values:
        raise InvalidError(f"The scope must be one of {', '.join(Token.Scope.values)}.", field="scope")
    if expires is not None and expires <= timezone.now():
        raise InvalidError("The expiry must lie in the future.", field="expires")
    if user.tokens.filter(revoked__isnull=True).count() >= MAX_TOKENS:
        raise InvalidError(f"You have {MAX_TOKENS} tokens already; revoke one first.", field="name")
    secret = new_secret(TOKEN_PREFIX)
    token = Token.objects.create(
        user=user, name=name, digest=digest_of(secret), hint=secret[:8], scope=scope, expires=expires
    )
    return token, secret


def new_secret(prefix: str) -> str:
    """240 random bits between a prefix and a checksum, so that a scanner can tell a secret from other text."""
    body = prefix + secrets.token_hex(30)
    return f"{body}{zlib.crc32(body.encode()):08x}"


def revoke_token(*, user: User, token_id: int) -> None:
    """Revoke one of the user's tokens, at once and for good."""
    if not user.tokens.filter(pk=token_id, revoked__isnull=True).update(revoked=timezone.now()):
        raise NotFoundError("You have no such token.")


def replace_api_key(*, user: User) -> str:
    """Revoke what DANDI calls the user's API key, if there is one, and return the secret of a new one."""
    with transaction.atomic():
        user.tokens.filter(name=API_KEY_NAME, revoked__isnull=True).update(revoked=timezone.now())
        return create_token(user=user, name=API_KEY_NAME)[1]


def name_after_address(*, user: User) -> None:
    """Give somebody who came without a name the one that their e-mail address suggests: metadata needs one."""
    words = re.split(r"[._+-]+", user.email.partition("@")[0])
    user.first_name, user.last_name = words[0].title(), words[-1].title()
    user.save(update_fields=["first_name", "last_name"])


def create_user(
    *, email: str, password: str | None = None, first_name: str = "", last_name: str = "", is_admin: bool = False
) -> User:
    """Make an approved account, or bring the existing one of that address to what is asked."""
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
    return user


def set_status(*, user_ids: Sequence[int], status: User.Status) -> int:
    """Approve, reject or put back people; returns how many changed by it."""
    return User.objects.filter(pk__in=user_ids).exclude(status=status).update(status=status)


def write_mail(*, key: str, to: Sequence[str], subject: str, text: str) -> None:
    """Have one mail sent to these addresses, once the caller's transaction has been committed, and not before.

    `key`, of at most 64 characters, names the occasion: while a mail about it waits to be sent, no second one is made.
    """
    if to:
        # Of no dataset: whoever may see the work that is done for a dataset need not see these addresses.
        start_job(MAIL_JOB, subject=key, arguments={"to": [*to], "subject": subject, "text": text})
