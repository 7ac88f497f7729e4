"""Callers of the REST face: each sends requests through the whole stack, with a token of their own."""

from typing import Any

import orjson
from django.test import Client

from archive.accounts.models import Token, User
from archive.accounts.services import create_token
from tests.dandiapi.rest import document

Json = Any
ROOT = "/api/"


class Api:
    """The REST face as one caller sees it; addresses are given from below `/api/`."""

    def __init__(self, user: User | None = None, *, scope: str = Token.Scope.WRITE, secret: str = "") -> None:
        self.user = user
        if user:
            self.token, secret = create_token(user=user, name="tests", scope=scope)
        headers = {"Authorization": f"token {secret}"} if secret else {}
        self.client = Client(headers=headers)

    def send(self, method: str, address: str, body: Json = None, **options: Any) -> Any:
        """The response to a request with a JSON body, or without one."""
        content = b"" if body is None else orjson.dumps(body)
        return self.send_raw(method, address, content, **options)

    def send_raw(self, method: str, address: str, content: bytes, **options: Any) -> Any:
        """The response to a request with any bytes that claim to be JSON."""
        kind = options.pop("content_type", "application/json")
        return self._checked(method, self.client.generic(method, ROOT + address, content, content_type=kind, **options))

    def get(self, address: str, query: dict[str, Any] | None = None, **options: Any) -> Any:
        return self._checked("GET", self.client.get(ROOT + address, query, **options))

    def head(self, address: str, **options: Any) -> Any:
        return self.client.head(ROOT + address, **options)

    def _checked(self, method: str, response: Any) -> Any:
        """Whatever a test is about, every answer in it is as the OpenAPI document says."""
        document.check(method, response)
        return response

    def post(self, address: str, body: Json = None, **options: Any) -> Any:
        return self.send("POST", address, body, **options)

    def put(self, address: str, body: Json = None, **options: Any) -> Any:
        return self.send("PUT", address, body, **options)

    def delete(self, address: str, **options: Any) -> Any:
        return self.send("DELETE", address, **options)
