"""JSON out and in, by orjson: fast, and strict about what Postgres cannot hold."""

from http import HTTPStatus
from typing import IO, Any

import orjson
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

MAX_BODY_BYTES = 10 * 2**20
# orjson writes no more than 254 levels, and metadata is put into something larger.
MAX_DEPTH = 100
LEAST, MOST = -(2**63), 2**64


class TooLargeError(APIException):
    """The body is larger than any honest one."""

    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE


class JSONRenderer(BaseRenderer):
    """Renders plain data. Where there is no data the body is empty, never `null` (contract 1.1.4)."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        """The bytes of `data`."""
        if data is None:
            return b""
        return orjson.dumps(data, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS, default=str)


class JSONParser(BaseParser):
    """Parses a body of at most MAX_BODY_BYTES; an empty one is `{}`, since clients post nothing where nothing is asked.

    Refuses what is not JSON (NaN, broken Unicode), and what could be stored but not read again.
    """

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        """The data in `stream`."""
        body = stream.read(MAX_BODY_BYTES + 1)
        if len(body) > MAX_BODY_BYTES:
            raise TooLargeError(f"The body must have at most {MAX_BODY_BYTES} bytes.")
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
    """Why `data` cannot be stored and shown again, if it cannot."""
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
