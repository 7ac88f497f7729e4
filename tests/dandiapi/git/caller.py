"""Callers of the git face, each with a secret of their own, as git sends it; and a dataset that they call about."""

from base64 import b64encode
from typing import Any

from django.test import Client

from archive.accounts.models import Token, User
from archive.accounts.services import create_token
from archive.datasets.models import Dataset
from tests.factories import make_asset, make_blob, make_dataset
from tests.worker import Worker


def basic(secret: str, name: str = "anybody") -> str:
    """The header of somebody whose password is that secret."""
    return f"Basic {b64encode(f'{name}:{secret}'.encode()).decode()}"


class Caller:
    """The face as one caller sees it."""

    def __init__(self, user: User | None = None, *, scope: str = Token.Scope.WRITE, secret: str = "") -> None:
        self.user = user
        if user:
            _, secret = create_token(user=user, name="tests", scope=scope)
        self.secret = secret
        self.client = Client(headers={"Authorization": basic(secret)} if secret else {})

    def get(self, address: str, **headers: str) -> Any:
        return self.client.get(address, headers=headers)

    def post(self, address: str, content: bytes, content_type: str, **headers: str) -> Any:
        return self.client.generic("POST", address, content, content_type=content_type, headers=headers)


def make_followed(owner: User, worker: Worker) -> Dataset:
    """An open dataset of one file, whose repository has followed."""
    dataset = make_dataset(owner)
    make_asset(dataset, "sub-1/a.nwb", blob=make_blob(dataset))
    worker.run()
    return dataset
