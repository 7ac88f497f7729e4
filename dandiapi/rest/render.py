"""JSON out and in, by orjson: fast, and strict about what Postgres cannot hold."""

from http import HTTPStatus
from typing import IO, Any

import orjson
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

MAX_BODY_BYTES = 10 * 2**20


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

    Refuses what is not JSON (NaN, broken Unicode), and NUL in strings.
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
        # Only a body with an escaped NUL can hold one; an escaped backslash before "u0000" is looked at twice for it.
        if b"\\u0000" in body and _holds_nul(data):
            raise ParseError("JSON parse error - strings must not contain NUL (\\u0000)")
        return data


def _holds_nul(data: Any) -> bool:
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and "\0" in value:
            return True
        if isinstance(value, dict):
            waiting.extend(value.keys())
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return False
