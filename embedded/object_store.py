"""The embedded S3 store: ministack, behind a guard that lets in what we have signed, and reads that anybody may do.

ministack emulates all of AWS for tests. It takes whoever names a key for that key's owner, and deletes everything when
it is sent `POST /_ministack/reset`: any page in a browser on this machine could do either. So no request reaches it as
it came. The guard verifies the signature, and hands on a request that is the owner's, or one of nobody in particular,
which may read what the bucket's policy opens.
"""

import hashlib
import os
import re
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode
from xml.sax.saxutils import escape

from botocore.auth import HmacV1Auth
from botocore.credentials import Credentials

from .signatures import ALGORITHM, IN_ADDRESS, RefusedError, Request, digest_of_content, says_it_is_signed, verify

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

READY = ("GET", "/_ministack/ready")
# The archive's bucket, and those of its tests.
OUR_BUCKETS = re.compile(r"/archive(-\w+)?(/.*)?", re.DOTALL)
# The parameters by which S3 answers with something else than the content of an object.
QUESTIONS = {*HmacV1Auth.QSAOfInterest, "attributes", "legal-hold", "retention"}

SANDBOX = [(b"content-security-policy", b"sandbox"), (b"x-content-type-options", b"nosniff")]
# The header by which ministack answers a range of an empty object. It is invalid, and browsers fail over it.
RANGE_OF_NOTHING = (b"content-range", b"bytes 0--1/0")
NO_RANGE = (b"content-range", b"bytes */0")

# Imported by name because the package has no types.
ministack: Any = import_module("ministack.app")
s3: Any = import_module("ministack.services.s3")


def guard(serve: Application, keys: Credentials, region: str) -> Application:
    """Return `serve` for requests that are signed with `keys`, and for reads and preflights without a signature."""

    async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" or (scope.get("method"), scope["path"]) == READY:
            await serve(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close"})
            return
        request = _read(scope)
        try:
            admitted = _admit(request, keys, region)
            digest = digest_of_content(request)
        except RefusedError as reason:
            await _drain(receive)
            await _refuse(request, reason, send)
            return
        try:
            content = _verified(receive, digest) if digest else receive
            await serve({**scope, **admitted}, content, _sandboxed(_without_ranges_of_nothing(send)))
        except RefusedError as reason:
            await _refuse(request, reason, send)

    return guarded


def _read(scope: Scope) -> Request:
    headers: dict[str, str] = {}
    for name, value in ((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in scope["headers"]):
        headers[name] = f"{headers[name]},{value}" if name in headers else value
    parameters = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return Request(scope["method"], scope["path"], parameters, headers)


def _admit(request: Request, keys: Credentials, region: str) -> Scope:
    """Return what ministack is told of the request, when it may know of it at all; raise RefusedError otherwise."""
    if not OUR_BUCKETS.fullmatch(request.path):
        raise RefusedError(404, "NoSuchBucket", "There is no such bucket.")
    if request.method == "OPTIONS":
        # A preflight request, which is not signed itself.
        return _as_anybody(request)
    if says_it_is_signed(request):
        verify(request, keys, region)
        return _as_owner(request, keys, region)
    if not _asks_for_content(request):
        raise RefusedError(403, "AccessDenied", "Access Denied")
    return _as_anybody(request)


def _as_owner(request: Request, keys: Credentials, region: str) -> Scope:
    """Return the request signed for ministack, which believes it."""
    owner = (
        f"{ALGORITHM} Credential={keys.access_key}/20000101/{region}/s3/aws4_request, SignedHeaders=host, Signature=0"
    )
    parameters = [(name, value) for name, value in request.parameters if name not in IN_ADDRESS]
    return _told(request, {**request.headers, "authorization": owner}, parameters)


def _as_anybody(request: Request) -> Scope:
    """Return the request with nothing that could speak of a key: it asks for what the bucket's policy opens."""
    said = {name for name in request.headers if name == "authorization" or name.startswith("x-amz-")}
    return _told(request, {name: value for name, value in request.headers.items() if name not in said}, [])


def _asks_for_content(request: Request) -> bool:
    names = {name for name, _ in request.parameters}
    return request.method in {"GET", "HEAD"} and names.isdisjoint(QUESTIONS)


def _told(request: Request, headers: dict[str, str], parameters: list[tuple[str, str]]) -> Scope:
    # ministack takes other hosts for other buckets or services.
    headers = {**headers, "host": "127.0.0.1"}
    return {
        "raw_path": quote(request.path).encode(),
        "query_string": urlencode(parameters).encode(),
        "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
    }


def _verified(receive: Receive, digest: str) -> Receive:
    """Return `receive`, which raises RefusedError instead of the last piece of content that is not of this SHA-256."""
    found = hashlib.sha256()

    async def receive_and_hash() -> dict[str, Any]:
        message = await receive()
        found.update(message.get("body", b""))
        if message["type"] == "http.request" and not message.get("more_body") and found.hexdigest() != digest:
            raise RefusedError(400, "XAmzContentSHA256Mismatch", "The content is not the one that was signed.")
        return message

    return receive_and_hash


def _sandboxed(send: Send) -> Send:
    """Return `send`, which tells browsers to run nothing of what is stored, whatever its sender has called it."""

    async def send_sandboxed(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message["headers"], *SANDBOX]}
        await send(message)

    return send_sandboxed


def _without_ranges_of_nothing(send: Send) -> Send:
    """Return `send`, which says as S3 does that an object without bytes has no last ones."""

    async def send_satisfiable(message: dict[str, Any]) -> None:
        headers = [(name.lower(), value) for name, value in message.get("headers", ())]
        if RANGE_OF_NOTHING in headers:
            others = [header for header in headers if header != RANGE_OF_NOTHING]
            message = {**message, "status": 416, "headers": [*others, NO_RANGE]}
        await send(message)

    return send_satisfiable


async def _drain(receive: Receive) -> None:
    """Read all of the content and drop it: many clients listen only when they have sent everything."""
    while (await receive()).get("more_body"):
        pass


async def _refuse(request: Request, reason: RefusedError, send: Send) -> None:
    """Answer as S3 does, with the headers by which the bucket's rules let pages of other origins read it."""
    bucket = request.path.split("/")[1]
    shared = s3.cors_response_headers(bucket, request.method, request.headers)
    headers = {"Content-Type": "application/xml", **shared}
    body = f"<Error><Code>{reason.code}</Code><Message>{escape(reason.sentence)}</Message></Error>".encode()
    await send(
        {
            "type": "http.response.start",
            "status": reason.status,
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
    )
    await send({"type": "http.response.body", "body": b"" if request.method == "HEAD" else body})


def main() -> None:
    """Run the store that the environment describes."""
    keys = Credentials(os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
    ministack.app = guard(ministack.app, keys, os.environ["AWS_REGION"])
    ministack.main()


if __name__ == "__main__":
    main()
