"""Signing URLs of the object store by AWS Signature Version 4.

botocore takes a millisecond for each URL, which is more than all else that a request for one does.
"""

import hashlib
import hmac
from typing import Any
from urllib.parse import quote, urlsplit

from django.conf import settings
from django.utils import timezone


class Signer:
    """A signer of URLs for one method, which hold for so many seconds from now on."""

    def __init__(self, address: str, method: str, *, seconds: int, header: str = "") -> None:
        """Prepare to sign URLs below `address`, the bucket's; whoever uses one sends the `header`, if one is named."""
        options: dict[str, Any] = settings.STORAGES["default"]["OPTIONS"]
        parts = urlsplit(address)
        self._address, self._folder = address, parts.path
        self._method = method
        self._date = f"{timezone.now():%Y%m%dT%H%M%SZ}"
        self._scope = f"{self._date[:8]}/{options['region_name']}/s3/aws4_request"
        self._key = _signing_key(options["secret_key"], self._scope)
        self._names = f"{header};host" if header else "host"
        # Of the values of headers, the one that each URL has of its own stands first.
        self._headers = f"host:{parts.netloc}\n\n{self._names}\nUNSIGNED-PAYLOAD"
        self._query = (
            f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={_quoted(options['access_key'] + '/' + self._scope)}"
            f"&X-Amz-Date={self._date}&X-Amz-Expires={seconds}&X-Amz-SignedHeaders={_quoted(self._names)}"
        )

    def sign(self, key: str, query: dict[str, str] | None = None, *, value: str = "") -> str:
        """Return the URL of an object with that query, whose names begin with small letters; `value` is the header's.

        Objects are named by their keys, in the bucket.
        """
        path = quote(key, safe="/~")
        own = "&".join(f"{name}={_quoted(text)}" for name, text in sorted((query or {}).items()))
        header = f"{self._names.partition(';')[0]}:{value}\n" if value else ""
        # Capital letters come before small ones.
        canonical = f"{self._query}&{own}" if own else self._query
        request = f"{self._method}\n{self._folder}{path}\n{canonical}\n{header}{self._headers}"
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{self._date}\n{self._scope}\n{digest}"
        signature = hmac.digest(self._key, text.encode(), "sha256").hex()
        wanted = f"{own}&{self._query}" if own else self._query
        return f"{self._address}{path}?{wanted}&X-Amz-Signature={signature}"


def _quoted(text: str) -> str:
    return quote(text, safe="~")


def _signing_key(secret: str, scope: str) -> bytes:
    """Return the key of a scope, `date/region/service/aws4_request`, made from the archive's secret."""
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
