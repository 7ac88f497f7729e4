"""Signed URLs: those that put one object each, bound to its MD5, or one part, bound to its size; and all others."""

import base64
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import httpx
import pytest
from django.conf import settings
from django.test import override_settings

from archive.storage.queries import (
    GET_URL_SECONDS,
    PART_URL_SECONDS,
    PUT_URL_SECONDS,
    NewObject,
    bucket,
    find,
    list_objects,
    sign_completion,
    sign_parts,
    sign_puts,
    sign_read,
    signing_client,
)

# With the signs that stores put into theirs.
UPLOAD_ID = "partNumber=1&a/b+c.d~e_f-g=="

pytestmark = pytest.mark.usefixtures("bucket")


def new_object(content: bytes) -> NewObject:
    digest = hashlib.md5(content, usedforsecurity=False)
    return NewObject(f"puts/{uuid4()}/{digest.hexdigest()}", base64.b64encode(digest.digest()).decode())


def signed_by_botocore(new: NewObject) -> str:
    return signing_client().generate_presigned_url(
        "put_object",
        Params={"Bucket": bucket(), "Key": new.key, "ContentMD5": new.md5},
        ExpiresIn=PUT_URL_SECONDS,
    )


def part_signed_by_botocore(key: str, number: int, size: int) -> str:
    return signing_client().generate_presigned_url(
        "upload_part",
        Params={
            "Bucket": bucket(),
            "Key": key,
            "UploadId": UPLOAD_ID,
            "PartNumber": number,
            "ContentLength": size,
        },
        ExpiresIn=PART_URL_SECONDS,
    )


def in_order(url: str) -> tuple[str, list[str]]:
    """The address and, in order, what is in its query: botocore begins it with the upload."""
    address, _, query = url.partition("?")
    return address, sorted(query.split("&"))


@pytest.fixture
def _clock_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda **_: moment)
    monkeypatch.setattr("archive.storage.signing.timezone.now", lambda: moment)


@pytest.fixture(params=[settings.S3_ENDPOINT_URL, "https://objects.example.org", None])
def _at_any_endpoint(request: pytest.FixtureRequest) -> Iterator[None]:
    endpoint: str | None = request.param
    default = settings.STORAGES["default"]
    style = default["OPTIONS"]["client_config"].merge(
        type(default["OPTIONS"]["client_config"])(s3={"addressing_style": "path" if endpoint else "virtual"})
    )
    options = {**default["OPTIONS"], "endpoint_url": endpoint, "client_config": style}
    storages = {**settings.STORAGES, "default": {**default, "OPTIONS": options}}
    with override_settings(STORAGES=storages, S3_ENDPOINT_URL=endpoint, S3_PUBLIC_ENDPOINT_URL=endpoint):
        yield


@pytest.mark.usefixtures("_clock_stands_still", "_at_any_endpoint")
def test_puts_are_signed_as_botocore_signs_them() -> None:
    new = [new_object(bytes([number])) for number in range(3)]
    assert sign_puts(new) == [signed_by_botocore(each) for each in new]


@pytest.mark.usefixtures("_clock_stands_still", "_at_any_endpoint")
def test_parts_are_signed_as_botocore_signs_them() -> None:
    parts = [(number, 7 * number) for number in range(1, 12)]
    expected = [part_signed_by_botocore("a/b", *part) for part in parts]
    assert [in_order(url) for url in sign_parts("a/b", UPLOAD_ID, parts)] == [in_order(url) for url in expected]


@pytest.mark.usefixtures("_clock_stands_still", "_at_any_endpoint")
@pytest.mark.parametrize("key", ["a/b", "ü/é~(1)!*'", "%41 b+c", "a//b", "?x=1&y#z"])
@pytest.mark.parametrize("filename", ["a.nwb", "ü b~.nwb"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_reads_are_signed_as_botocore_signs_them(key: str, filename: str, method: str) -> None:
    url = sign_read(key, filename=filename, method=method, inline=True, content_type="text/plain")
    [disposition] = parse_qs(urlsplit(url).query)["response-content-disposition"]
    asked = {"ResponseContentDisposition": disposition, "ResponseContentType": "text/plain"}
    assert url == signing_client().generate_presigned_url(
        {"GET": "get_object", "HEAD": "head_object"}[method],
        Params={"Bucket": bucket(), "Key": key, **asked},
        ExpiresIn=GET_URL_SECONDS,
    )


@pytest.mark.usefixtures("_clock_stands_still", "_at_any_endpoint")
def test_completions_are_signed_as_botocore_signs_them() -> None:
    assert sign_completion("a/b", UPLOAD_ID, {1: "e"}).url == signing_client().generate_presigned_url(
        "complete_multipart_upload",
        Params={"Bucket": bucket(), "Key": "a/b", "UploadId": UPLOAD_ID},
        ExpiresIn=PART_URL_SECONDS,
    )


def test_urls_are_signed_without_botocore_but_for_the_first() -> None:
    sign_parts("a/b", UPLOAD_ID, [(1, 1)])
    with patch.object(signing_client(), "generate_presigned_url") as signed_by_botocore:
        urls = sign_parts("a/b", UPLOAD_ID, [(number, 1) for number in range(1, 10_001)])
    assert (len(set(urls)), signed_by_botocore.call_count) == (10_000, 0)


def test_nothing_is_signed_when_there_is_nothing() -> None:
    assert (sign_puts([]), sign_parts("a/b", UPLOAD_ID, [])) == ([], [])


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}])
def test_put_stores_the_content_whatever_its_type(headers: dict[str, str]) -> None:
    _, new = new_object(b"one"), new_object(b"two")
    [_, url] = sign_puts([new_object(b"one"), new])
    assert httpx.put(url, content=b"two", headers={"Content-MD5": new.md5, **headers}).status_code == 200
    stored = find(new.key)
    assert stored
    assert (stored.size, stored.etag) == (3, hashlib.md5(b"two", usedforsecurity=False).hexdigest())


def test_put_refuses_other_content() -> None:
    new, other = new_object(b"two"), new_object(b"2")
    [url] = sign_puts([new])
    statuses = [
        httpx.put(url, content=b"2", headers=headers).status_code
        for headers in ({"Content-MD5": new.md5}, {"Content-MD5": other.md5}, {})
    ]
    assert statuses == [400, 403, 403]
    assert find(new.key) is None


def test_list_has_sizes_and_digests_of_what_begins_with_the_prefix() -> None:
    new = new_object(b"two")
    httpx.put(sign_puts([new])[0], content=b"two", headers={"Content-MD5": new.md5}).raise_for_status()
    prefix = new.key.rpartition("/")[0]
    [page] = list_objects(f"{prefix}/")
    assert [(each.key, each.size, each.etag) for each in page] == [(new.key, 3, new.key.rpartition("/")[2])]
