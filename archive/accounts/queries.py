"""Finding people and tokens."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from django.db.models import Q, QuerySet
from django.utils import timezone

from archive.accounts.models import Grant, Token, User

SEARCH_LIMIT = 10
LAST_USED_GRAIN = timedelta(minutes=5)


def digest_of(secret: str) -> str:
    """What is kept of a token's secret. A fast hash is enough: the secret is random, and too long to be guessed."""
    return sha256(secret.encode()).hexdigest()


def find_token(secret: str) -> Token | None:
    """The valid token (with its active user) that `secret` is the secret of, or None."""
    now = timezone.now()
    token = (
        Token.objects.select_related("user")
        .filter(digest=digest_of(secret), revoked__isnull=True, user__is_active=True)
        .filter(Q(expires__isnull=True) | Q(expires__gt=now))
        .first()
    )
    if token and (token.last_used is None or token.last_used < now - LAST_USED_GRAIN):
        Token.objects.filter(pk=token.pk).update(last_used=now)
    return token


def tokens_of(user: User) -> QuerySet[Token]:
    """The user's tokens that are not revoked, newest first."""
    return user.tokens.filter(revoked__isnull=True).order_by("-created")


def owners_of(dataset_id: int) -> QuerySet[User]:
    """The owners of a dataset, by the date they joined the archive."""
    owners = Grant.objects.filter(dataset_id=dataset_id, role=Grant.Role.OWNER).values("user_id")
    return User.objects.filter(pk__in=owners).order_by("date_joined", "pk")


def find_users(usernames: Sequence[str]) -> list[User]:
    """The active users with these usernames."""
    return list(User.objects.filter(username__in=usernames, is_active=True))


def search_users(text: str) -> QuerySet[User]:
    """At most SEARCH_LIMIT active, approved users with `text` in a name or the username, by the date they joined."""
    return User.objects.filter(
        Q(first_name__icontains=text) | Q(last_name__icontains=text) | Q(username__icontains=text),
        is_active=True,
        status=User.Status.APPROVED,
    ).order_by("date_joined", "pk")[:SEARCH_LIMIT]
