"""The clients of the object store, and what can be asked of it without changing it.

Every call either answers, or raises BusyError when the store cannot be reached just now.
"""

import hashlib
import hmac
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import parse_qs, quote, urlsplit
from xml.sax.saxutils import escape

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files.storage import storages

from archive.errors import BusyError, NotFoundError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import TagTypeDef

READ_SIZE = 4 * 2**20
STREAM_SIZE = 2**16
PATIENCE_SECONDS = 300
GET_URL_SECONDS = 6 * 3600
READS = {"GET": "get_object", "HEAD": "head_object"}
PART_URL_SECONDS = 7 * 24 * 3600
PUT_URL_SECONDS = 6 * 3600
# Media types that browsers run, or whose content they inspect to guess another type.
ACTIVE_TYPE = re.compile(r"html|xml|xsl|svg|script|multipart|message/|unknown|\*", re.IGNORECASE)
DRAWING = "image/svg+xml"
OPEN_TAG: "TagTypeDef" = {"Key": "access", "Value": "open"}


@dataclass(frozen=True)
class StoredObject:
    """An object in the store: its size in bytes, and its ETag without quotes."""

    size: int
    etag: str


@cache
def client() -> "S3Client":
    """Return the client for this program's own calls. All threads share it, which boto3 allows of clients."""
    return _client(storages["default"])


@cache
def signing_client() -> "S3Client":
    """Return the client that signs URLs for others, with the address by which they know the store."""
    if settings.S3_PUBLIC_ENDPOINT_URL == settings.S3_ENDPOINT_URL:
        return client()
    return _client_with(endpoint_url=settings.S3_PUBLIC_ENDPOINT_URL)


@cache
def patient_client() -> "S3Client":
    """Return the client for calls that may take long: joining many parts, and reading large objects."""
    patience = Config(read_timeout=PATIENCE_SECONDS, retries={"mode": "standard", "total_max_attempts": 1})
    return _client_with(client_config=settings.STORAGES["default"]["OPTIONS"]["client_config"].merge(patience))


def _client_with(**options: Any) -> "S3Client":
    default = settings.STORAGES["default"]
    return _client(storages.create_storage({**default, "OPTIONS": {**default["OPTIONS"], **options}}))


def _client(storage: Any) -> "S3Client":
    return cast("S3Client", storage.connection.meta.client)


def bucket() -> str:
    """Return the name of the one bucket."""
    return cast(str, settings.STORAGES["default"]["OPTIONS"]["bucket_name"])


@contextmanager
def reachable() -> Iterator[None]:
    """Turn the store's absence into BusyError; let its answers, good or bad, through."""
    try:
        yield
    except ClientError as error:
        if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) < 500:
            raise
        raise BusyError("The object store is having trouble; please try again.") from error
    except BotoCoreError as error:
        raise BusyError("The object store cannot be reached just now; please try again.") from error


@dataclass(frozen=True)
class ListedObject:
    """An object as a listing has it: its key, its size in bytes, its ETag without quotes, and when it was stored."""

    key: str
    size: int
    etag: str
    stored: datetime


def find(key: str) -> StoredObject | None:
    """Return what is stored under `key`, or None."""
    with reachable():
        try:
            answer = client().head_object(Bucket=bucket(), Key=key)
        except ClientError as error:
            if _is_missing(error):
                return None
            raise
    return StoredObject(size=answer["ContentLength"], etag=answer["ETag"].strip('"'))


def find_and_hash(key: str, *, at_most: int) -> tuple[StoredObject | None, str | None]:
    """Return what is stored under `key`, or None; and its SHA-256, unless it has more than `at_most` bytes."""
    with reachable():
        try:
            answer = client().get_object(Bucket=bucket(), Key=key)
        except ClientError as error:
            if _is_missing(error):
                return None, None
            raise
        with closing(answer["Body"]) as body:
            found = StoredObject(size=answer["ContentLength"], etag=answer["ETag"].strip('"'))
            return found, None if found.size > at_most else hashlib.sha256(body.read()).hexdigest()


def _is_missing(error: ClientError) -> bool:
    return error.response["Error"]["Code"] in {"404", "NoSuchKey", "NotFound"}


def list_objects(prefix: str) -> Iterator[list[ListedObject]]:
    """Yield the objects whose keys begin with `prefix`, in byte order of their keys, a thousand at a time."""
    pages = client().get_paginator("list_objects_v2").paginate(Bucket=bucket(), Prefix=prefix)
    with reachable():
        for page in pages:
            found = page.get("Contents", [])
            yield [
                ListedObject(each["Key"], each["Size"], each["ETag"].strip('"'), each["LastModified"]) for each in found
            ]


def read(key: str) -> Iterator[bytes]:
    """Yield the bytes under `key`, in chunks of at most READ_SIZE.

    Raises NotFoundError, with the first chunk, when there is no such object.
    """
    with reachable():
        try:
            body = client().get_object(Bucket=bucket(), Key=key)["Body"]
        except ClientError as error:
            if not _is_missing(error):
                raise
            raise NotFoundError("The store does not have it.") from error
        yield from body.iter_chunks(READ_SIZE)


def read_from(key: str, offset: int) -> Generator[bytes, None, None]:
    """Yield the bytes under `key` from `offset` on, in small chunks. Who stops early closes it, and the connection.

    Raises NotFoundError, with the first chunk, when there is no such object.
    """
    with reachable():
        try:
            body = patient_client().get_object(Bucket=bucket(), Key=key, Range=f"bytes={offset}-")["Body"]
        except ClientError as error:
            if _is_behind_end(error):
                return
            if not _is_missing(error):
                raise
            raise NotFoundError("The store does not have it.") from error
        with closing(body):
            yield from body.iter_chunks(STREAM_SIZE)


def read_start(key: str, length: int) -> bytes:
    """Return the first `length` bytes under `key`; all of them, if there are fewer."""
    with reachable():
        try:
            return client().get_object(Bucket=bucket(), Key=key, Range=f"bytes=0-{length - 1}")["Body"].read()
        except ClientError as error:
            if _is_behind_end(error):
                return b""
            raise


def _is_behind_end(error: ClientError) -> bool:
    """Return whether the store refuses a range because it begins at or behind the end of the object."""
    return error.response["Error"]["Code"] == "InvalidRange"


def read_whole(key: str) -> bytes | None:
    """Return all the bytes under `key`, which must be few; None if there is no such object."""
    try:
        return b"".join(read(key))
    except NotFoundError:
        return None


def public_url(key: str) -> str:
    """Return the unsigned address of an object, which anyone may read once it is tagged open."""
    endpoint = settings.S3_PUBLIC_ENDPOINT_URL
    if endpoint:
        return f"{endpoint}/{bucket()}/{quote(key)}"
    region = settings.STORAGES["default"]["OPTIONS"]["region_name"]
    return f"https://{bucket()}.s3.{region}.amazonaws.com/{quote(key)}"


def store_origin() -> str:
    """Return the origin (scheme, host and port) of the store for browsers."""
    address = urlsplit(public_url(""))
    return f"{address.scheme}://{address.netloc}"


def sign_read(
    key: str, *, filename: str, method: str = "GET", inline: bool = False, content_type: str | None = None
) -> str:
    """Return a URL that reads the object for 6 hours, under a file name, as an attachment unless `inline`.

    The store answers it for this method only: HEAD, which asks for the headers that GET would have, or GET. What a
    browser would run in the store's name, such as HTML, is an attachment always, and loses its type; but for drawings,
    which a page may still show as pictures, where nothing in them runs.
    """
    is_active = content_type is not None and ACTIVE_TYPE.search(content_type)
    disposition = "inline" if inline and not is_active else "attachment"
    parameters = {
        "Bucket": bucket(),
        "Key": key,
        "ResponseContentDisposition": _content_disposition(disposition, filename),
    }
    if content_type and (content_type == DRAWING or not is_active):
        parameters["ResponseContentType"] = content_type
    return signing_client().generate_presigned_url(READS[method], Params=parameters, ExpiresIn=GET_URL_SECONDS)


def _content_disposition(disposition: str, filename: str) -> str:
    """Return the header of RFC 6266: an ASCII name for old clients, and the true one where they differ."""
    plain = filename.encode("ascii", "replace").decode().replace('"', "'")
    if plain == filename:
        return f'{disposition}; filename="{plain}"'
    return f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def sign_parts(key: str, multipart_id: str, parts: Sequence[tuple[int, int]]) -> list[str]:
    """Return a URL for each part of a multipart upload, which puts exactly so many bytes."""
    if not parts:
        return []
    number, size = parts[0]
    parameters = {
        "Bucket": bucket(),
        "Key": key,
        "UploadId": multipart_id,
        "PartNumber": number,
        "ContentLength": size,
    }
    url = signing_client().generate_presigned_url("upload_part", Params=parameters, ExpiresIn=PART_URL_SECONDS)
    signer = _Signer(url)
    first = f"partNumber={number}&"
    return [
        signer.sign(signer.path, signer.query.replace(first, f"partNumber={number}&", 1), ("content-length", str(size)))
        for number, size in parts
    ]


class Completion(NamedTuple):
    """A request that makes one object of the parts of an upload: the URL, and the body to post there."""

    url: str
    body: str


def sign_completion(key: str, multipart_id: str, etags: Mapping[int, str]) -> Completion:
    """Return the signed request that makes one object of parts, of which each has a number and an ETag."""
    url = signing_client().generate_presigned_url(
        "complete_multipart_upload",
        Params={"Bucket": bucket(), "Key": key, "UploadId": multipart_id},
        ExpiresIn=PART_URL_SECONDS,
    )
    listed = "".join(
        f"<Part><PartNumber>{number}</PartNumber><ETag>{escape(etag)}</ETag></Part>"
        for number, etag in sorted(etags.items())
    )
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"{listed}</CompleteMultipartUpload>"
    )
    return Completion(url, body)


@dataclass(frozen=True)
class NewObject:
    """An object to be put: its key, which needs no quoting in a URL, and the MD5 of its content in base64."""

    key: str
    md5: str


def sign_puts(objects: Sequence[NewObject]) -> list[str]:
    """Return a URL for each object that puts it within 6 hours, with the header Content-MD5 and that content."""
    if not objects:
        return []
    first = objects[0]
    parameters = {"Bucket": bucket(), "Key": first.key, "ContentMD5": first.md5}
    url = signing_client().generate_presigned_url("put_object", Params=parameters, ExpiresIn=PUT_URL_SECONDS)
    signer = _Signer(url)
    folder = signer.path.removesuffix(first.key)
    return [signer.sign(f"{folder}{new.key}", signer.query, ("content-md5", new.md5)) for new in objects]


class _Signer:
    """A signer of many URLs that put something, each with one header, made from one that botocore has signed.

    By AWS Signature Version 4: botocore takes a millisecond for each, this a hundredth of it.
    """

    def __init__(self, url: str) -> None:
        address = urlsplit(url.rpartition("&X-Amz-Signature=")[0])
        fields = parse_qs(address.query)
        [self._date], [credential] = fields["X-Amz-Date"], fields["X-Amz-Credential"]
        self._scope = credential.partition("/")[2]
        self._key = _signing_key(self._scope)
        self._origin = f"{address.scheme}://{address.netloc}"
        self._host = address.netloc
        self.path = address.path
        self.query = address.query

    def sign(self, path: str, query: str, header: tuple[str, str]) -> str:
        """Return the URL of that path and query; whoever uses it has to send the header."""
        name, value = header
        canonical_query = "&".join(sorted(query.split("&")))
        headers = f"{name}:{value}\nhost:{self._host}\n\n{name};host"
        request = f"PUT\n{path}\n{canonical_query}\n{headers}\nUNSIGNED-PAYLOAD"
        digest = hashlib.sha256(request.encode()).hexdigest()
        text = f"AWS4-HMAC-SHA256\n{self._date}\n{self._scope}\n{digest}"
        signature = hmac.digest(self._key, text.encode(), "sha256").hex()
        return f"{self._origin}{path}?{query}&X-Amz-Signature={signature}"


def _signing_key(scope: str) -> bytes:
    """Return the key of a scope, `date/region/service/aws4_request`, made from the archive's secret."""
    key: bytes = b"AWS4" + settings.STORAGES["default"]["OPTIONS"]["secret_key"].encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
