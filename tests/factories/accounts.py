"""People, and what they come with."""

from itertools import count

from archive.accounts.models import Token, User
from archive.accounts.policy import Actor
from archive.accounts.services import create_token, ensure_user

_numbers = count(1)


def make_user(*, first_name: str = "Jane", last_name: str = "Doe") -> User:
    """Somebody with an approved account."""
    return ensure_user(email=f"user-{next(_numbers)}@example.org", first_name=first_name, last_name=last_name)


def make_nameless_user(*, first_name: str = "", last_name: str = "") -> User:
    """Somebody with an approved account who has no name, or none that metadata may have."""
    user = make_user()
    user.first_name, user.last_name = first_name, last_name
    user.save()
    return user


def make_unapproved_user(status: User.Status = User.Status.PENDING) -> User:
    """Somebody who has signed up and waits to be approved."""
    user = make_user()
    user.status = status
    user.save()
    return user


def make_staff() -> User:
    """Somebody with an approved account who may enter the administration."""
    user = make_user()
    user.is_staff = True
    user.save()
    return user


def make_admin() -> User:
    """An administrator."""
    return ensure_user(email=f"admin-{next(_numbers)}@example.org", first_name="Ada", last_name="Min", is_admin=True)


def make_token(user: User, scope: str = Token.Scope.WRITE) -> Token:
    """A token of the user's; who needs the secret calls the service."""
    return create_token(user=user, name="laptop", scope=scope)[0]


def acting(user: User, token: Token | None = None) -> Actor:
    """The user as one who asks for something."""
    return Actor(user, token)
