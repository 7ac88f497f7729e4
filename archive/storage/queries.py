"""The clients of the object store, and what can be asked of it without changing it.

Every call either answers, or raises BusyError when the store cannot be reached just now.
"""

import hashlib
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple, cast
from urllib.parse import quote, urlsplit
from xml.sax.saxutils import escape

from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session
from django.conf import settings
from django.core.files.storage import storages

from archive.errors import BusyError, NotFoundError
from archive.storage.signing import Signer

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import TagTypeDef

READ_SIZE = 4 * 2**20
STREAM_SIZE = 2**16
PATIENCE_SECONDS = 300
GET_URL_SECONDS = 6 * 3600
PART_URL_SECONDS = 7 * 24 * 3600
PUT_URL_SECONDS = 6 * 3600
# Of URLs that are used at once.
OWN_URL_SECONDS = 300
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
    """Return what is stored under `key`, or None; and its SHA-256, unless it has none or more than `at_most` bytes.

    It may be without a SHA-256, too, when the store does not answer at once.
    """
    answer = ask("GET", key, headers={"Range": f"bytes=0-{at_most}"})
    if answer is None:
        return find(key), None
    size = int(answer.headers["Content-Range"].rpartition("/")[2])
    found = StoredObject(size=size, etag=answer.headers["ETag"].strip('"'))
    return found, None if size > at_most else hashlib.sha256(answer.content).hexdigest()


def ask(
    method: str, key: str, query: dict[str, str] | None = None, *, headers: Mapping[str, str]
) -> AWSResponse | None:
    """Return the store's answer about an object if it is one of success; None if not, for botocore to ask again.

    It takes a third of the time that botocore takes over a call, over the connections that botocore keeps, and by its
    timeouts, proxies and certificates.
    """
    url = _signer(client(), method, OWN_URL_SECONDS).sign(key, query)
    session: URLLib3Session = cast(Any, client())._endpoint.http_session  # noqa: SLF001 - it has no other name
    try:
        answer = session.send(AWSRequest(method, url, headers).prepare())
    except BotoCoreError:
        return None
    return answer if answer.status_code in {HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT} else None


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
    """Return the first `length` bytes under `key`; all of them, if there are fewer. NotFoundError if there is none."""
    with reachable():
        try:
            return client().get_object(Bucket=bucket(), Key=key, Range=f"bytes=0-{length - 1}")["Body"].read()
        except ClientError as error:
            if _is_missing(error):
                raise NotFoundError("Object does not exist.") from error
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
    query = {"response-content-disposition": _content_disposition(disposition, filename)}
    if content_type and (content_type == DRAWING or not is_active):
        query["response-content-type"] = content_type
    return _signer(signing_client(), method, GET_URL_SECONDS).sign(key, query)


def _signer(store: "S3Client", method: str, seconds: int, header: str = "") -> Signer:
    return Signer(_address_of(store, bucket()), method, seconds=seconds, header=header)


@lru_cache
def _address_of(store: "S3Client", name: str) -> str:
    """Return the address of the bucket, below which its objects are, as botocore makes it."""
    url = store.generate_presigned_url("get_object", Params={"Bucket": name, "Key": "key"})
    return url.partition("?")[0].removesuffix("key")


def _content_disposition(disposition: str, filename: str) -> str:
    """Return the header of RFC 6266: an ASCII name for old clients, and the true one where they differ."""
    plain = filename.encode("ascii", "replace").decode().replace('"', "'")
    if plain == filename:
        return f'{disposition}; filename="{plain}"'
    return f"{disposition}; filename=\"{plain}\"; filename*=UTF-8''{quote(filename, safe='')}"


def sign_parts(key: str, multipart_id: str, parts: Sequence[tuple[int, int]]) -> list[str]:
    """Return a URL for each part of a multipart upload, which puts exactly so many bytes."""
    signer = _signer(signing_client(), "PUT", PART_URL_SECONDS, "content-length")
    return [
        signer.sign(key, {"partNumber": str(number), "uploadId": multipart_id}, value=str(size))
        for number, size in parts
    ]


class Completion(NamedTuple):
    """A request that makes one object of the parts of an upload: the URL, and the body to post there."""

    url: str
    body: str


def sign_completion(key: str, multipart_id: str, etags: Mapping[int, str]) -> Completion:
    """Return the signed request that makes one object of parts, of which each has a number and an ETag."""
    url = _signer(signing_client(), "POST", PART_URL_SECONDS).sign(key, {"uploadId": multipart_id})
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
    """An object to be put: its key, and the MD5 of its content in base64."""

    key: str
    md5: str


def sign_puts(objects: Sequence[NewObject]) -> list[str]:
    """Return a URL for each object that puts it within 6 hours, with the header Content-MD5 and that content."""
    signer = _signer(signing_client(), "PUT", PUT_URL_SECONDS, "content-md5")
    return [signer.sign(new.key, value=new.md5) for new in objects]
