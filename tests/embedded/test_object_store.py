"""The embedded store asked as an enemy would: by whoever reaches its port without its keys, or with one signed URL."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psutil
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from django.conf import settings

from archive.storage.queries import bucket as bucket_name
from archive.storage.queries import client, find, public_url, read_whole, sign_read
from archive.storage.services import open_to_all, write
from embedded.home import Home
from embedded.services import ObjectStore

CONTENT = b"embargoed"
KEYS = settings.STORAGES["default"]["OPTIONS"]
OURS = Credentials(KEYS["access_key"], KEYS["secret_key"])
SCOPE = f"{datetime.now(UTC):%Y%m%d}/us-east-1/s3/aws4_request"
SIGNED_NOTHING = "SignedHeaders=host, Signature=" + 64 * "0"
ELSEWHERE_IN_THE_STORE = [
    *("", "health", "_ministack/health", "_ministack/reset", "_ministack/config", "_localstack/health"),
    *("iceberg/v1/config", "v20180820/bucket/archive", "v2/email/identities", "v2/_catalog", "_alb/x/"),
    *("latest/meta-data/", "_aws/sqs/messages", "oauth2/token", ".well-known/jwks.json", "another-bucket/object"),
]

pytestmark = pytest.mark.usefixtures("bucket")


@pytest.fixture
def key(bucket: str) -> str:
    """An object that nobody may read without a signature."""
    name = f"objects/{uuid4()}"
    write(name, [CONTENT], content_type="text/plain")
    return name


@pytest.fixture(scope="module")
def enemy() -> Iterator[httpx.Client]:
    """Somebody on this machine: another of its users, or a page in a browser."""
    with httpx.Client(base_url=settings.S3_ENDPOINT_URL) as client:
        yield client


@contextmanager
def clock_of_who_signs(later: timedelta) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda **_: datetime.now(UTC) + later)
        yield


def sign(
    method: str, url: str, *, by: Credentials = OURS, content: bytes = b"", headers: dict[str, str] | None = None
) -> httpx.Request:
    """A request whose headers carry botocore's signature."""
    request = AWSRequest(method=method, url=url, data=content, headers=headers or {})
    S3SigV4Auth(by, "s3", "us-east-1").add_auth(request)
    return httpx.Request(method, url, headers=dict(request.headers.items()), content=content)


def sign_put(key: str) -> str:
    return client().generate_presigned_url("put_object", Params={"Bucket": bucket_name(), "Key": key}, ExpiresIn=60)


def is_refused(answer: httpx.Response) -> bool:
    return 400 <= answer.status_code < 500 and CONTENT not in answer.content


# --- Without the keys -------------------------------------------------------------------------------------------------

WITHOUT_A_SIGNATURE = {
    "no credential": {},
    "a key that the store was delivered with": {"Authorization": f"AWS4-HMAC-SHA256 Credential=test/{SCOPE}"},
    "its own key": {"Authorization": f"AWS4-HMAC-SHA256 Credential={OURS.access_key}/{SCOPE}"},
    "an empty signature": {"Authorization": f"AWS4-HMAC-SHA256 Credential=test/{SCOPE}, SignedHeaders=, Signature="},
    "a false signature": {"Authorization": f"AWS4-HMAC-SHA256 Credential=test/{SCOPE}, {SIGNED_NOTHING}"},
    "a false signature of its own key": {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={OURS.access_key}/{SCOPE}, {SIGNED_NOTHING}"
    },
    "the number of an account": {
        "Authorization": f"AWS4-HMAC-SHA256 Credential=000000000000/{SCOPE}, {SIGNED_NOTHING}"
    },
    "no key": {"Authorization": f"AWS4-HMAC-SHA256 Credential=/{SCOPE}, {SIGNED_NOTHING}"},
    "version 2": {"Authorization": "AWS test:x"},
    "version 2 of its own key": {"Authorization": f"AWS {OURS.access_key}:x"},
    "an elliptic curve": {"Authorization": f"AWS4-ECDSA-P256-SHA256 Credential=test/{SCOPE}, {SIGNED_NOTHING}"},
    "a token": {"Authorization": "Bearer test"},
    "a password": {"Authorization": "Basic dGVzdDp0ZXN0"},
    "a token with a key in it": {"Authorization": f"Bearer Credential=test/{SCOPE}"},
    "small letters": {"Authorization": f"aws4-hmac-sha256 Credential=test/{SCOPE}, {SIGNED_NOTHING}"},
    "two of them": {"Authorization": f"token x, AWS4-HMAC-SHA256 Credential=test/{SCOPE}, {SIGNED_NOTHING}"},
    "another service": {"X-Amz-Target": "AmazonSQS.ListQueues"},
    "another host": {"Host": f"{bucket_name()}.s3.localhost"},
    "a letter that is none": {"Authorization": "AWS4-HMAC-SHA256 Credential=\xff, SignedHeaders=\xff, Signature=\xff"},
}
IN_THE_QUERY = [
    "X-Amz-Credential=test/{scope}",
    "x-amz-credential=test/{scope}",
    "X-Amz-Credential=test/{scope}&X-Amz-Algorithm=AWS4-HMAC-SHA256",
    "X-Amz-Credential=test/{scope}&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0",
    "X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256&X-Amz-Credential=test/{scope}&X-Amz-Signature=0",
    "X-Amz-Credential={key}/{scope}",
    "AWSAccessKeyId=test",
    "AWSAccessKeyId=test&Signature=x&Expires=9999999999",
    "AWSAccessKeyId={key}&Signature=x&Expires=9999999999",
    "Action=ListQueues&AWSAccessKeyId=test",
]
ON_THE_BUCKET = ["", "?list-type=2", "?versions", "?uploads", "?policy", "?cors", "?acl"]


METHODS = ["GET", "HEAD", "PUT", "DELETE", "POST", "PATCH", "LOCK"]


@pytest.mark.parametrize("headers", WITHOUT_A_SIGNATURE.values(), ids=WITHOUT_A_SIGNATURE)
def test_object_is_kept_from_requests_without_a_signature(
    enemy: httpx.Client, key: str, headers: dict[str, str]
) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answers = {method: enemy.request(method, public_url(key), headers=raw, content=b"mine") for method in METHODS}
    assert [method for method, answer in answers.items() if not is_refused(answer)] == []
    assert read_whole(key) == CONTENT


@pytest.mark.parametrize("query", IN_THE_QUERY)
def test_object_is_kept_from_credentials_in_the_address(enemy: httpx.Client, key: str, query: str) -> None:
    url = f"{public_url(key)}?{query.format(scope=SCOPE, key=OURS.access_key)}"
    answers = {method: enemy.request(method, url, content=b"mine") for method in METHODS}
    assert [method for method, answer in answers.items() if not is_refused(answer)] == []
    assert read_whole(key) == CONTENT


@pytest.mark.parametrize("headers", WITHOUT_A_SIGNATURE.values(), ids=WITHOUT_A_SIGNATURE)
def test_bucket_is_kept_from_requests_without_a_signature(
    enemy: httpx.Client, key: str, headers: dict[str, str]
) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    answers = {
        (method, question): enemy.request(method, f"{bucket_name()}{question}", headers=raw, content=b"<x/>")
        for method in ("GET", "HEAD", "PUT", "POST", "DELETE")
        for question in ON_THE_BUCKET
    }
    assert [asked for asked, answer in answers.items() if not is_refused(answer)] == []
    assert [asked for asked, answer in answers.items() if key.encode() in answer.content] == []
    assert read_whole(key) == CONTENT


def test_form_is_refused_when_nobody_signed_it(enemy: httpx.Client, key: str) -> None:
    answer = enemy.post(bucket_name(), data={"key": key}, files={"file": b"mine"})
    assert answer.status_code == 403
    assert read_whole(key) == CONTENT


@pytest.mark.parametrize("question", ["acl", "tagging", "response-content-type=text/html", "versionId=1", "uploads"])
def test_open_object_gives_its_content_only(enemy: httpx.Client, key: str, question: str) -> None:
    open_to_all(key)
    assert enemy.get(f"{public_url(key)}?{question}").status_code == 403


@pytest.mark.parametrize("question", ["", "?v=1", "?%66resh=1&fresh=2"])
def test_open_object_is_read_whatever_else_its_address_says(enemy: httpx.Client, key: str, question: str) -> None:
    open_to_all(key)
    assert enemy.get(f"{public_url(key)}{question}").content == CONTENT


@pytest.mark.parametrize("path", ELSEWHERE_IN_THE_STORE)
def test_nothing_but_the_buckets_of_the_archive_is_there(enemy: httpx.Client, path: str) -> None:
    url = f"{settings.S3_ENDPOINT_URL}/{path}"
    answers = [enemy.send(sign(method, url)) for method in ("GET", "POST", "PUT", "OPTIONS")]
    assert [answer.status_code for answer in answers] == [404, 404, 404, 404]
    assert [answer for answer in answers if "Access-Control-Allow-Origin" in answer.headers] == []


def test_readiness_is_told_to_anybody(enemy: httpx.Client) -> None:
    assert enemy.get("_ministack/ready").status_code == 200


def test_store_listens_at_its_own_port_only() -> None:
    [pid] = [record["pid"] for record in Home.from_environment().processes() if record["name"] == ObjectStore.name]
    family = [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
    listening = [
        (connection.laddr.ip, connection.laddr.port)
        for process in family
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == [("127.0.0.1", urlsplit(settings.S3_ENDPOINT_URL).port)]


# --- With a signature that is not for this ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "theirs",
    [Credentials("test", "test"), Credentials(OURS.access_key, "test"), Credentials("test", OURS.secret_key)],
    ids=["as delivered", "another secret", "another key"],
)
def test_signature_is_refused_when_made_with_other_keys(enemy: httpx.Client, key: str, theirs: Credentials) -> None:
    assert enemy.send(sign("GET", public_url(key), by=theirs)).status_code == 403
    request = AWSRequest(method="GET", url=public_url(key))
    S3SigV4QueryAuth(theirs, "s3", "us-east-1").add_auth(request)
    assert enemy.get(request.url).status_code == 403


@pytest.mark.parametrize("later", [timedelta(minutes=-16), timedelta(minutes=16), timedelta(days=-8)])
def test_signature_in_headers_is_refused_when_not_of_this_quarter(
    enemy: httpx.Client, key: str, later: timedelta
) -> None:
    with clock_of_who_signs(later):
        request = sign("GET", public_url(key))
    assert enemy.send(request).status_code == 403


@pytest.mark.parametrize("later", [timedelta(seconds=-61), timedelta(minutes=16)], ids=["expired", "of the future"])
def test_signed_address_is_refused_when_not_of_its_time(enemy: httpx.Client, key: str, later: timedelta) -> None:
    with clock_of_who_signs(later):
        url = sign_put(key)
    assert enemy.put(url, content=b"mine").status_code == 403
    assert read_whole(key) == CONTENT


@pytest.mark.parametrize(("seconds", "status"), [(604800, 200), (604801, 400), (-1, 403)])
def test_signed_address_lasts_a_week_at_most(enemy: httpx.Client, key: str, seconds: int, status: int) -> None:
    parameters = {"Bucket": bucket_name(), "Key": key}
    url = client().generate_presigned_url("get_object", Params=parameters, ExpiresIn=seconds)
    assert enemy.get(url).status_code == status


TAMPERED: dict[str, Callable[[str, str], str]] = {
    "another object": lambda url, key: url.replace(key, f"{key}-other"),
    "another question": lambda url, _: f"{url}&tagging",
    "a type to be shown as": lambda url, _: f"{url}&response-content-type=text/html",
    "a header in the address": lambda url, _: f"{url}&x-amz-acl=public-read",
    "a longer time": lambda url, _: url.replace("X-Amz-Expires=", "X-Amz-Expires=1"),
    "a time that is none": lambda url, _: url.replace("X-Amz-Expires=", "X-Amz-Expires=x"),
    "a time of many digits": lambda url, _: url.replace("X-Amz-Expires=", f"X-Amz-Expires={5000 * '1'}"),
    "a later date": lambda url, _: url.replace("X-Amz-Date=2", "X-Amz-Date=3"),
    "the last of all dates": lambda url, _: re.sub("X-Amz-Date=[^&]+", "X-Amz-Date=99991231T235959Z", url),
    "no header": lambda url, _: url.replace("SignedHeaders=host", "SignedHeaders="),
    "a header that is not sent": lambda url, _: url.replace("SignedHeaders=host", "SignedHeaders=host%3Bx-other"),
    "two signatures": lambda url, _: f"{url}&X-Amz-Signature={64 * '0'}",
    "the same signature twice": lambda url, _: f"{url}&{url.rpartition('&')[2]}",
    "two signatures in other letters": lambda url, _: f"{url}&x-amz-signature={64 * '0'}",
    "a signature that is no number": lambda url, _: f"{url.rpartition('=')[0]}=%C3%BF",
    "two credentials": lambda url, _: f"{url}&X-Amz-Credential=test/{SCOPE}",
    "no date": lambda url, _: url.replace("X-Amz-Date=", "X-Amz-Day="),
    "another version": lambda url, _: f"{url}&AWSAccessKeyId=test",
}


@pytest.mark.parametrize("tamper", TAMPERED.values(), ids=TAMPERED)
def test_signed_address_is_refused_when_changed(
    enemy: httpx.Client, key: str, tamper: Callable[[str, str], str]
) -> None:
    assert is_refused(enemy.get(tamper(sign_read(key, filename="a.nwb"), key)))


def test_signed_address_is_for_its_method_only(enemy: httpx.Client, key: str) -> None:
    url = sign_read(key, filename="a.nwb")
    answers = {method: enemy.request(method, url, content=b"mine") for method in METHODS if method != "GET"}
    assert [method for method, answer in answers.items() if not is_refused(answer)] == []
    assert read_whole(key) == CONTENT


@pytest.mark.parametrize(
    "header",
    [
        {"x-amz-tagging": "access=open"},
        {"x-amz-acl": "public-read"},
        {"x-amz-copy-source": "/archive/blobs/other"},
        {"x-amz-meta-note": "mine"},
        {"x-amz-target": "AmazonSQS.ListQueues"},
        {"x-amz-security-token": "mine"},
        {"x-amz-decoded-content-length": "1"},
        {"Authorization": "AWS test:x"},
    ],
    ids=str,
)
def test_signed_address_is_refused_with_a_header_that_nobody_signed(
    enemy: httpx.Client, key: str, header: dict[str, str]
) -> None:
    assert is_refused(enemy.put(sign_put(key), content=b"mine", headers=header))
    assert read_whole(key) == CONTENT
    assert enemy.get(public_url(key)).status_code == 403


def test_signature_in_headers_is_refused_for_another_content(enemy: httpx.Client, key: str) -> None:
    request = sign("PUT", public_url(key), content=b"yours")
    answer = enemy.put(request.url, headers=request.headers, content=b"mine!")
    assert answer.status_code == 400
    assert read_whole(key) == CONTENT


def test_signature_in_headers_is_refused_when_it_says_nothing_of_the_content(enemy: httpx.Client, key: str) -> None:
    request = sign("PUT", public_url(key), content=b"mine")
    del request.headers["x-amz-content-sha256"]
    assert enemy.put(request.url, headers=request.headers, content=b"mine").status_code == 400
    assert read_whole(key) == CONTENT


@pytest.mark.parametrize("trailer", ["", "-TRAILER"])
def test_content_is_refused_that_is_signed_piece_by_piece(enemy: httpx.Client, key: str, trailer: str) -> None:
    content = b"4;chunk-signature=%064d\r\nmine\r\n0;chunk-signature=%064d\r\n\r\n" % (0, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(S3SigV4Auth, "payload", lambda *_: f"STREAMING-AWS4-HMAC-SHA256-PAYLOAD{trailer}")
        request = sign("PUT", public_url(key), content=content, headers={"x-amz-decoded-content-length": "4"})
    assert enemy.send(request).status_code == 501
    assert read_whole(key) == CONTENT


def test_content_is_refused_that_comes_in_pieces(enemy: httpx.Client, key: str) -> None:
    content = b"4\r\nmine\r\n0\r\n\r\n"
    answer = enemy.put(sign_put(key), content=content, headers={"Content-Encoding": "aws-chunked"})
    assert answer.status_code == 501
    assert read_whole(key) == CONTENT


# --- With a signature that is -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["plain", "a b+c", "ü/é~(1)!*'", "%41", "a//b", "?x=1&y#z"])
def test_signature_opens_an_object_of_any_name(enemy: httpx.Client, name: str) -> None:
    key = f"objects/{uuid4()}/{name}"
    write(key, [CONTENT], content_type="text/plain")
    assert read_whole(key) == CONTENT
    assert enemy.get(sign_read(key, filename="ü b.nwb")).content == CONTENT
    stored = find(key)
    assert stored is not None
    assert stored.size == len(CONTENT)


def test_signature_holds_when_the_address_is_written_otherwise(enemy: httpx.Client, key: str) -> None:
    url = urlsplit(sign_read(key, filename="a~b.nwb"))
    otherwise = url._replace(path=url.path.replace("objects", "%6Fbjects"), query=url.query.replace("~", "%7E"))
    assert enemy.get(otherwise.geturl()).content == CONTENT


def test_token_for_the_archive_is_passed_over(enemy: httpx.Client, key: str) -> None:
    token = {"Authorization": "token 0123456789"}
    assert enemy.get(sign_read(key, filename="a.nwb"), headers=token).content == CONTENT
    open_to_all(key)
    assert enemy.get(public_url(key), headers=token).content == CONTENT


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT"])
def test_signed_address_may_be_asked_about_beforehand(enemy: httpx.Client, key: str, method: str) -> None:
    url = sign_put(key) if method == "PUT" else sign_read(key, filename="a.nwb", method=method)
    asked = {
        "Origin": "https://elsewhere.example.net",
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "content-md5,range",
    }
    answer = enemy.options(url, headers=asked)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert "content-md5" in answer.headers["Access-Control-Allow-Headers"]


def test_signature_in_headers_opens_an_object(enemy: httpx.Client, key: str) -> None:
    assert enemy.send(sign("GET", public_url(key))).content == CONTENT


# --- From pages of other origins --------------------------------------------------------------------------------------


def test_page_of_another_origin_may_read_why_it_was_refused(enemy: httpx.Client, key: str) -> None:
    for url in (public_url(key), f"{sign_read(key, filename='a.nwb')}&tagging"):
        answer = enemy.get(url, headers={"Origin": "https://elsewhere.example.net"})
        assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (403, "*")
        assert "<Code>" in answer.text


def test_page_of_another_origin_is_answered_by_the_rules_of_the_bucket(enemy: httpx.Client, key: str) -> None:
    asked = {"Origin": "https://elsewhere.example.net", "Access-Control-Request-Method": "PATCH"}
    assert enemy.options(public_url(key), headers=asked).status_code == 403
    allowed = enemy.options(public_url(key), headers={**asked, "Access-Control-Request-Method": "GET"})
    assert (allowed.status_code, allowed.headers["Access-Control-Allow-Origin"]) == (200, "*")


# --- Of two archives --------------------------------------------------------------------------------------------------


def test_keys_are_of_one_home_only(tmp_path: Path) -> None:
    homes = [Home(tmp_path / name) for name in ("one", "other")]
    for home in homes:
        home.create()
    first, second = (ObjectStore(home).provides() for home in homes)
    again = ObjectStore(homes[0]).provides()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        assert len({first[name], second[name], "test"}) == 3
        assert first[name] == again[name]


# --- What S3 answers --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wanted", ["bytes=-3", "bytes=0-0", "bytes=0-"])
def test_object_without_bytes_has_no_range(bucket: str, enemy: httpx.Client, wanted: str) -> None:
    name = f"objects/{uuid4()}"
    write(name, [], content_type="text/plain", is_open=True)
    answer = enemy.get(public_url(name), headers={"Range": wanted})
    assert (answer.status_code, answer.headers.get("Content-Range")) == (416, "bytes */0")


# --- What browsers would run ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml"])
def test_store_lets_browsers_run_nothing_of_what_is_stored(bucket: str, enemy: httpx.Client, kind: str) -> None:
    name = f"objects/{uuid4()}"
    write(name, [b"<script>alert(1)</script>"], content_type=kind, is_open=True)
    for answer in (enemy.get(public_url(name)), httpx.get(sign_read(name, filename="a.html"))):
        assert answer.status_code == 200
        assert answer.headers["Content-Security-Policy"] == "sandbox"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_store_takes_no_media_type_from_whoever_does_not_sign(bucket: str, enemy: httpx.Client) -> None:
    name = f"objects/{uuid4()}"
    write(name, [CONTENT], content_type="text/plain", is_open=True)
    answer = enemy.get(f"{public_url(name)}?response-content-type=text/html&response-content-disposition=inline")
    assert answer.headers.get("Content-Type") != "text/html"
