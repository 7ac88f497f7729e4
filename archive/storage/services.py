"""Changing the object store: uploads begun and given up, objects written, opened, closed and deleted."""

import base64
import hashlib
import json
import logging
import re
from collections.abc import Iterable, Sequence
from io import RawIOBase
from typing import IO, TYPE_CHECKING, Any, cast
from xml.sax.saxutils import unescape

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError
from django.conf import settings

from archive.errors import NotFoundError
from archive.storage.queries import OPEN_TAG, ask, bucket, client, patient_client, reachable

if TYPE_CHECKING:
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

logger = logging.getLogger(__name__)

CORS_SECONDS = 3000
CONTENT_TYPE = "application/octet-stream"
UPLOAD_ID = re.compile("<UploadId>([^<]+)</UploadId>")
OPEN_TAGGING = f"{OPEN_TAG['Key']}={OPEN_TAG['Value']}"
# The chunks may come from the database, over a connection that belongs to the caller's thread.
IN_THIS_THREAD = TransferConfig(use_threads=False)


def prepare_bucket() -> None:
    """Make the bucket if it is not there, and give it the policy and CORS rules that this code relies on.

    The policy is a tag-conditioned Allow: nobody may list, and only objects tagged `access=open` may be read without
    a signature. Applied at every start, because the embedded store forgets it when it is killed.
    """
    store, name = client(), bucket()
    try:
        store.head_bucket(Bucket=name)
    except ClientError:
        store.create_bucket(Bucket=name)
    # Our policy makes some objects public; access control lists may not.
    store.put_public_access_block(
        Bucket=name,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True,
            "IgnorePublicAcls": True,
            "BlockPublicPolicy": False,
            "RestrictPublicBuckets": False,
        },
    )
    store.put_bucket_policy(Bucket=name, Policy=json.dumps(_policy(name)))
    store.put_bucket_cors(
        Bucket=name,
        CORSConfiguration={
            "CORSRules": [
                {
                    "AllowedOrigins": ["*"],
                    "AllowedMethods": ["PUT", "POST", "GET", "HEAD", "DELETE"],
                    "AllowedHeaders": ["*"],
                    "ExposeHeaders": list(settings.CORS_EXPOSE_HEADERS),
                    "MaxAgeSeconds": CORS_SECONDS,
                }
            ]
        },
    )


def _policy(name: str) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadWhatIsOpen",
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{name}/*",
                "Condition": {"StringEquals": {f"s3:ExistingObjectTag/{OPEN_TAG['Key']}": OPEN_TAG["Value"]}},
            }
        ],
    }


def start_multipart(key: str) -> str:
    """Begin a multipart upload to `key`; returns its id."""
    answer = ask("POST", key, {"uploads": ""}, headers={"Content-Type": CONTENT_TYPE})
    if answer and (found := UPLOAD_ID.search(answer.text)):
        return unescape(found[1])
    with reachable():
        return client().create_multipart_upload(Bucket=bucket(), Key=key, ContentType=CONTENT_TYPE)["UploadId"]


def abort_multipart(key: str, multipart_id: str) -> None:
    """Give a multipart upload up and free its parts. Nothing happens if it has ended already, or has no id."""
    if not multipart_id:
        # Without an id, the store would delete the object.
        return
    with reachable():
        try:
            client().abort_multipart_upload(Bucket=bucket(), Key=key, UploadId=multipart_id)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise


def upload_part(key: str, multipart_id: str, number: int, file: IO[bytes], *, md5: str) -> None:
    """Put part `number` of a multipart upload, all of `file`, whose MD5 in base64 the store compares.

    Raises NotFoundError when the upload has ended or was given up.
    """
    with reachable():
        try:
            client().upload_part(
                Bucket=bucket(), Key=key, UploadId=multipart_id, PartNumber=number, Body=file, ContentMD5=md5
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchUpload":
                raise
            raise NotFoundError("There is no such upload.") from error


def complete_multipart(key: str, multipart_id: str, part_md5s: Sequence[str]) -> None:
    """Make one object of the parts with these MD5s; do nothing if the upload has ended, or its parts have others."""
    parts: list[CompletedPartTypeDef] = [
        {"PartNumber": number, "ETag": f'"{md5}"'} for number, md5 in enumerate(part_md5s, start=1)
    ]
    with reachable():
        try:
            patient_client().complete_multipart_upload(
                Bucket=bucket(), Key=key, UploadId=multipart_id, MultipartUpload={"Parts": parts}
            )
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"NoSuchUpload", "InvalidPart"}:
                raise


def write(key: str, chunks: Iterable[bytes], *, content_type: str, is_open: bool = False) -> None:
    """Store the concatenation of `chunks` under `key`, never holding more than a few parts of it in memory.

    With `is_open` anyone may read it from its first moment, as they could what it may replace.
    """
    tagging = {"Tagging": OPEN_TAGGING} if is_open else {}
    body = _Chunks(chunks)
    with reachable():
        client().upload_fileobj(
            cast("IO[bytes]", body),
            bucket(),
            key,
            ExtraArgs={"ContentType": content_type, **tagging},
            Config=IN_THIS_THREAD,
        )
    if is_open and body.length >= IN_THIS_THREAD.multipart_threshold:
        # The embedded store forgets the tags that an upload in parts was begun with.
        open_to_all(key)


def copy(source: str, target: str, *, is_open: bool = False) -> None:
    """Store under `target` what lies under `source`, within the store; with `is_open`, anyone may read the copy."""
    with reachable():
        client().copy(
            {"Bucket": bucket(), "Key": source},
            bucket(),
            target,
            ExtraArgs={"TaggingDirective": "REPLACE", "Tagging": OPEN_TAGGING if is_open else ""},
            Config=IN_THIS_THREAD,
        )
    if is_open:
        open_to_all(target)


def put(key: str, content: bytes) -> None:
    """Store `content` under `key`; the store compares its MD5."""
    digest = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    with reachable():
        client().put_object(Bucket=bucket(), Key=key, Body=content, ContentMD5=digest, ContentType=CONTENT_TYPE)


class _Chunks(RawIOBase):
    """A file to read from, over an iterable of bytes, as `upload_fileobj` wants it; `length` bytes have been read."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._rest = b""
        self.length = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        parts = [self._rest]
        length = len(self._rest)
        while size < 0 or length < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            parts.append(chunk)
            length += len(chunk)
        data = b"".join(parts)
        if size < 0:
            size = len(data)
        self._rest = data[size:]
        self.length += min(size, len(data))
        return data[:size]


def open_to_all(key: str) -> None:
    """Let anyone read the object without a signature. A missing object is logged and ignored."""
    with reachable():
        try:
            client().put_object_tagging(Bucket=bucket(), Key=key, Tagging={"TagSet": [OPEN_TAG]})
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise
            logger.error("There is no object %s to open", key)


def close_to_all(key: str) -> None:
    """Take back what `open_to_all` gave; nothing happens if there is no such object."""
    with reachable():
        try:
            client().delete_object_tagging(Bucket=bucket(), Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchKey":
                raise


def delete(key: str) -> None:
    """Delete the object; nothing happens if there is none."""
    with reachable():
        client().delete_object(Bucket=bucket(), Key=key)
