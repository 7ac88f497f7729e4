"""Somebody before a browser."""

from typing import Any

from django.test import Client

from archive.accounts.models import User


class Browser:
    """Reads pages and sends their forms, perhaps signed in."""

    def __init__(self, user: User | None = None) -> None:
        self._user = user
        self.client = Client(headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        if user:
            self.client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")

    @property
    def user(self) -> User:
        assert self._user
        return self._user

    def open(self, address: str) -> Any:
        """The answer to a link."""
        return self.client.get(address)

    def read(self, address: str) -> str:
        """A page that must be there."""
        response = self.open(address)
        assert response.status_code == 200, address
        return str(response.content.decode())

    def send(self, address: str, **fields: str) -> Any:
        """The answer to a form."""
        return self.client.post(address, fields)
