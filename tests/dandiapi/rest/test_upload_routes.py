"""Uploads from end to end, against the store itself (docs/dialects/dandi.md#uploads)."""

import hashlib
import re
from io import BytesIO
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import httpx
import pytest

from archive import digests
from archive.blobs.models import Blob, Upload
from archive.datasets.models import Dataset
from archive.storage import queries as store
from tests.dandiapi.rest import shapes
from tests.dandiapi.rest.api import Api
from tests.dandiapi.rest.world import arrived_upload
from tests.factories import (
    make_asset,
    make_blob_row,
    make_dataset,
    make_embargoed_dataset,
    make_user,
    start_release,
    valid_asset_metadata,
)
from tests.worker import Worker

CONTENT = b"What a mouse saw.\n"
ETAG = "dandi:dandi-etag"


def etag(content: bytes) -> str:
    return digests.etag_of_file(BytesIO(content), len(content))


def announcement(dataset: Dataset, content: bytes = CONTENT, **changes: Any) -> dict[str, Any]:
    digest = {"algorithm": ETAG, "value": etag(content)}
    return {"contentSize": len(content), "digest": digest, "dandiset": dataset.identifier} | changes


@pytest.fixture
def upload(owner: Api, dataset: Dataset) -> dict[str, Any]:
    """An upload that has begun."""
    begun: dict[str, Any] = owner.post("uploads/initialize/", announcement(dataset)).json()
    return begun


def put(part: dict[str, Any], content: bytes) -> httpx.Response:
    return httpx.put(part["upload_url"], content=content, trust_env=False)


def put_parts(upload: dict[str, Any], content: bytes) -> list[dict[str, Any]]:
    """Put all parts; returns what the client then says of them."""
    reader = BytesIO(content)
    stored = [(part, put(part, reader.read(part["size"]))) for part in upload["parts"]]
    return [
        {"part_number": part["part_number"], "size": part["size"], "etag": answer.headers["ETag"].strip('"')}
        for part, answer in stored
    ]


def complete(caller: Api, upload: dict[str, Any], parts: list[dict[str, Any]]) -> httpx.Response:
    """End the upload at the store, as the client does; returns the store's answer."""
    completion = caller.post(f"uploads/{upload['upload_id']}/complete/", {"parts": parts}).json()
    return httpx.post(completion["complete_url"], content=completion["body"], trust_env=False)


def validate(caller: Api, upload: dict[str, Any]) -> Any:
    return caller.post(f"uploads/{upload['upload_id']}/validate/")


def arrive(caller: Api, upload: dict[str, Any], content: bytes = CONTENT) -> None:
    complete(caller, upload, put_parts(upload, content))


# --- From end to end --------------------------------------------------------------------------------------------------


def test_upload_begins_with_a_place_for_every_part(owner: Api, dataset: Dataset) -> None:
    size = digests.PART_SIZE * 2 + 12
    body = announcement(dataset, contentSize=size, digest={"algorithm": ETAG, "value": f"{'0' * 32}-3"})
    begun = owner.post("uploads/initialize/", body).json()
    assert set(begun) == {"upload_id", "parts"}
    assert re.fullmatch(shapes.UUID, begun["upload_id"])
    assert {frozenset(part) for part in begun["parts"]} == {frozenset({"part_number", "size", "upload_url"})}
    assert [(part["part_number"], part["size"]) for part in begun["parts"]] == [
        (1, digests.PART_SIZE),
        (2, digests.PART_SIZE),
        (3, 12),
    ]


def test_upload_ends_as_a_blob_of_the_same_id(owner: Api, upload: dict[str, Any]) -> None:
    arrive(owner, upload)
    response = validate(owner, upload)
    assert response.status_code == 200
    assert response.json() == {
        "blob_id": upload["upload_id"],
        "etag": etag(CONTENT),
        "sha256": None,
        "size": len(CONTENT),
    }
    assert not Upload.objects.exists()


def test_upload_of_several_parts_has_the_dandi_etag(
    owner: Api, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digests, "PART_SIZE", 5 * digests.MIB)
    content = bytes(5 * digests.MIB) + b"the rest"
    begun = owner.post("uploads/initialize/", announcement(dataset, content)).json()
    answer = complete(owner, begun, put_parts(begun, content)[::-1])
    assert ET.fromstring(answer.text).findtext("{*}ETag").strip('"') == etag(content)  # noqa: S314
    assert validate(owner, begun).json()["etag"].endswith("-2")


def test_store_answers_each_part_with_its_md5(upload: dict[str, Any]) -> None:
    (part,) = put_parts(upload, CONTENT)
    assert digests.etag_of_parts([part["etag"]]) == etag(CONTENT)


def test_store_refuses_a_part_of_another_length(upload: dict[str, Any]) -> None:
    assert put(upload["parts"][0], CONTENT + b"more").status_code == 403


@pytest.mark.usefixtures("late_checksums")
def test_blob_has_a_sha256_when_the_worker_has_worked(owner: Api, upload: dict[str, Any], worker: Worker) -> None:
    arrive(owner, upload)
    validate(owner, upload)
    assert owner.post("blobs/digest/", {"algorithm": ETAG, "value": etag(CONTENT)}).json()["sha256"] is None
    worker.run()
    answer = owner.post("blobs/digest/", {"algorithm": ETAG, "value": etag(CONTENT)}).json()
    assert re.fullmatch("[0-9a-f]{64}", answer["sha256"])


def test_blob_becomes_an_asset_that_anyone_can_read(
    owner: Api, anonymous: Api, upload: dict[str, Any], dataset: Dataset, worker: Worker
) -> None:
    arrive(owner, upload)
    blob = Blob.objects.get(pk=validate(owner, upload).json()["blob_id"])
    asset = make_asset(dataset, "a.txt", blob=blob)
    worker.run()
    signed, unsigned = anonymous.get(f"assets/{asset.asset_id}/download/")["Location"], store.public_url(blob.key)
    assert [httpx.get(url, trust_env=False).content for url in (signed, unsigned)] == [CONTENT, CONTENT]


def test_empty_file_is_there_as_soon_as_it_is_announced(
    owner: Api, anonymous: Api, dataset: Dataset, draft: str, worker: Worker
) -> None:
    """No store takes an upload of no parts; the client takes the conflict for what it is, and goes on with the blob."""
    answer = owner.post("uploads/initialize/", announcement(dataset, b""))
    assert answer.status_code == 409
    metadata = valid_asset_metadata("sub-1/empty.txt")
    asset = owner.post(f"{draft}assets/", {"blob_id": answer.headers["Location"], "metadata": metadata}).json()
    worker.run()
    told = anonymous.get(f"{draft}assets/{asset['asset_id']}/info/").json()
    assert (told["size"], told["metadata"]["contentSize"]) == (0, 0)
    assert told["metadata"]["digest"] == {ETAG: etag(b""), "dandi:sha2-256": hashlib.sha256(b"").hexdigest()}
    assert anonymous.get(f"{draft}assets/{asset['asset_id']}/validation/").json()["status"] == "Valid"
    location = anonymous.get(f"assets/{asset['asset_id']}/download/")["Location"]
    assert httpx.get(location, trust_env=False).content == b""
    root = anonymous.get(f"{draft}assets/paths/").json()["results"]
    assert [(row["path"], row["aggregate_files"], row["aggregate_size"]) for row in root] == [("sub-1", 1, 0)]


# --- Asking twice -----------------------------------------------------------------------------------------------------


def test_validate_answers_the_same_when_it_is_asked_again(owner: Api, upload: dict[str, Any]) -> None:
    arrive(owner, upload)
    first, second = validate(owner, upload), validate(owner, upload)
    assert (second.status_code, second.json()) == (200, first.json())


def test_validate_answers_with_the_other_blob_when_the_same_bytes_came_twice(owner: Api, dataset: Dataset) -> None:
    first, second = (owner.post("uploads/initialize/", announcement(dataset)).json() for _ in range(2))
    arrive(owner, first)
    arrive(owner, second)
    validate(owner, first)
    assert validate(owner, second).json()["blob_id"] == first["upload_id"]
    assert Blob.objects.count() == 1


def test_upload_is_refused_with_the_blobs_id_when_the_bytes_are_there(owner: Api, dataset: Dataset) -> None:
    blob = make_blob_row(owner.user, etag=etag(CONTENT))
    response = owner.post("uploads/initialize/", announcement(dataset))
    assert (response.status_code, response.json()) == (409, "Blob already exists.")
    assert response["Location"] == str(blob.pk)
    assert not Upload.objects.exists()


def test_upload_is_not_refused_when_the_bytes_are_somebody_elses_secret(owner: Api, dataset: Dataset) -> None:
    uploader = make_user()
    blob = make_blob_row(uploader, etag=etag(CONTENT))
    make_asset(make_embargoed_dataset(uploader), "secret.nwb", blob=blob)
    response = owner.post("uploads/initialize/", announcement(dataset))
    assert (response.status_code, response.has_header("Location")) == (200, False)


def test_upload_is_shown_on_the_draft_until_it_has_ended(
    owner: Api, dataset: Dataset, draft: str, upload: dict[str, Any]
) -> None:
    during = owner.get(f"{draft}info/").json()["active_uploads"]
    arrive(owner, upload)
    validate(owner, upload)
    after = owner.get(f"dandisets/{dataset.identifier}/").json()["draft_version"]["active_uploads"]
    assert (during, after) == (1, 0)


# --- What is not as announced -----------------------------------------------------------------------------------------


def test_validate_is_refused_when_nothing_has_arrived(owner: Api, upload: dict[str, Any]) -> None:
    response = validate(owner, upload)
    assert (response.status_code, response.json()) == (400, ["Object does not exist."])
    assert Upload.objects.filter(pk=upload["upload_id"]).exists()


def test_validate_is_refused_when_the_parts_are_there_but_not_ended(owner: Api, upload: dict[str, Any]) -> None:
    put_parts(upload, CONTENT)
    assert validate(owner, upload).json() == ["Object does not exist."]


def test_validate_is_refused_when_the_bytes_are_others(owner: Api, upload: dict[str, Any]) -> None:
    other = CONTENT.upper()
    arrive(owner, upload, other)
    response = validate(owner, upload)
    assert (response.status_code, response.json()) == (
        400,
        [f"ETag {etag(CONTENT)} does not match actual ETag {etag(other)}."],
    )
    assert not Blob.objects.exists()


def test_validate_is_refused_when_the_size_is_another(owner: Api, dataset: Dataset) -> None:
    upload = arrived_upload(dataset, owner.user)
    Upload.objects.update(size=17)
    response = owner.post(f"uploads/{upload.pk}/validate/")
    assert (response.status_code, response.json()) == (400, ["Size 17 does not match actual size 16."])
    assert Upload.objects.filter(pk=upload.pk).exists()


@pytest.mark.parametrize(
    "parts",
    [
        [{"part_number": 2, "size": 18, "etag": "x"}],
        [{"part_number": 1, "size": 17, "etag": "x"}],
        [{"part_number": 1, "size": 18, "etag": "x"}, {"part_number": 2, "size": 1, "etag": "x"}],
        [{"part_number": 1, "size": 18, "etag": "x"}, {"part_number": 1, "size": 18, "etag": "x"}],
        [{"part_number": 1, "size": 9, "etag": "x"}, {"part_number": 2, "size": 9, "etag": "x"}],
    ],
)
def test_complete_is_refused_when_the_parts_are_not_those_of_the_upload(
    owner: Api, upload: dict[str, Any], parts: list[Any]
) -> None:
    response = owner.post(f"uploads/{upload['upload_id']}/complete/", {"parts": parts})
    assert (response.status_code, list(response.json())) == (400, ["parts"])


def test_complete_answers_with_the_stores_own_document(owner: Api, upload: dict[str, Any]) -> None:
    parts = [{"part_number": 1, "size": 18, "etag": '"<&x>"'}]
    answer = owner.post(f"uploads/{upload['upload_id']}/complete/", {"parts": parts}).json()
    document = ET.fromstring(answer["body"])  # noqa: S314
    assert set(answer) == {"complete_url", "body"}
    assert document.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}CompleteMultipartUpload"
    assert (document.findtext(".//{*}PartNumber"), document.findtext(".//{*}ETag")) == ("1", '"<&x>"')


# --- Fields -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"contentSize": 0}, "digest"),
        ({"contentSize": -1}, "contentSize"),
        ({"contentSize": 1.5}, "contentSize"),
        ({"contentSize": None}, "contentSize"),
        ({"contentSize": "many"}, "contentSize"),
        ({"contentSize": []}, "contentSize"),
        ({"contentSize": 2**63}, "contentSize"),
        ({"contentSize": 5 * 2**40 + 1}, "contentSize"),
        ({"contentSize": digests.PART_SIZE + 1}, "digest"),
        ({"digest": None}, "digest"),
        ({"digest": "x"}, "digest"),
        ({"digest": []}, "digest"),
        ({"digest": {}}, "digest"),
        ({"digest": {"algorithm": ETAG}}, "digest"),
        ({"digest": {"algorithm": ETAG, "value": ""}}, "digest"),
        ({"digest": {"algorithm": ETAG, "value": "0" * 32}}, "digest"),
        ({"digest": {"algorithm": ETAG, "value": f"{'0' * 32}-2"}}, "digest"),
        ({"digest": {"algorithm": ETAG, "value": f"{'0' * 32}-0"}}, "digest"),
        ({"digest": {"algorithm": ETAG, "value": f"{'G' * 32}-1"}}, "digest"),
        ({"digest": {"algorithm": ETAG, "value": f"{'0' * 32}-١"}}, "digest"),
        ({"dandiset": "1"}, "dandiset"),
        ({"dandiset": None}, "dandiset"),
        ({"dandiset": []}, "dandiset"),
        ({"dandiset": "٠٠٠٠٠١"}, "dandiset"),
        ({"dandiset": "0000001"}, "dandiset"),
    ],
)
def test_upload_is_refused_when_a_field_is_wrong(
    owner: Api, dataset: Dataset, change: dict[str, Any], field: str
) -> None:
    response = owner.post("uploads/initialize/", announcement(dataset, **change))
    assert (response.status_code, list(response.json())) == (400, [field])
    assert not Upload.objects.exists()


def test_upload_is_refused_when_its_digest_is_of_another_kind(owner: Api, dataset: Dataset) -> None:
    body = announcement(dataset, digest={"algorithm": "dandi:sha2-256", "value": "0" * 64})
    response = owner.post("uploads/initialize/", body)
    assert (response.status_code, response.json()) == (400, ["Unsupported Digest Type"])


def test_upload_names_its_dataset_by_text_or_number(owner: Api, dataset: Dataset) -> None:
    body = announcement(dataset, dandiset=dataset.number)
    assert owner.post("uploads/initialize/", body).status_code == 200


@pytest.mark.parametrize(
    "parts",
    [
        None,
        [],
        {},
        "x",
        [1],
        [None],
        [{}],
        [{"part_number": 0, "size": 18, "etag": "x"}],
        [{"part_number": 1, "size": 0, "etag": "x"}],
        [{"part_number": 1, "size": 18, "etag": ""}],
        [{"part_number": 1, "size": 18, "etag": None}],
        [{"part_number": "x", "size": "y", "etag": []}],
        [{"part_number": 2**63, "size": 2**63, "etag": "x"}],
        [{"part_number": 1, "size": 18, "etag": "x"}] * 10_001,
    ],
)
def test_complete_is_refused_when_a_field_is_wrong(owner: Api, upload: dict[str, Any], parts: Any) -> None:
    response = owner.post(f"uploads/{upload['upload_id']}/complete/", {"parts": parts})
    assert (response.status_code, list(response.json())) == (400, ["parts"])


# --- Whose ------------------------------------------------------------------------------------------------------------


def test_upload_is_refused_for_a_dataset_that_cannot_be_seen(stranger: Api, dataset: Dataset, embargoed: None) -> None:
    response = stranger.post("uploads/initialize/", announcement(dataset))
    assert (response.status_code, response.json()) == (404, shapes.NOT_FOUND)


def test_upload_is_refused_for_a_strangers_dataset(stranger: Api, dataset: Dataset) -> None:
    response = stranger.post("uploads/initialize/", announcement(dataset))
    assert (response.status_code, response.json()) == (403, "Action not allowed")


def test_upload_is_refused_while_the_dataset_is_being_released(owner: Api, dataset: Dataset, embargoed: None) -> None:
    start_release(dataset)
    response = owner.post("uploads/initialize/", announcement(dataset))
    assert (response.status_code, response.json()) == (400, "Dandiset modification not allowed during unembargo")


@pytest.mark.parametrize("verb", ["complete", "validate"])
def test_upload_of_another_owner_of_the_dataset_is_not_found(db: None, verb: str) -> None:
    first, second = Api(make_user()), Api(make_user())
    dataset = make_dataset(first.user)
    first.put(
        f"dandisets/{dataset.identifier}/users/",
        [{"username": first.user.username}, {"username": second.user.username}],
    )
    upload = first.post("uploads/initialize/", announcement(dataset)).json()
    parts = [{"part_number": 1, "size": 18, "etag": "x"}]
    response = second.post(f"uploads/{upload['upload_id']}/{verb}/", {"parts": parts})
    assert (response.status_code, response.json()) == (404, shapes.NOT_FOUND)


@pytest.mark.parametrize("verb", ["complete", "validate"])
def test_upload_is_not_found_when_there_is_none(owner: Api, verb: str) -> None:
    response = owner.post(f"uploads/{uuid4()}/{verb}/", {"parts": []})
    assert (response.status_code, response.json()) == (404, shapes.NOT_FOUND)
