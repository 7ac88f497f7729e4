"""Checks who signed a request to an S3 store: AWS Signature Version 4, in headers or in the address, and nothing else.

botocore composes what was to be signed, from the request as it came.
"""

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

from botocore.auth import UNSIGNED_PAYLOAD, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"
CONTENT_DIGEST = "x-amz-content-sha256"
IN_ADDRESS = (
    *("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires"),
    *("X-Amz-SignedHeaders", "X-Amz-Signature"),
)
IN_HEADER = ("Credential", "SignedHeaders", "Signature")
# The parameters that make a request count as signed, by this or other versions of signatures.
OF_SIGNATURES = {
    *(name.lower() for name in IN_ADDRESS),
    *("awsaccesskeyid", "signature", "x-amz-security-token", "x-amz-region-set"),
}
# How far the clock of who signs may be from this one, and how long an address may last.
SKEW = timedelta(minutes=15)
LONGEST = timedelta(days=7)


class RefusedError(Exception):
    """A refusal of the store: a status, S3's name for the reason, and a sentence."""

    def __init__(self, status: int, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status, self.code, self.sentence = status, code, sentence


@dataclass(frozen=True)
class Request:
    """A request as signatures see it: path and parameters decoded, the names of headers in lower case."""

    method: str
    path: str
    parameters: list[tuple[str, str]]
    headers: Mapping[str, str]


@dataclass(frozen=True)
class _Claim:
    """The signature that a request claims to have; `seconds` is how long it lasts, where it is in the address."""

    credential: str
    signed_at: str
    signed_headers: list[str]
    signature: str
    seconds: str | None = None


def says_it_is_signed(request: Request) -> bool:
    """Return whether the request says anything of a signature or a key, valid or not."""
    return _is_in_headers(request) or _is_in_address(request)


def verify(request: Request, keys: Credentials, region: str) -> None:
    """Raise RefusedError unless the holder of `keys` has signed this request, and it is not too late or too early."""
    claim = _claim(request)
    _verify_time(claim)
    if claim.credential != f"{keys.access_key}/{claim.signed_at[:8]}/{region}/s3/aws4_request":
        raise RefusedError(403, "InvalidAccessKeyId", f"This store knows no such key of {region}.")
    sent = {name for name in request.headers if name == "host" or name.startswith("x-amz-")}
    if not sent <= set(claim.signed_headers) <= request.headers.keys():
        raise RefusedError(403, "AccessDenied", "Please sign Host and every X-Amz-* header, and send what is signed.")
    if not hmac.compare_digest(_signature(request, claim, keys, region).encode(), claim.signature.encode()):
        raise RefusedError(403, "SignatureDoesNotMatch", "This key does not sign this request so.")


def digest_of_content(request: Request) -> str | None:
    """Return the SHA-256 that the content must have, in hexadecimal; None when any content will do.

    Raises RefusedError when the content is to come in pieces, signed one by one or not.
    """
    digest = request.headers.get(CONTENT_DIGEST, UNSIGNED_PAYLOAD)
    in_pieces = "aws-chunked" in request.headers.get("content-encoding", "").lower()
    if in_pieces or not re.fullmatch(rf"[0-9a-f]{{64}}|{UNSIGNED_PAYLOAD}", digest):
        raise RefusedError(501, "NotImplemented", "Please send the content whole, and its SHA-256 or UNSIGNED-PAYLOAD.")
    return None if digest == UNSIGNED_PAYLOAD else digest


def _is_in_headers(request: Request) -> bool:
    # Programs that the archive redirects here may send the archive's token along.
    return request.headers.get("authorization", "").upper().startswith("AWS")


def _is_in_address(request: Request) -> bool:
    return any(name.lower() in OF_SIGNATURES for name, _ in request.parameters)


def _claim(request: Request) -> _Claim:
    if not _is_in_address(request):
        return _claim_in_headers(request)
    if _is_in_headers(request):
        raise RefusedError(400, "InvalidArgument", "Only one signature is allowed, in headers or in the address.")
    return _claim_in_address(request)


def _claim_in_address(request: Request) -> _Claim:
    found = [(name, value) for name, value in request.parameters if name.lower() in OF_SIGNATURES]
    said = dict(found)
    if len(found) != len(said) or said.keys() != set(IN_ADDRESS) or said["X-Amz-Algorithm"] != ALGORITHM:
        names = ", ".join(IN_ADDRESS)
        raise RefusedError(400, "AuthorizationQueryParametersError", f"Please sign with {ALGORITHM}, once: {names}.")
    return _Claim(
        credential=said["X-Amz-Credential"],
        signed_at=said["X-Amz-Date"],
        signed_headers=said["X-Amz-SignedHeaders"].split(";"),
        signature=said["X-Amz-Signature"],
        seconds=said["X-Amz-Expires"],
    )


def _claim_in_headers(request: Request) -> _Claim:
    algorithm, _, rest = request.headers["authorization"].partition(" ")
    said = dict(part.strip().partition("=")[::2] for part in rest.split(","))
    if algorithm != ALGORITHM or said.keys() != {*IN_HEADER}:
        raise RefusedError(400, "InvalidRequest", f"Please sign with {ALGORITHM}: {', '.join(IN_HEADER)}.")
    if not {"x-amz-date", CONTENT_DIGEST} <= request.headers.keys():
        raise RefusedError(400, "InvalidRequest", f"Please send x-amz-date and {CONTENT_DIGEST}.")
    return _Claim(
        credential=said["Credential"],
        signed_at=request.headers["x-amz-date"],
        signed_headers=said["SignedHeaders"].split(";"),
        signature=said["Signature"],
    )


def _verify_time(claim: _Claim) -> None:
    now = datetime.now(UTC)
    try:
        age = now - datetime.strptime(claim.signed_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        lasting = SKEW if claim.seconds is None else timedelta(seconds=int(claim.seconds))
    except (ValueError, OverflowError) as error:
        raise RefusedError(400, "InvalidRequest", "The signature has no date or duration.") from error
    if lasting > LONGEST:
        raise RefusedError(400, "AuthorizationQueryParametersError", "No address may last longer than a week.")
    if not -SKEW <= age <= lasting:
        raise RefusedError(403, "AccessDenied", "Request has expired, or is not yet valid.")


def _signature(request: Request, claim: _Claim, keys: Credentials, region: str) -> str:
    parameters = [(name, value) for name, value in request.parameters if name != "X-Amz-Signature"]
    query = urlencode(parameters, quote_via=quote, safe="-_.~")
    signer = S3SigV4QueryAuth(keys, "s3", region)
    signed = AWSRequest(
        method=request.method,
        url=f"http://store{quote(request.path, safe='/-_.~')}?{query}",
        headers={name: request.headers[name] for name in claim.signed_headers},
    )
    signed.context["timestamp"] = claim.signed_at
    return signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed)
