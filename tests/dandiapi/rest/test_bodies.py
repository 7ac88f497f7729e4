"""Bodies that nobody honest sends (docs/decisions/cheap-requests.md)."""

from typing import Any

import pytest

from archive.datasets.models import Dataset
from archive.timeline.queries import position
from dandiapi.rest.render import ASSET, WORDS
from dandiapi.rest.render import METADATA as LIMIT
from tests.dandiapi.rest.api import Api

METADATA = b'{"name": "x", "metadata": %s}'
FIELD = METADATA % b'{"schemaVersion": "0.6.0", "a": %s}'


def put_draft(caller: Api, dataset: Dataset, content: bytes) -> int:
    """The status of an edit with that body."""
    status: int = caller.send_raw("PUT", f"dandisets/{dataset.identifier}/versions/draft/", content).status_code
    return status


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"nothing",
        b"{'name': 'x'}",
        b'{"name": "x",}',
        b"\xff\xfe",
        b"\x00",
        b"\xef\xbb\xbf{}",
        b"[" * 90_000,
        b'"' + b'\\"[' * 200_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        METADATA % b"NaN",
        METADATA % b'{"a": NaN}',
        METADATA % b'{"a": Infinity}',
        METADATA % b'{"a": -Infinity}',
        METADATA % b'{"a": "\\ud800"}',
        METADATA % b'{"a": "\\udc00\\ud800"}',
        METADATA % b'{"a": "\xed\xa0\x80"}',
        METADATA % b'{"a": "\\u0000"}',
        METADATA % b'{"\\u0000": 1}',
        METADATA % b'{"a": ["\\u0000"]}',
        METADATA % b'{"a": "\x00"}',
        METADATA % b'{"a": 1} trailing',
        b'{"name": "\\u0000", "metadata": {}}',
    ],
)
def test_body_is_refused_when_it_is_not_clean_json(owner: Api, dataset: Dataset, content: bytes) -> None:
    before = position(dataset.number)
    response = owner.send_raw("PUT", f"dandisets/{dataset.identifier}/versions/draft/", content)
    assert response.status_code == 400
    assert response.json()["detail"].startswith("JSON parse error - ")
    assert position(dataset.number) == before


@pytest.mark.parametrize(
    "value",
    [
        b"1e19",
        b"1e-400",
        b"-9223372036854775807",
        b"18446744073709551615",
        b"0.1000000000000000055511151231257827",
        b'"\\ud83d\\ude00"',
        b'"\\\\u0000"',
        b'"\\uffff"',
        b"[" * 90 + b"]" * 90,
        b"{}",
        b"null",
    ],
)
def test_body_is_taken_when_it_is_unusual_but_right(owner: Api, dataset: Dataset, value: bytes) -> None:
    assert put_draft(owner, dataset, FIELD % value) == 200
    assert owner.get(f"dandisets/{dataset.identifier}/versions/draft/").status_code == 200


@pytest.mark.parametrize(
    "value",
    [
        b"1e400",
        b"-1e400",
        b"1" + b"0" * 400,
        b"1e308",
        b"-1e308",
        b"123456789012345678901234567890",
        b"-9223372036854775809",
        b"18446744073709551616",
        b"[" * 100 + b"]" * 100,
        b'{"a":' * 300 + b"1" + b"}" * 300,
    ],
)
def test_body_is_refused_when_it_could_not_be_shown_again(owner: Api, dataset: Dataset, value: bytes) -> None:
    assert put_draft(owner, dataset, FIELD % value) == 400


def test_body_is_taken_when_it_is_as_large_as_may_be(owner: Api, dataset: Dataset) -> None:
    filling = b"x" * (LIMIT.size - len(FIELD % b'""'))
    assert put_draft(owner, dataset, FIELD % (b'"%s"' % filling)) == 200


def test_body_is_refused_when_it_is_larger(owner: Api, dataset: Dataset) -> None:
    before = position(dataset.number)
    assert put_draft(owner, dataset, FIELD % (b'"%s"' % (b"x" * LIMIT.size))) == 413
    assert position(dataset.number) == before


@pytest.mark.parametrize("value", [b"1", b"[]", b"{}", b'""', b'",[{"', b'"\\",["', b'{"a":1}', b'"\\\\"'])
def test_body_is_taken_when_it_holds_as_many_values_as_may_be(owner: Api, dataset: Dataset, value: bytes) -> None:
    # The three objects, their other three values, and a list; the values of those that hold some count as well.
    rest = LIMIT.values - 7
    most = rest // 2 if value in {b"[]", b"{}"} else rest // 3 if value == b'{"a":1}' else rest
    assert put_draft(owner, dataset, FIELD % (b"[" + b",".join([value] * most) + b"]")) == 200


@pytest.mark.parametrize(
    "content",
    [
        b"[" + b",".join([b"[]"] * (LIMIT.size // 3)) + b"]",
        b"[" + b",".join([b"1"] * LIMIT.values) + b"1]",
        b"{" + b",".join(b'"%d":1' % number for number in range(LIMIT.values + 1)) + b"}",
        b'["' + b'","' * LIMIT.values + b'"]',
        b'"\\\\"' + b"[" * LIMIT.values,
        b'""' * (LIMIT.size // 4) + b"[" * (LIMIT.size // 2),
    ],
)
def test_cheap_body_is_refused_unread_when_it_holds_more_values(
    owner: Api, dataset: Dataset, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    monkeypatch.setattr("orjson.loads", lambda _: pytest.fail("It was read."))
    response = owner.send_raw("PUT", f"dandisets/{dataset.identifier}/versions/draft/", content)
    assert (response.status_code, response.json()) == (413, {"detail": "The body must hold at most 100000 values."})


def test_cheap_body_is_refused_when_it_has_more_than_words_where_words_are_sent(anonymous: Api) -> None:
    assert anonymous.send_raw("POST", "blobs/digest/", b" " * WORDS.size + b"1").status_code == 413
    assert anonymous.send_raw("POST", "blobs/digest/", b"[" + b"1," * WORDS.values + b"1]").status_code == 413


def test_cheap_body_is_refused_when_a_file_has_more_metadata_than_a_page_can_hold(
    owner: Api, draft: str, asset_body: dict[str, Any]
) -> None:
    asset_body["metadata"] |= {"path": "b", "note": "a" * ASSET.size}
    assert owner.post(f"{draft}assets/", asset_body).status_code == 413
    asset_body["metadata"] |= {"note": "a" * (ASSET.size // 2)}
    assert owner.post(f"{draft}assets/", asset_body).status_code == 200


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "x"],
)
def test_body_is_refused_when_it_is_of_another_type(owner: Api, dataset: Dataset, kind: str) -> None:
    address = f"dandisets/{dataset.identifier}/versions/draft/"
    response = owner.send_raw("PUT", address, METADATA % b"{}", content_type=kind)
    assert (response.status_code, list(response.json())) == (415, ["detail"])


def test_body_is_not_read_before_it_is_known_who_sends_it(anonymous: Api, stranger: Api, dataset: Dataset) -> None:
    assert put_draft(anonymous, dataset, b"{") == 401
    assert put_draft(stranger, dataset, b"{") == 403
