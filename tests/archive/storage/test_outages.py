"""A store that is away is not a fault of whoever asks."""

from typing import Any

import pytest
from django.conf import settings
from django.test import override_settings

from archive.errors import BusyError
from archive.storage.queries import find, find_and_hash, public_url, read, sign_read
from archive.storage.services import delete, open_to_all, start_multipart, write

NOBODY = "http://127.0.0.1:9"


def _pointing_to(endpoint: str | None, **options: Any) -> dict[str, Any]:
    default = settings.STORAGES["default"]
    options = {**default["OPTIONS"], "endpoint_url": endpoint, **options}
    return {**settings.STORAGES, "default": {**default, "OPTIONS": options}}


@pytest.mark.parametrize(
    "ask",
    [
        lambda: find("key"),
        lambda: list(read("key")),
        lambda: write("key", [b"content"], content_type="text/plain"),
        lambda: find_and_hash("key", at_most=1),
        lambda: start_multipart("key"),
        lambda: open_to_all("key"),
        lambda: delete("key"),
    ],
    ids=["find", "read", "write", "hash", "start", "open", "delete"],
)
def test_store_is_busy_while_it_cannot_be_reached(ask: Any) -> None:
    with override_settings(STORAGES=_pointing_to(NOBODY)), pytest.raises(BusyError) as caught:
        ask()
    assert caught.value.retry_after == 5


def test_urls_lead_to_where_clients_know_the_store() -> None:
    with override_settings(S3_PUBLIC_ENDPOINT_URL="https://objects.example.org"):
        assert sign_read("key", filename="a").startswith("https://objects.example.org/")
        assert public_url("a b").startswith("https://objects.example.org/")
        assert public_url("a b").endswith("/a%20b")


def test_urls_lead_to_amazon_when_no_endpoint_is_set() -> None:
    with override_settings(STORAGES=_pointing_to(None, bucket_name="open"), S3_PUBLIC_ENDPOINT_URL=None):
        assert public_url("key") == "https://open.s3.us-east-1.amazonaws.com/key"
