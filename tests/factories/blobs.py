"""Blobs, with and without bytes in the store."""

import hashlib
import uuid
from collections.abc import Sequence
from io import BytesIO
from itertools import count
from urllib.request import Request, urlopen

from archive.accounts.models import User
from archive.blobs.models import Blob
from archive.blobs.services import (
    SignedPart,
    UploadedPart,
    finish_upload,
    keep_contents,
    sign_completion,
    start_upload,
)
from archive.datasets.models import Dataset
from archive.digests import etag_of_file
from tests.factories.datasets import owner_of

_numbers = count(1)


def make_blob(dataset: Dataset, content: bytes | None = None) -> Blob:
    """A blob that the dataset's owner uploaded the way clients do; its SHA-256 is left to the worker."""
    content = f"content {next(_numbers)}".encode() if content is None else content
    actor = owner_of(dataset)
    if not content:
        return keep_contents(actor=actor, dataset=dataset, contents=[content])[0]
    etag = etag_of_file(BytesIO(content), len(content))
    upload, parts = start_upload(actor=actor, dataset=dataset, size=len(content), etag=etag)
    url, body = sign_completion(upload, put_parts(parts, content))
    _send("POST", url, body.encode())
    return finish_upload(actor=actor, upload_id=upload.pk)


def put_parts(parts: Sequence[SignedPart], content: bytes) -> list[UploadedPart]:
    """Put `content` into the store by the parts' URLs; returns what a client then knows of them."""
    uploaded = []
    for part in parts:
        chunk, content = content[: part.size], content[part.size :]
        uploaded.append(UploadedPart(part.number, part.size, _send("PUT", part.url, chunk)))
    return uploaded


def _send(method: str, url: str, data: bytes) -> str:
    # The store binds uploads to no content type, and urllib would claim one.
    headers = {"Content-Type": "application/octet-stream"}
    with urlopen(Request(url, data=data, headers=headers, method=method)) as answer:  # noqa: S310 - of the own store
        etag: str = answer.headers.get("ETag", "")
        return etag


def make_blob_row(uploader: User, *, size: int = 1, etag: str = "", sha256: str | None = None) -> Blob:
    """A blob that is a row only, for tests that read no bytes; to the archive it is verified, digested and opened."""
    blob_id = uuid.uuid4()
    digest = hashlib.md5(blob_id.bytes, usedforsecurity=False).hexdigest()
    return Blob.objects.create(
        id=blob_id,
        uploader=uploader,
        size=size,
        etag=etag or f"{digest}-1",
        sha256=sha256 or hashlib.sha256(blob_id.bytes).hexdigest(),
        is_open=True,
    )


def attachable_row(dataset: Dataset, *, size: int = 1) -> Blob:
    """A blob row that the dataset's owner may attach."""
    uploader = owner_of(dataset).user
    assert uploader
    return make_blob_row(uploader, size=size)
