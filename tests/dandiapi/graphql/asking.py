"""Asking the GraphQL face, as programs do."""

from dataclasses import dataclass, field
from typing import Any

from django.test import Client

from archive.accounts.models import User
from archive.accounts.services import create_token

ADDRESS = "/crn/graphql"


@dataclass
class Asker:
    """A program that asks with a token, or with none."""

    secret: str = ""
    client: Client = field(default_factory=Client)

    @classmethod
    def of(cls, user: User) -> "Asker":
        """A program that acts for a user."""
        return cls(create_token(user=user, name="program")[1])

    def post(self, query: str, **variables: Any) -> Any:
        """The answer to a document."""
        headers = {"Authorization": f"Bearer {self.secret}"} if self.secret else {}
        body = {"query": query, "variables": variables}
        return self.client.post(ADDRESS, body, content_type="application/json", headers=headers)

    def ask(self, query: str, **variables: Any) -> Any:
        """The data that a document is answered with; fails if there are errors."""
        body: dict[str, Any] = self.post(query, **variables).json()
        assert "errors" not in body, body
        return body["data"]

    def error(self, query: str, **variables: Any) -> dict[str, Any]:
        """The one error that a document is answered with."""
        [error] = self.post(query, **variables).json()["errors"]
        found: dict[str, Any] = error
        return found

    def refusal(self, query: str, **variables: Any) -> str:
        """What the one error says that a document is answered with."""
        return str(self.error(query, **variables)["message"])
