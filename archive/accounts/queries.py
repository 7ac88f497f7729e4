"""Finding people, tokens and reviewer links; what is still to be asked of somebody."""

import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Case, Q, QuerySet, When
from django.db.models.functions import Lower
from django.utils import timezone

from archive.accounts.models import ORCID_PATTERN, REMOVED, Grant, Invitation, ReviewerLink, Token, User
from archive.accounts.policy import Action, Actor, Guarded, may, require
from archive.errors import NotFoundError
from archive.statements import Prepared

API_KEY_NAME = "API key"
SEARCH_LIMIT = 10
MAX_REVIEWERS = 20
LAST_USED_GRAIN = timedelta(minutes=5)


@dataclass(frozen=True)
class Question:
    """A question to people who sign up; answers are cut to the length."""

    text: str
    max_length: int


FIRST_NAME = Question("First Name", 100)
LAST_NAME = Question("Last Name", 100)
NAMES = (FIRST_NAME, LAST_NAME)
# See docs/dialects/dandi.md#questionnaire.
QUESTIONS = (
    *NAMES,
    Question("Affiliation(s)", 1000),
    Question("Lab or project website", 1000),
    Question("What do you plan to use the archive for?", 1000),
)


def open_questions(user: User) -> tuple[Question, ...]:
    """Return the questions that a user still has to answer before they, or a web app for them, can go on."""
    if user.status == User.Status.INCOMPLETE and not user.is_superuser:
        return QUESTIONS
    return () if user.has_full_name else NAMES


def digest_of(secret: str) -> str:
    """Return the digest by which a secret is kept.

    A fast hash is enough: the secret is random, and too long to be guessed.
    """
    return sha256(secret.encode()).hexdigest()


def find_token(secret: str) -> Token | None:
    """Return the valid token with this secret, its active user with it, or None; notes that it was used."""
    token = _token_by_digest.first(digest=digest_of(secret))
    now = timezone.now()
    if token is None or not token.is_valid(now) or not token.user.is_active:
        return None
    if token.last_used is None or token.last_used < now - LAST_USED_GRAIN:
        Token.objects.filter(pk=token.pk).update(last_used=now)
    return token


@Prepared
def _token_by_digest(digest: Any) -> QuerySet[Token]:
    return Token.objects.select_related("user").filter(digest=digest)


def api_key_of(user: User) -> str | None:
    """Return the secret of what DANDI calls the user's API key; None if there is none that can be read."""
    token = tokens_of(user).filter(name=API_KEY_NAME).exclude(sealed="").first()
    if token is None:
        return None
    try:
        return api_key_cipher().decrypt(token.sealed).decode()
    except InvalidToken:
        return None


def api_key_cipher() -> Fernet:
    """Return the cipher that seals and opens API keys, by a key that this server has and the database does not."""
    return Fernet(urlsafe_b64encode(sha256(f"API keys {settings.SECRET_KEY}".encode()).digest()))


def tokens_of(user: User) -> QuerySet[Token]:
    """Return the user's own tokens that are not revoked, newest first: not those that programs were handed."""
    return user.tokens.filter(revoked__isnull=True, purpose=Token.Purpose.ACCOUNT).order_by("-created")


def find_reviewer_link(secret: str) -> ReviewerLink | None:
    """Return the valid reviewer link with this secret, or None; notes that it was used."""
    return _valid_link(Q(digest=digest_of(secret)))


def find_reviewer_link_again(link_id: int) -> ReviewerLink | None:
    """Return a reviewer link that was presented before, if it is still valid, or None."""
    return _valid_link(Q(pk=link_id))


def _valid_link(wanted: Q) -> ReviewerLink | None:
    now = timezone.now()
    link = ReviewerLink.objects.filter(wanted, revoked__isnull=True, expires__gt=now).first()
    if link and (link.last_used is None or link.last_used < now - LAST_USED_GRAIN):
        ReviewerLink.objects.filter(pk=link.pk).update(last_used=now)
    return link


def reviewer_links_of(actor: Actor, dataset: Guarded) -> QuerySet[ReviewerLink]:
    """Return all reviewer links of a dataset, those that have ended too, newest first; for who may list them."""
    require(actor, Action.LIST_REVIEWER_LINKS, dataset)
    return ReviewerLink.objects.filter(dataset_id=dataset.pk).select_related("creator").order_by("-created", "-pk")


@dataclass(frozen=True)
class Member:
    """A person with a role in a dataset, or invited to one, as the actor may know them; `email` is None if hidden."""

    username: str
    name: str
    email: str | None
    is_invited: bool = False

    @classmethod
    def of(cls, person: User, asker: Actor) -> "Member":
        """Return somebody who has a role. Who is not signed in is told no address, which may be their username."""
        if not asker.is_authenticated:
            return cls(person.handle, person.display_name, None)
        return cls(person.client_username, person.display_name, person.email)


def owners_seen_by(actor: Actor, dataset: Guarded) -> list[Member]:
    """Return the owners of a dataset, by the date they joined the archive, and to owners whom they have invited.

    A blinded reviewer is told of none, and who is not signed in no address.
    """
    if not may(actor, Action.KNOW_PEOPLE, dataset):
        return []
    owners = [Member.of(person, actor) for person in owners_of(dataset.pk)]
    if not may(actor, Action.CHANGE_OWNERS, dataset):
        return owners
    return [*owners, *_invited(dataset, Grant.Role.OWNER)]


def viewers_seen_by(actor: Actor, dataset: Guarded) -> list[Member]:
    """Return the viewers of a dataset, by the date they joined, and who is invited to be one; for who may list them."""
    require(actor, Action.LIST_VIEWERS, dataset)
    return [*(Member.of(person, actor) for person in viewers_of(dataset.pk)), *_invited(dataset, Grant.Role.VIEWER)]


def editors_seen_by(actor: Actor, dataset: Guarded) -> list[Member]:
    """Return the editors of a dataset, by the date they joined, and who is invited to be one; for who may list them."""
    require(actor, Action.LIST_EDITORS, dataset)
    return [*(Member.of(person, actor) for person in editors_of(dataset.pk)), *_invited(dataset, Grant.Role.EDITOR)]


def _invited(dataset: Guarded, role: Grant.Role) -> list[Member]:
    invitations = Invitation.objects.filter(dataset_id=dataset.pk, role=role).order_by("created", "pk")
    return [Member(each.value, f"{each.value} (invited)", _address(each), is_invited=True) for each in invitations]


def _address(invitation: Invitation) -> str | None:
    return invitation.value if invitation.kind == Invitation.Kind.ADDRESS else None


def owners_of(dataset_id: int) -> QuerySet[User]:
    """Return the owners of a dataset, by the date they joined the archive."""
    return _people_with(Grant.Role.OWNER, dataset_id)


def editors_of(dataset_id: int) -> QuerySet[User]:
    """Return the editors of a dataset, by the date they joined the archive."""
    return _people_with(Grant.Role.EDITOR, dataset_id)


def viewers_of(dataset_id: int) -> QuerySet[User]:
    """Return the viewers of a dataset, by the date they joined the archive."""
    return _people_with(Grant.Role.VIEWER, dataset_id)


def _people_with(role: Grant.Role, dataset_id: int) -> QuerySet[User]:
    granted = Grant.objects.filter(dataset_id=dataset_id, role=role).values("user_id")
    return User.objects.filter(pk__in=granted).order_by("date_joined", "pk")


def find_users(usernames: Sequence[str]) -> list[User]:
    """Return the active users with these usernames or, where nobody has one of them, with that GitHub login.

    An address among the usernames may be another person's: `find_proven_users` knows whose it is.
    """
    people = User.objects.filter(is_active=True)
    found = list(people.filter(username__in=usernames))
    logins = {name.lower() for name in usernames} - {"", *(user.username.lower() for user in found)}
    by_login = people.annotate(login=Lower("github_login")).filter(login__in=logins)
    return [*found, *by_login.exclude(pk__in=[user.pk for user in found])]


def find_proven_users(names: Sequence[str]) -> dict[str, User]:
    """Return the active users whom these names identify beyond doubt, by name.

    An address means who has proven that it is theirs, whatever their username, and so does an ORCID iD; any other name
    means who has it.
    """
    addresses = {name.lower() for name in names if is_address(name)}
    proven = EmailAddress.objects.filter(email__in=addresses, verified=True, user__is_active=True)
    by_proof = {each.email: each.user for each in proven.select_related("user")}
    orcids = {name.upper() for name in names if is_orcid(name)}
    by_proof |= {str(user.orcid).lower(): user for user in User.objects.filter(orcid__in=orcids, is_active=True)}
    others = [name for name in names if not is_address(name) and not is_orcid(name)]
    found = {name: by_proof[name.lower()] for name in names if name.lower() in by_proof}
    return found | named(others, find_users(others))


def is_address(name: str) -> bool:
    """Return whether a name is an e-mail address."""
    try:
        validate_email(name)
    except ValidationError:
        return False
    return True


def is_orcid(name: str) -> bool:
    """Return whether a name is an ORCID iD: its last character is a checksum of the others (ISO 7064, 11,2)."""
    if not re.fullmatch(ORCID_PATTERN, name.upper()):
        return False
    total = 0
    for digit in name.replace("-", "")[:-1]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    return name[-1].upper() == ("X" if check == 10 else str(check))


def proven_addresses(user: User) -> list[str]:
    """Return the addresses that the user has proven to be theirs, in lower case."""
    return list(EmailAddress.objects.filter(user=user, verified=True).values_list(Lower("email"), flat=True))


def is_username_of_another(user: User, name: str) -> bool:
    """Return whether somebody else than the user has that username."""
    return User.objects.filter(username=name).exclude(pk=user.pk).exists()


def has_proven_own_address(user: User) -> bool:
    """Return whether the user has proven that the address of their account is theirs."""
    return user.email.lower() in proven_addresses(user)


def named(names: Sequence[str], users: Sequence[User]) -> dict[str, User]:
    """Return the users whom these names mean, by name: a username, or a GitHub login in any case."""
    by_username = {user.username: user for user in users}
    by_login = {user.github_login.lower(): user for user in users if user.github_login}
    found = {name: by_username.get(name) or by_login.get(name.lower()) for name in names}
    return {name: user for name, user in found.items() if user is not None}


def search_users(actor: Actor, text: str) -> QuerySet[User]:
    """Return at most SEARCH_LIMIT active, approved users with `text` in one of their names, as they joined."""
    require(actor, Action.SEARCH_USERS)
    return User.objects.filter(
        Q(first_name__icontains=text)
        | Q(last_name__icontains=text)
        | Q(username__icontains=text)
        | Q(github_login__icontains=text),
        is_active=True,
        status=User.Status.APPROVED,
    ).order_by("date_joined", "pk")[:SEARCH_LIMIT]


@dataclass(frozen=True)
class People:
    """A page of people, and how many there are in all."""

    people: Sequence[User]
    count: int


def page_of_people(
    actor: Actor, *, search: str, is_admin: bool | None, is_active: bool | None, offset: int, limit: int
) -> People:
    """Return a page of the approved people with `search` in their names, as they joined, for who may search for them.

    Administrators find everybody, by e-mail addresses too, and those alone who are administrators or active, if asked.
    """
    require(actor, Action.SEARCH_USERS)
    is_called = Q(first_name__icontains=search) | Q(last_name__icontains=search) | Q(orcid=search or None)
    if not actor.is_admin:
        found = User.objects.filter(is_called, is_active=True, status=User.Status.APPROVED)
    else:
        asked = {"is_superuser": is_admin, "is_active": is_active}
        wanted = {name: value for name, value in asked.items() if value is not None}
        found = User.objects.filter(is_called | Q(email__icontains=search), **wanted).exclude(
            email="", username__startswith=REMOVED
        )
    return People(list(found.order_by("date_joined", "pk")[offset : offset + limit]), found.count())


def find_person_by_id(actor: Actor, name: str) -> User | None:
    """Return the active person with that UUID or ORCID iD, for who may search for people; None if there is nobody."""
    require(actor, Action.SEARCH_USERS)
    people = User.objects.filter(is_active=True, status=User.Status.APPROVED)
    if is_orcid(name):
        return people.filter(orcid=name).first()
    try:
        return people.filter(uuid=UUID(name)).first()
    except ValueError:
        return None


def find_account(actor: Actor, name: str) -> User:
    """Return the person with that UUID, blocked or not, for who appoints people; NotFoundError if there is nobody."""
    require(actor, Action.APPOINT)
    try:
        person = User.objects.filter(uuid=UUID(name)).first()
    except ValueError:
        person = None
    if person is None or person.is_removed:
        raise NotFoundError("Nobody has that id, which is a UUID.", field="id")
    return person


def users_by_need(actor: Actor) -> QuerySet[User]:
    """Return all users: first those who wait to be approved, then those who joined last."""
    require(actor, Action.LIST_USERS)
    return User.objects.order_by(
        Case(When(status=User.Status.PENDING, then=0), default=1), "-date_joined", "-pk"
    ).select_related("questionnaire")


def pending_users() -> QuerySet[User]:
    """Return the users who wait to be approved, the longest first."""
    return User.objects.filter(status=User.Status.PENDING, is_active=True).order_by("date_joined", "pk")


def find_user(actor: Actor, username: str) -> User:
    """Return somebody with what they have answered, for who reviews people; NotFoundError if there is nobody."""
    require(actor, Action.LIST_USERS)
    person = User.objects.filter(username=username).select_related("questionnaire").first()
    if person is None:
        raise NotFoundError("There is no such user.")
    return person


def client_usernames(actor: Actor, *, approved_only: bool = False) -> list[str]:
    """Return what everybody is called, in order: by their GitHub login, or else by their username."""
    require(actor, Action.LIST_USERS)
    people = User.objects.filter(status=User.Status.APPROVED) if approved_only else User.objects.all()
    return sorted(login or username for login, username in people.values_list("github_login", "username"))


def approved_users(actor: Actor) -> QuerySet[User]:
    """Return the users who are approved and active, by the date they joined."""
    require(actor, Action.LIST_USERS)
    return User.objects.filter(status=User.Status.APPROVED, is_active=True).order_by("date_joined", "pk")


def addresses_for_signup_mail() -> list[str]:
    """Return the addresses for mail about new users: that in the settings, or else those of the administrators."""
    if settings.ADMIN_EMAIL:
        return [settings.ADMIN_EMAIL]
    admins = User.objects.filter(is_superuser=True, is_active=True).exclude(email="").order_by("pk")
    return list(admins.values_list("email", flat=True)[:MAX_REVIEWERS])


def latest_expiry(asked_by: Token | None, lifetime: timedelta) -> datetime:
    """Return when a token expires that lasts as long: no later than the one that it is asked for with, if any is."""
    expires = timezone.now() + lifetime
    return min(expires, asked_by.expires) if asked_by and asked_by.expires else expires
