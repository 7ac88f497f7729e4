"""Content over git-annex's protocol: the shapes of its answers, and what is refused (git-annex.md)."""

import hashlib
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from threading import BoundedSemaphore
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from django.utils import timezone

from archive.blobs import receiving
from archive.blobs.models import Blob, Reception
from archive.datasets.models import Dataset
from archive.git_annex.keys import AnnexKey
from archive.snapshots.services import repository_of
from archive.storage import services as storage
from dandiapi import limits, streams
from dandiapi.git import annex
from dandiapi.limits import Limiter
from tests.dandiapi.git.caller import Caller
from tests.factories import make_asset, make_blob, make_dataset, make_zarr, make_zarr_asset, upload_zarr
from tests.factories.zarr import FILES
from tests.worker import Worker

CONTENT = b"what a mouse saw"
SENT = b"what a mouse heard"
LENGTH = "X-git-annex-data-length"
VERSIONS = range(5)


def sha256_key(content: bytes) -> str:
    return str(AnnexKey("SHA256", len(content), hashlib.sha256(content).hexdigest(), ".nwb"))


def md5_key(content: bytes) -> str:
    return str(AnnexKey("MD5", len(content), hashlib.md5(content, usedforsecurity=False).hexdigest()))


def wrapped(word: str) -> str:
    return f"[{urlsafe_b64encode(word.encode()).decode()}]"


KEY = sha256_key(CONTENT)
ABSENT = sha256_key(b"what nobody saw")


@pytest.fixture
def dataset(owner: Caller) -> Dataset:
    """The owner's open dataset, of one file whose content is CONTENT."""
    dataset = make_dataset(owner.user)
    blob = make_blob(dataset, CONTENT)
    blob.sha256 = hashlib.sha256(CONTENT).hexdigest()
    blob.save()
    make_asset(dataset, "sub-1/a.nwb", blob=blob)
    return dataset


def at(dataset: Dataset, rest: str) -> str:
    return f"/git-annex/{repository_of(dataset).annex_uuid}/{rest}"


def ask(caller: Caller, dataset: Dataset, verb: str, *, version: int = 4, **parameters: Any) -> Any:
    """Ask with a verb that has no body."""
    query = "&".join(f"{name}={quote(str(value))}" for name, value in ({"clientuuid": "c"} | parameters).items())
    return caller.post(at(dataset, f"v{version}/{verb}?{query}"), b"", "application/octet-stream")


def put(
    caller: Caller, dataset: Dataset, body: bytes, *, key: str, offset: int = 0, version: int = 4, **headers: str
) -> Any:
    address = at(dataset, f"v{version}/put?clientuuid=c&key={quote(key)}&offset={offset}")
    return caller.post(address, body, "application/octet-stream", **({LENGTH: str(len(body))} | headers))


def body_of(response: Any) -> bytes:
    return b"".join(response.streaming_content)


# --- Reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_content_is_given_with_its_length(anonymous: Caller, dataset: Dataset, version: int) -> None:
    response = anonymous.get(at(dataset, f"v{version}/key/{KEY}?clientuuid=c"))
    assert (response.status_code, response.headers["Content-Type"]) == (200, "application/octet-stream")
    assert response.headers[LENGTH] == str(len(CONTENT))
    assert body_of(response) == CONTENT


@pytest.mark.parametrize("offset", [0, 1, len(CONTENT) - 1, len(CONTENT)])
def test_content_is_given_from_an_offset_on(anonymous: Caller, dataset: Dataset, offset: int) -> None:
    response = anonymous.get(at(dataset, f"v4/key/{KEY}?clientuuid=c&offset={offset}&associatedfile=a.nwb"))
    assert response.headers[LENGTH] == str(len(CONTENT) - offset)
    assert body_of(response) == CONTENT[offset:]


@pytest.mark.parametrize("offset", [str(len(CONTENT) + 1), "-1", "x", "1.5", "9" * 30, "²", ""])
def test_offset_that_makes_no_sense_is_refused(anonymous: Caller, dataset: Dataset, offset: str) -> None:
    response = anonymous.get(at(dataset, f"v4/key/{KEY}?clientuuid=c&offset={quote(offset)}"))
    assert (response.status_code, response.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")


def test_content_is_not_compressed_on_its_way(owner: Caller, anonymous: Caller, dataset: Dataset) -> None:
    plain = b"a" * 10_000
    put(owner, dataset, plain, key=sha256_key(plain))
    response = anonymous.get(at(dataset, f"v4/key/{sha256_key(plain)}"), **{"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in response.headers
    assert body_of(response) == plain


def test_key_and_repository_may_come_wrapped(anonymous: Caller, dataset: Dataset) -> None:
    uuid = wrapped(str(repository_of(dataset).annex_uuid))
    response = anonymous.get(f"/git-annex/{uuid}/v4/key/{wrapped(KEY)}?clientuuid=c")
    assert body_of(response) == CONTENT
    assert ask(anonymous, dataset, "checkpresent", key=wrapped(KEY)).json() == {"present": True}


def test_content_without_a_version_is_where_the_store_has_it(anonymous: Caller, dataset: Dataset) -> None:
    response = anonymous.get(at(dataset, f"key/{KEY}"))
    assert response.status_code == 302
    assert httpx.get(response.headers["Location"]).content == CONTENT
    response = anonymous.client.head(at(dataset, f"key/{KEY}"))
    assert httpx.head(response.headers["Location"]).headers["Content-Length"] == str(len(CONTENT))


def test_content_is_led_to_for_pages_of_other_origins(anonymous: Caller, dataset: Dataset) -> None:
    page = {"Origin": "https://elsewhere.example.net"}
    response = anonymous.client.get(at(dataset, f"key/{KEY}"), headers=page)
    assert response.headers["Access-Control-Allow-Origin"] == page["Origin"]
    asked = {**page, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "range"}
    beforehand = anonymous.client.options(at(dataset, f"key/{KEY}"), headers=asked)
    assert "range" in beforehand.headers["Access-Control-Allow-Headers"]


def test_entry_of_a_zarr_archive_is_content(anonymous: Caller, owner: Caller, worker: Worker) -> None:
    dataset = make_dataset(owner.user)
    zarr = make_zarr(dataset)
    make_zarr_asset(zarr)
    upload_zarr(worker, zarr)
    chunk = FILES["0/0/0"]
    assert body_of(anonymous.get(at(dataset, f"v4/key/{md5_key(chunk)}?clientuuid=c"))) == chunk
    assert ask(anonymous, dataset, "lockcontent", key=md5_key(chunk)).json()["locked"]


@pytest.mark.parametrize(
    "key", [ABSENT, "WORM-s1-m1--a", "URL--http://example.org/", "../../etc/passwd", "x" * 5000, "SHA256-s1--x", "é"]
)
def test_content_of_another_key_is_absent(anonymous: Caller, dataset: Dataset, key: str) -> None:
    for start in ("", "v4/"):
        assert anonymous.get(at(dataset, f"{start}key/{quote(key, safe='')}")).status_code == 404


@pytest.mark.parametrize(("key", "present"), [(KEY, True), (ABSENT, False), ("WORM-s1-m1--a", False)])
@pytest.mark.parametrize("version", VERSIONS)
def test_presence_is_told(anonymous: Caller, dataset: Dataset, version: int, key: str, present: bool) -> None:
    assert ask(anonymous, dataset, "checkpresent", version=version, key=key).json() == {"present": present}


def test_stream_of_the_store_is_closed_when_the_client_goes(
    anonymous: Caller, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = []

    def chunks(key: str, offset: int) -> Iterator[bytes]:
        try:
            yield CONTENT
        finally:
            closed.append(key)

    monkeypatch.setattr(annex, "read_from", chunks)
    response = anonymous.get(at(dataset, f"v4/key/{KEY}"))
    next(iter(response.streaming_content))
    response.close()
    assert len(closed) == 1


def test_content_that_the_store_has_lost_is_absent(anonymous: Caller, dataset: Dataset) -> None:
    storage.delete(Blob.objects.get().key)
    assert anonymous.get(at(dataset, f"v4/key/{KEY}")).status_code == 404


def test_long_answers_have_so_many_places(
    anonymous: Caller, owner: Caller, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "_slots", BoundedSemaphore(1))
    first = anonymous.get(at(dataset, f"v4/key/{KEY}"))
    refused = [anonymous.get(at(dataset, f"v4/key/{KEY}")), put(owner, dataset, SENT, key=sha256_key(SENT))]
    assert [(each.status_code, each.headers["Retry-After"]) for each in refused] == [(503, "2"), (503, "2")]
    assert ask(anonymous, dataset, "checkpresent", key=KEY).json() == {"present": True}
    assert body_of(first) == CONTENT
    assert put(owner, dataset, SENT, key=sha256_key(SENT)).json()["stored"]


# --- Locks and clocks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_content_of_an_asset_is_locked(anonymous: Caller, dataset: Dataset, version: int) -> None:
    lock = ask(anonymous, dataset, "lockcontent", version=version, key=KEY).json()
    assert lock["locked"]
    assert ask(anonymous, dataset, "keeplocked", version=version, lockid=lock["lockid"]).json() == {"locked": False}


def test_content_that_may_go_is_not_locked(anonymous: Caller, owner: Caller, dataset: Dataset) -> None:
    put(owner, dataset, SENT, key=sha256_key(SENT))
    for key in (sha256_key(SENT), ABSENT):
        assert ask(anonymous, dataset, "lockcontent", key=key).json() == {"locked": False}


@pytest.mark.parametrize("version", [3, 4])
def test_time_goes_on(anonymous: Caller, dataset: Dataset, version: int) -> None:
    first, second = (ask(anonymous, dataset, "gettimestamp", version=version).json()["timestamp"] for _ in range(2))
    assert 1_600_000_000 < first <= second < first + 60


# --- Sending ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [sha256_key(SENT), md5_key(SENT)], ids=["SHA256E", "MD5E"])
@pytest.mark.parametrize("version", VERSIONS)
def test_content_is_sent(owner: Caller, anonymous: Caller, dataset: Dataset, version: int, key: str) -> None:
    others = {"plusuuids": []} if version >= 2 else {}
    assert put(owner, dataset, SENT, key=key, version=version).json() == {"stored": True} | others
    assert body_of(anonymous.get(at(dataset, f"v{version}/key/{key}"))) == SENT


@pytest.mark.parametrize("key", [sha256_key(b""), md5_key(b"")], ids=["SHA256E", "MD5E"])
@pytest.mark.parametrize("version", VERSIONS)
def test_empty_content_is_sent_and_given(
    owner: Caller, anonymous: Caller, dataset: Dataset, version: int, key: str
) -> None:
    if version:
        assert ask(owner, dataset, "putoffset", version=version, key=key).json() == {"offset": 0}
    assert put(owner, dataset, b"", key=key, version=version).json()["stored"]
    assert ask(owner, dataset, "checkpresent", version=version, key=key).json() == {"present": True}
    response = anonymous.get(at(dataset, f"v{version}/key/{key}"))
    assert (response.headers[LENGTH], body_of(response)) == ("0", b"")


def test_content_is_sent_in_chunks(owner: Caller, dataset: Dataset) -> None:
    """As git-annex does; the server's gateway, and not Django, knows where such a body ends."""
    key = sha256_key(SENT)
    response = owner.client.generic(
        "POST",
        at(dataset, f"v4/put?clientuuid=c&key={key}"),
        headers={LENGTH: str(len(SENT)), "Transfer-Encoding": "chunked"},
        **{"wsgi.input": BytesIO(SENT), "wsgi.input_terminated": True},
    )
    assert response.json()["stored"]


@pytest.mark.parametrize("version", range(1, 5))
def test_offset_tells_where_to_go_on(owner: Caller, dataset: Dataset, version: int) -> None:
    others = {"plusuuids": []} if version >= 2 else {}
    key = sha256_key(SENT)
    assert ask(owner, dataset, "putoffset", version=version, key=key).json() == {"offset": 0}
    put(owner, dataset, SENT, key=key)
    assert ask(owner, dataset, "putoffset", version=version, key=key).json() == {"alreadyhave": True} | others
    assert ask(owner, dataset, "putoffset", version=version, key=KEY).json() == {"alreadyhave": True} | others


def test_content_that_came_another_way_is_confirmed(owner: Caller, dataset: Dataset) -> None:
    for key, is_there in [(KEY, True), (ABSENT, False)]:
        address = at(dataset, f"v4/put?clientuuid=c&key={key}&data-present=true")
        response = owner.post(address, b"", "application/octet-stream", **{LENGTH: "0"})
        assert response.json() == {"stored": is_there, "plusuuids": []}


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (SENT[:-1], "Fewer bytes have come than were announced"),
        (b"", "Fewer bytes have come than were announced"),
        (SENT + b"x", "More bytes have come than were announced"),
        (SENT[::-1], "The content does not match its key"),
    ],
    ids=["short", "empty", "long", "another"],
)
def test_body_that_is_not_what_its_key_says_is_not_stored(
    owner: Caller, dataset: Dataset, body: bytes, reason: str
) -> None:
    response = put(owner, dataset, body, key=sha256_key(SENT), **{LENGTH: str(len(SENT))})
    assert (response.status_code, response.json()["stored"]) == (200, False)
    assert response.json()["reason"].startswith(reason)
    assert not Blob.objects.filter(size=len(SENT)).exists()
    assert put(owner, dataset, SENT, key=sha256_key(SENT)).json()["stored"]


@pytest.mark.parametrize("length", [len(SENT) - 1, len(SENT) + 1, 0])
def test_length_has_to_be_that_of_the_rest_of_the_content(owner: Caller, dataset: Dataset, length: int) -> None:
    response = put(owner, dataset, SENT, key=sha256_key(SENT), **{LENGTH: str(length)})
    assert (response.status_code, response.headers["Content-Type"]) == (400, "text/plain; charset=utf-8")


@pytest.mark.parametrize("length", ["", "x", "-1", "1e3", "9" * 40])
def test_length_has_to_be_a_number(owner: Caller, dataset: Dataset, length: str) -> None:
    assert put(owner, dataset, SENT, key=sha256_key(SENT), **{LENGTH: length}).status_code == 400


@pytest.mark.parametrize(
    "key",
    ["", "x", "WORM-s1-m1--a", "SHA256E--0", f"MD5-s{2**43}--{'0' * 32}", "MD5-s1--0", "[!]", wrapped("x"), "x" * 5000],
)
def test_key_that_content_cannot_have_is_refused(owner: Caller, dataset: Dataset, key: str) -> None:
    assert put(owner, dataset, SENT, key=key).status_code == 400
    assert ask(owner, dataset, "putoffset", key=key).status_code == 400
    assert not Reception.objects.exists()


def test_second_sender_is_told_to_wait(owner: Caller, dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receiving, "PATIENCE_SECONDS", 0.0)
    put(owner, dataset, b"", key=sha256_key(SENT), **{LENGTH: str(len(SENT))})
    Reception.objects.update(holder="0" * 32, held_until=timezone.now() + timedelta(seconds=30))
    assert put(owner, dataset, SENT, key=sha256_key(SENT)).status_code == 423


# --- Removing ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_content_is_removed_unless_it_is_an_assets(owner: Caller, dataset: Dataset, version: int) -> None:
    others = {"plusuuids": []} if version >= 2 else {}
    put(owner, dataset, SENT, key=sha256_key(SENT))
    sent = ask(owner, dataset, "remove", version=version, key=sha256_key(SENT)).json()
    of_an_asset = ask(owner, dataset, "remove", version=version, key=KEY).json()
    assert (sent, of_an_asset) == ({"removed": True} | others, {"removed": False} | others)
    assert not ask(owner, dataset, "checkpresent", key=sha256_key(SENT)).json()["present"]


@pytest.mark.parametrize(("seconds", "removed"), [(60, True), (-60, False)])
def test_content_is_removed_before_a_time_only(owner: Caller, dataset: Dataset, seconds: int, removed: bool) -> None:
    put(owner, dataset, SENT, key=sha256_key(SENT))
    now = ask(owner, dataset, "gettimestamp").json()["timestamp"]
    told = ask(owner, dataset, "remove-before", key=sha256_key(SENT), timestamp=now + seconds).json()
    assert told == {"removed": removed, "plusuuids": []}
    assert ask(owner, dataset, "checkpresent", key=sha256_key(SENT)).json() == {"present": not removed}


# --- What makes no sense ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verb", "versions"),
    [
        ("checkpresent", [5, 6, 10]),
        ("putoffset", [0, 5]),
        ("gettimestamp", [0, 1, 2, 5]),
        ("remove-before", [0, 1, 2, 5]),
        ("another", [4]),
    ],
)
def test_version_that_has_no_such_verb_is_absent(
    owner: Caller, dataset: Dataset, verb: str, versions: list[int]
) -> None:
    answers = [ask(owner, dataset, verb, version=version, key=KEY, timestamp=1) for version in versions]
    assert {(each.status_code, each.headers["Content-Type"]) for each in answers} == {
        (404, "text/plain; charset=utf-8")
    }


@pytest.mark.parametrize("verb", ["checkpresent", "lockcontent", "keeplocked", "remove", "remove-before", "putoffset"])
def test_what_a_verb_needs_has_to_be_there(owner: Caller, dataset: Dataset, verb: str) -> None:
    assert ask(owner, dataset, verb).status_code == 400


@pytest.mark.parametrize("verb", ["checkpresent", "put", "remove", "gettimestamp"])
def test_verbs_are_not_asked_by_get(owner: Caller, dataset: Dataset, verb: str) -> None:
    assert owner.get(at(dataset, f"v4/{verb}?key={KEY}")).status_code == 405


@pytest.mark.parametrize("uuid", ["x", "00000000-0000-0000-0000-000000000000", "[!]", "[]", "%20"])
def test_repository_that_is_none_is_absent(anonymous: Caller, stranger: Caller, uuid: str) -> None:
    statuses = [caller.get(f"/git-annex/{uuid}/v4/key/{KEY}").status_code for caller in (anonymous, stranger)]
    assert statuses == [401, 404]


# --- Limits -----------------------------------------------------------------------------------------------------------


def test_requests_are_limited_by_user_and_address(
    anonymous: Caller, owner: Caller, dataset: Dataset, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "LIMITER", Limiter())
    monkeypatch.setattr(limits.time, "time", lambda: 1_000_000 * limits.WINDOW_SECONDS + 10.0)
    settings.RATE_LIMIT_SIGNED_IN = 2
    for caller in (anonymous, owner):
        answers = [ask(caller, dataset, "checkpresent", key=KEY) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[-1].headers["Retry-After"] == "50"


# --- A body that breaks off -------------------------------------------------------------------------------------------


def test_body_that_breaks_off_is_no_end_of_it(owner: Caller, dataset: Dataset) -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if chunk := super().read(size):
                return chunk
            raise OSError("The client is gone.")

    response = owner.client.generic(
        "POST",
        at(dataset, f"v4/put?clientuuid=c&key={sha256_key(SENT)}"),
        headers={LENGTH: str(len(SENT))},
        **{"wsgi.input": Broken(SENT[:5]), "wsgi.input_terminated": True},
    )
    assert (response.status_code, response.content) == (400, b"The request breaks off: The client is gone.\n")
