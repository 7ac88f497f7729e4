"""Finding people, tokens and reviewer links."""

from collections.abc import Sequence
from datetime import timedelta
from hashlib import sha256

from django.db.models import Q, QuerySet
from django.utils import timezone

from archive.accounts.models import Grant, ReviewerLink, Token, User

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


def find_reviewer_link(secret: str) -> ReviewerLink | None:
    """The valid reviewer link that `secret` is the secret of, or None."""
    return _valid_link(Q(digest=digest_of(secret)))


def find_reviewer_link_again(link_id: int) -> ReviewerLink | None:
    """A link that was presented before, if it is still valid."""
    return _valid_link(Q(pk=link_id))


def _valid_link(wanted: Q) -> ReviewerLink | None:
    now = timezone.now()
    link = ReviewerLink.objects.filter(wanted, revoked__isnull=True, expires__gt=now).first()
    if link and (link.last_used is None or link.last_used < now - LAST_USED_GRAIN):
        ReviewerLink.objects.filter(pk=link.pk).update(last_used=now)
    return link


def reviewer_links_of(dataset_id: int) -> QuerySet[ReviewerLink]:
    """All reviewer links of a dataset, those that have ended too, newest first."""
    return ReviewerLink.objects.filter(dataset_id=dataset_id).select_related("creator").order_by("-created", "-pk")


def owners_of(dataset_id: int) -> QuerySet[User]:
    """The owners of a dataset, by the date they joined the archive."""
    return _people_with(Grant.Role.OWNER, dataset_id)


def viewers_of(dataset_id: int) -> QuerySet[User]:
    """The viewers of a dataset, by the date they joined the archive."""
    return _people_with(Grant.Role.VIEWER, dataset_id)


def _people_with(role: Grant.Role, dataset_id: int) -> QuerySet[User]:
    granted = Grant.objects.filter(dataset_id=dataset_id, role=role).values("user_id")
    return User.objects.filter(pk__in=granted).order_by("date_joined", "pk")


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
