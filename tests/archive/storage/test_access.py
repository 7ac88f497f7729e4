"""Who may read and write what without a signature of the archive's own (docs/architecture.md#bytes)."""

import hashlib
from collections.abc import Callable
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import httpx
import pytest
from botocore.awsrequest import AWSResponse
from django.conf import settings

from archive.storage.queries import bucket as bucket_name
from archive.storage.queries import client, find, find_and_hash, public_url, sign_completion, sign_parts, sign_read
from archive.storage.services import (
    abort_multipart,
    close_to_all,
    open_to_all,
    prepare_bucket,
    start_multipart,
    write,
)

CONTENT = b"content"
SHA256 = hashlib.sha256(CONTENT).hexdigest()

pytestmark = pytest.mark.usefixtures("bucket")


def test_unsigned_get_is_refused_of_an_object_that_is_not_open(key: str) -> None:
    assert httpx.get(public_url(key)).status_code == 403


def test_unsigned_get_is_answered_of_an_open_object(key: str) -> None:
    open_to_all(key)
    answer = httpx.get(public_url(key))
    assert (answer.status_code, answer.content) == (200, CONTENT)


@pytest.mark.parametrize("size", [7, 9 * 2**20], ids=["at once", "in parts"])
def test_unsigned_get_is_answered_of_an_object_written_open(size: int) -> None:
    key = f"written/{uuid4()}"
    write(key, [bytes(size)], content_type="text/plain", is_open=True)
    assert httpx.get(public_url(key)).content == bytes(size)


def test_unsigned_get_is_refused_again_of_an_object_that_was_closed(key: str) -> None:
    open_to_all(key)
    close_to_all(key)
    assert httpx.get(public_url(key)).status_code == 403


def test_unsigned_get_tells_nobody_whether_an_object_exists(key: str) -> None:
    assert httpx.get(public_url(f"{key}-not")).status_code == 403


@pytest.mark.parametrize("question", ["", "?list-type=2", "?versions", "?uploads", "?policy", "?cors"])
def test_unsigned_list_is_refused(question: str) -> None:
    assert httpx.get(f"{settings.S3_ENDPOINT_URL}/{bucket_name()}{question}").status_code == 403


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST"])
def test_unsigned_write_is_refused_of_an_open_object(method: str, key: str) -> None:
    open_to_all(key)
    assert httpx.request(method, public_url(key), content=b"mine").status_code == 403
    assert httpx.get(public_url(key)).content == CONTENT


def test_unsigned_tagging_is_refused(key: str) -> None:
    tags = "<Tagging><TagSet><Tag><Key>access</Key><Value>open</Value></Tag></TagSet></Tagging>"
    assert httpx.put(f"{public_url(key)}?tagging", content=tags).status_code == 403
    assert httpx.get(public_url(key)).status_code == 403


def test_prepare_changes_nothing_that_stands(key: str) -> None:
    prepare_bucket()
    open_to_all(key)
    assert httpx.get(public_url(key)).status_code == 200


# --- From pages of other origins --------------------------------------------------------------------------------------

# What a page is told as its origin once another origin has sent it here.
ORIGINS = ["https://app.example.org", "null"]


def exposed(answer: httpx.Response) -> set[str]:
    return {name.strip().lower() for name in answer.headers["Access-Control-Expose-Headers"].split(",")}


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize(("wanted", "content"), [("bytes=-3", CONTENT[-3:]), ("bytes=1-2", CONTENT[1:3])])
def test_page_of_another_origin_may_read_a_range_and_where_it_is(
    key: str, origin: str, wanted: str, content: bytes
) -> None:
    open_to_all(key)
    for url in (public_url(key), sign_read(key, filename="a.nwb")):
        answer = httpx.get(url, headers={"Origin": origin, "Range": wanted})
        assert (answer.status_code, answer.content) == (206, content)
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        needed = {"accept-ranges", "content-length", "content-range", "etag"}
        assert needed <= exposed(answer) & {name.lower() for name in answer.headers}


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_page_of_another_origin_may_ask_beforehand_for_what_readers_send(key: str, origin: str, method: str) -> None:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "range,if-range,if-none-match,if-modified-since,cache-control,authorization",
    }
    for url in (public_url(key), sign_read(key, filename="a.nwb", method=method)):
        answer = httpx.options(url, headers=asked)
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
        assert "range" in answer.headers["Access-Control-Allow-Headers"]


def test_prepare_sets_the_rules_again_of_a_bucket_that_has_others(key: str) -> None:
    open_to_all(key)
    rule = {"AllowedOrigins": ["*"], "AllowedMethods": ["GET"], "ExposeHeaders": ["ETag"]}
    client().put_bucket_cors(Bucket=bucket_name(), CORSConfiguration={"CORSRules": [rule]})
    before = httpx.get(public_url(key), headers={"Origin": ORIGINS[0]})
    prepare_bucket()
    after = httpx.get(public_url(key), headers={"Origin": ORIGINS[0]})
    assert "content-range" in exposed(after) - exposed(before)


# --- With a signature -------------------------------------------------------------------------------------------------


def test_signed_get_reads_an_object_that_is_not_open(key: str) -> None:
    answer = httpx.get(sign_read(key, filename="a.nwb"))
    assert (answer.status_code, answer.content) == (200, CONTENT)


def test_signed_get_reads_no_other_object(key: str) -> None:
    other = sign_read(f"{key}-not", filename="a.nwb").replace(f"{key}-not", key)
    assert httpx.get(other).status_code == 403


@pytest.mark.parametrize(
    ("filename", "disposition"),
    [
        ("a.nwb", 'attachment; filename="a.nwb"'),
        ("a b.nwb", 'attachment; filename="a b.nwb"'),
        ("é.nwb", "attachment; filename=\"?.nwb\"; filename*=UTF-8''%C3%A9.nwb"),
        ('a".nwb', "attachment; filename=\"a'.nwb\"; filename*=UTF-8''a%22.nwb"),
        ("a;b=c.nwb", 'attachment; filename="a;b=c.nwb"'),
    ],
)
def test_signed_get_names_the_file(key: str, filename: str, disposition: str) -> None:
    assert httpx.get(sign_read(key, filename=filename)).headers["Content-Disposition"] == disposition


def test_signed_get_shows_the_file_when_inline(key: str) -> None:
    answer = httpx.get(sign_read(key, filename="a.txt", inline=True, content_type="text/plain"))
    assert answer.headers["Content-Disposition"] == 'inline; filename="a.txt"'
    assert answer.headers["Content-Type"] == "text/plain"


@pytest.mark.parametrize(
    "kind",
    ["text/html", "TEXT/HTML", "application/xhtml+xml", "text/xml", "application/xml", "text/xsl"]
    + ["text/javascript", "multipart/x-mixed-replace", "message/rfc822", "unknown/unknown", "*/*"],
)
def test_signed_get_never_shows_what_a_browser_would_run(key: str, kind: str) -> None:
    answer = httpx.get(sign_read(key, filename="a.html", inline=True, content_type=kind))
    assert answer.headers["Content-Disposition"] == 'attachment; filename="a.html"'
    assert answer.headers["Content-Type"] != kind


def test_signed_part_takes_a_part_of_its_length(bucket: str) -> None:
    key = f"parts/{uuid4()}"
    multipart = start_multipart(key)
    [url] = sign_parts(key, multipart, [(1, len(CONTENT))])
    answer = httpx.put(url, content=CONTENT)
    assert answer.status_code == 200
    completion = sign_completion(key, multipart, {1: answer.headers["ETag"]})
    httpx.post(completion.url, content=completion.body).raise_for_status()
    stored = find(key)
    assert stored
    assert stored.size == len(CONTENT)


@pytest.mark.parametrize("content", [b"", CONTENT[:-1], CONTENT + b"!", bytes(2**20)])
def test_signed_part_refuses_another_length(content: bytes) -> None:
    key = f"parts/{uuid4()}"
    [url] = sign_parts(key, start_multipart(key), [(1, len(CONTENT))])
    assert httpx.put(url, content=content).status_code == 403


def test_signed_part_refuses_another_number() -> None:
    key = f"parts/{uuid4()}"
    [url] = sign_parts(key, start_multipart(key), [(1, len(CONTENT))])
    assert httpx.put(url.replace("partNumber=1", "partNumber=2"), content=CONTENT).status_code == 403


def test_abort_ends_an_upload_and_forgives_a_second_time() -> None:
    key = f"parts/{uuid4()}"
    multipart = start_multipart(key)
    [url] = sign_parts(key, multipart, [(1, len(CONTENT))])
    abort_multipart(key, multipart)
    abort_multipart(key, multipart)
    assert httpx.put(url, content=CONTENT).status_code == 404


@pytest.mark.parametrize(("at_most", "sha256"), [(len(CONTENT) - 1, None), (len(CONTENT), SHA256)])
def test_find_and_hash_reads_no_more_than_it_may(key: str, at_most: int, sha256: str | None) -> None:
    assert find_and_hash(key, at_most=at_most) == (find(key), sha256)


def test_find_and_hash_knows_nothing_of_what_is_not_there() -> None:
    assert find_and_hash(f"tests/{uuid4()}", at_most=1) == (None, None)


def test_start_and_hash_do_without_botocore_as_long_as_all_is_well(key: str) -> None:
    with patch.object(client(), "_make_api_call") as called:
        assert start_multipart(key)
        assert find_and_hash(key, at_most=len(CONTENT))[1] == SHA256
    assert called.call_count == 0


def test_start_and_hash_leave_it_to_botocore_to_ask_again(key: str) -> None:
    refused = AWSResponse("", 503, {}, None)
    connections = client()._endpoint.http_session  # type: ignore[attr-defined]
    with patch.object(connections, "send", side_effect=_refusing(refused, connections.send)):
        assert start_multipart(key)
        assert find_and_hash(key, at_most=len(CONTENT)) == (find(key), None)


def _refusing(refusal: AWSResponse, send: Callable[[Any], AWSResponse]) -> Callable[[Any], AWSResponse]:
    """A sender that refuses what is signed in the address, and sends everything else."""
    return lambda request: refusal if "X-Amz-Signature" in request.url else send(request)


def test_find_knows_nothing_of_what_is_not_there() -> None:
    assert find(f"objects/{uuid4()}") is None
