"""JSON out and in, by orjson: fast, and strict about what Postgres cannot hold."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from typing import IO, Any

import orjson
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

# orjson writes no more than 254 levels, and metadata is put into something larger.
MAX_DEPTH = 100
LEAST, MOST = -(2**63), 2**64
# What tells values of JSON apart, and texts, in which the same signs tell nothing. A text that never ends is one too:
# otherwise the rest of it would be looked through again from each of its quotation marks.
_TOKEN = re.compile(rb'[,\[{]|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
# At most so many of them there are for each value: what tells it apart, its name and its text.
TOKENS_PER_VALUE = 3


@dataclass(frozen=True)
class BodyLimit:
    """The limit of a body: bytes, and values, which are texts, numbers, lists, objects and what else JSON has.

    Reading JSON makes an object of each value, of many times the size of its text; so they are counted before.
    """

    size: int
    values: int

    def check(self, body: bytes) -> None:
        """Raise unless the body is within the limit."""
        if len(body) > self.size:
            raise TooLargeError(f"The body must have at most {self.size} bytes.")
        if self._holds_too_many(body):
            raise TooLargeError(f"The body must hold at most {self.values} values.")

    def _holds_too_many(self, body: bytes) -> bool:
        if sum(map(body.count, (b",", b"[", b"{"))) < self.values:
            return False
        tokens = [match[0][:1] for match in islice(_TOKEN.finditer(body), TOKENS_PER_VALUE * self.values)]
        return len(tokens) - tokens.count(b'"') >= self.values or len(tokens) == TOKENS_PER_VALUE * self.values


# Most bodies are a handful of words.
WORDS = BodyLimit(size=64 * 2**10, values=1_000)
# Metadata of a file, of which a page has a thousand; that of a dataset; what tells of many files, parts or people.
ASSET = BodyLimit(size=256 * 2**10, values=10_000)
METADATA = BodyLimit(size=2 * 2**20, values=100_000)
ROWS = BodyLimit(size=8 * 2**20, values=50_000)


class TooLargeError(APIException):
    """An error for a body that is larger than any honest one."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class JSONRenderer(BaseRenderer):
    """A renderer of plain data. Without data the body is empty, never `null` (docs/dialects/dandi.md#empty-answers)."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """Return `data` as JSON; nothing for None."""
        if data is None:
            return b""
        return orjson.dumps(data, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS, default=str)


class JSONParser(BaseParser):
    """A parser of JSON within the view's `body_limit`.

    An empty one is `{}`, since clients post nothing where nothing is asked. Refuses what is not JSON (NaN, broken
    Unicode), and what could be stored but not read again.
    """

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the data in `stream`."""
        limit: BodyLimit = getattr((parser_context or {}).get("view"), "body_limit", WORDS)
        body = stream.read(limit.size + 1)
        limit.check(body)
        if not body:
            return {}
        try:
            data = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(f"JSON parse error - {error}") from error
        if fault := _fault(data):
            raise ParseError(f"JSON parse error - {fault}")
        return data


def _fault(data: Any) -> str | None:
    """Return why `data` cannot be stored and shown again; None if it can."""
    waiting = [(data, 1)]
    while waiting:
        value, depth = waiting.pop()
        if depth > MAX_DEPTH:
            return f"values must not lie deeper than {MAX_DEPTH} levels"
        if isinstance(value, str) and "\0" in value:
            return "strings must not contain NUL (\\u0000)"
        # Postgres shows a large float as an integer of all its digits.
        if isinstance(value, int | float) and not LEAST < value < MOST:
            return "numbers must fit into 64 bits"
        if isinstance(value, dict):
            waiting.extend((key, depth) for key in value)
            waiting.extend((item, depth + 1) for item in value.values())
        elif isinstance(value, list):
            waiting.extend((item, depth + 1) for item in value)
    return None
