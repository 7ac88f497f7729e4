"""DataCite: DOIs are registered there, and as long as they are drafts, deleted.

Each call may be repeated: what is there already is brought to what is asked. While DataCite cannot be reached, has
trouble, or does not know this archive, it is BusyError: to try again will help, if not soon. InvalidError is for good.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from http import HTTPStatus
from ssl import SSLContext
from typing import Any
from urllib.parse import quote

import httpx
from django.conf import settings

from archive.errors import BusyError, InvalidError

TIMEOUT = httpx.Timeout(30.0, connect=10.0)
PATIENCE_SECONDS = 60
MAX_PATIENCE_SECONDS = 3600
REASON_CHARACTERS = 500
CONTENT_TYPE = "application/vnd.api+json"

DRAFT = "draft"
# DataCite refuses the account: the operator can correct the settings while the job waits.
_UNKNOWN_TO_DATACITE = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


def register_doi(attributes: dict[str, Any]) -> None:
    """Register the DOI that the attributes (in DataCite's words) name, or change it to them if it is there."""
    content = {"data": {"type": "dois", "id": attributes["doi"], "attributes": attributes}}
    with _datacite() as client:
        answer = client.post("/dois", json=content)
        if _is_taken(answer):
            answer = client.put(_address(attributes["doi"]), json=content)
        _require_success(answer)


def delete_draft_doi(doi: str) -> None:
    """Delete a DOI that is a draft. One that is more stays, as DataCite has it; nothing happens if there is none."""
    with _datacite() as client:
        found = client.get(_address(doi))
        if found.status_code == HTTPStatus.NOT_FOUND:
            return
        _require_success(found)
        if found.json()["data"]["attributes"]["state"] == DRAFT:
            answer = client.delete(_address(doi))
            if answer.status_code != HTTPStatus.NOT_FOUND:
                _require_success(answer)


@contextmanager
def _datacite() -> Iterator[httpx.Client]:
    try:
        with httpx.Client(
            base_url=settings.DATACITE_URL,
            auth=(settings.DATACITE_USER, settings.DATACITE_PASSWORD),
            headers={"Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE},
            timeout=TIMEOUT,
            verify=_trusted(),
        ) as client:
            yield client
    except httpx.TransportError as error:
        raise BusyError(
            f"DataCite cannot be reached ({type(error).__name__}).", retry_after=PATIENCE_SECONDS
        ) from error


@cache
def _trusted() -> SSLContext:
    """Return whom this process trusts to be who they say: read once, since that takes longer than to ask them."""
    return httpx.create_ssl_context()


def _address(doi: str) -> str:
    return f"/dois/{quote(doi, safe='')}"


def _is_taken(answer: httpx.Response) -> bool:
    return answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY and "already been taken" in answer.text


def _require_success(answer: httpx.Response) -> None:
    status = answer.status_code
    if answer.is_success:
        return
    if status in _UNKNOWN_TO_DATACITE:
        raise BusyError("DataCite does not accept this archive's account.", retry_after=MAX_PATIENCE_SECONDS)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.TOO_MANY_REQUESTS:
        raise BusyError(f"DataCite is having trouble (status {status}).", retry_after=_patience(answer))
    raise InvalidError(f"DataCite refuses it (status {status}): {_reasons(answer)}"[:REASON_CHARACTERS])


def _patience(answer: httpx.Response) -> int:
    asked = answer.headers.get("Retry-After", "")
    seconds = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 6 else PATIENCE_SECONDS
    return max(1, min(seconds, MAX_PATIENCE_SECONDS))


def _reasons(answer: httpx.Response) -> str:
    try:
        return "; ".join(f"{error.get('source', '')} {error['title']}".strip() for error in answer.json()["errors"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return answer.text
