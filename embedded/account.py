"""The account for a first look, remembered in the home because the archive itself keeps only hashes of its secrets."""

import json
import secrets
from typing import TypedDict

from .home import Home

EMAIL = "demo@example.org"


class Account(TypedDict):
    """The credentials of the demo account, for a person to log in and a program to call the API."""

    email: str
    password: str
    token: str


def new_password() -> str:
    """Return a random password. It does not begin like an option, since commands are given it."""
    return secrets.token_hex(8)


def known_account(home: Home) -> Account | None:
    """Return the account made at the first start; None before that."""
    try:
        account: Account = json.loads((home.folder / "account.json").read_text())
    except FileNotFoundError:
        return None
    return account


def keep_account(home: Home, account: Account) -> None:
    """Store an account in a file that only its owner can read."""
    file = home.folder / "account.json"
    file.touch(mode=0o600)
    file.write_text(json.dumps(account, indent=2))
