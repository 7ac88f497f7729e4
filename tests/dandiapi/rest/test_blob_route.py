"""Blobs by digest (docs/dialects/dandi.md#uploads)."""

from typing import Any

import pytest

from archive.assets.models import Asset
from tests.dandiapi.rest import shapes
from tests.dandiapi.rest.api import Api
from tests.factories import make_asset, make_blob_row, make_embargoed_dataset

ETAG, SHA256 = "dandi:dandi-etag", "dandi:sha2-256"


def wanted(algorithm: Any, value: Any) -> dict[str, Any]:
    return {"algorithm": algorithm, "value": value}


@pytest.mark.parametrize(("algorithm", "field"), [(ETAG, "etag"), (SHA256, "sha256")])
def test_blob_is_found_by_either_digest(anonymous: Api, asset: Asset, algorithm: str, field: str) -> None:
    response = anonymous.post("blobs/digest/", wanted(algorithm, getattr(asset.blob, field)))
    assert response.status_code == 200
    assert response.json() == {
        "blob_id": str(asset.blob_id),
        "etag": asset.blob.etag,
        "sha256": asset.blob.sha256,
        "size": 1,
    }


def test_blob_is_not_found_when_there_is_none(anonymous: Api) -> None:
    response = anonymous.post("blobs/digest/", wanted(ETAG, f"{'0' * 32}-1"))
    assert (response.status_code, response.json()) == (404, shapes.NOT_FOUND)


def test_blob_is_found_by_its_uploader_before_it_is_in_any_dataset(owner: Api, stranger: Api) -> None:
    body = wanted(ETAG, make_blob_row(owner.user).etag)
    assert (owner.post("blobs/digest/", body).status_code, stranger.post("blobs/digest/", body).status_code) == (
        200,
        404,
    )


def test_blob_is_not_found_by_others_when_it_is_embargoed(owner: Api, stranger: Api, anonymous: Api) -> None:
    hidden = make_asset(make_embargoed_dataset(owner.user), "secret.nwb")
    answers = [
        caller.post("blobs/digest/", wanted(ETAG, hidden.blob.etag)).status_code
        for caller in (owner, stranger, anonymous)
    ]
    assert answers == [200, 404, 404]


@pytest.mark.parametrize("algorithm", ["dandi:md5", "sha256", "x"])
def test_algorithm_is_refused_when_it_is_not_known(anonymous: Api, algorithm: str) -> None:
    response = anonymous.post("blobs/digest/", wanted(algorithm, "0" * 32))
    assert response.status_code == 400
    assert response.json() == "Unsupported Digest Algorithm. Supported: dandi:dandi-etag, dandi:sha2-256"


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({}, {"algorithm", "value"}),
        (wanted(None, None), {"algorithm", "value"}),
        (wanted("", ""), {"algorithm", "value"}),
        (wanted([], {}), {"algorithm", "value"}),
        (wanted(ETAG, ["x"]), {"value"}),
        (wanted(ETAG, "x" * 129), {"value"}),
        (wanted("x" * 65, "x"), {"algorithm"}),
        ([], {"non_field_errors"}),
        ("text", {"non_field_errors"}),
    ],
)
def test_digest_is_refused_when_a_field_is_wrong(anonymous: Api, body: Any, fields: set[str]) -> None:
    response = anonymous.post("blobs/digest/", body)
    assert (response.status_code, set(response.json())) == (400, fields)
