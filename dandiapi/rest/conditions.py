"""ETag, If-None-Match, If-Match: reading what one has for nothing, never overwriting what one has not seen.

An ETag here has two parts, `"<edition>.<view>"`. The view is another whenever the answer is, for caches. The edition is
another only if somebody has edited what was read; so an edit is not refused because validation, meanwhile, has computed
something anew. `If-Match` therefore looks at editions alone.
"""

import re
from hashlib import sha256
from typing import TypeVar

import orjson
from django.utils.http import parse_etags
from rest_framework.request import Request

from archive.errors import StaleError
from dandiapi.rest.answers import Answer, Empty

T = TypeVar("T")

EDITION = re.compile(r'(?:W/)?"([0-9a-f]+)(?:\.[0-9a-f]+)?"')
GONE = "It has been replaced or removed since you read it."


def answer(request: Request, data: T, *, edition: str) -> Answer[T] | Empty:
    """Return the answer with `data` and its ETag; 304, without rendering it, if the client has it already."""
    view = sha256(orjson.dumps(data, option=orjson.OPT_NON_STR_KEYS, default=str)).hexdigest()[:20]
    etag = f'"{edition}.{view}"'
    known = {tag.removeprefix("W/") for tag in parse_etags(request.headers.get("If-None-Match", ""))}
    if request.method in {"GET", "HEAD"} and known & {etag, "*"}:
        return Empty(304, headers={"ETag": etag})
    return Answer(data, headers={"ETag": etag})


def expected_editions(request: Request) -> frozenset[str] | None:
    """Return the editions that the client means to overwrite; None if it does not say, or takes any."""
    header = request.headers.get("If-Match", "").strip()
    if header in {"", "*"}:
        return None
    return frozenset(EDITION.findall(header))


def require_edition(request: Request, edition: str | None) -> None:
    """Raise StaleError if the client means to change another edition than the present one; None if there is none."""
    expected = expected_editions(request)
    if expected is not None and edition not in expected:
        raise StaleError(GONE)
