"""The arithmetic of dandi-etags, held against dandischema's and the store's own (docs/dialects/dandi.md#dandi-etag)."""

import hashlib
from io import BytesIO
from uuid import uuid4

import pytest
from dandischema.digests.dandietag import DandiETag, PartGenerator
from hypothesis import given
from hypothesis import strategies as st

from archive.digests import ETAG_PATTERN, MAX_OBJECT_SIZE, MAX_PARTS, MIB, PART_SIZE, Part, etag_of_file, parts_of
from archive.storage.queries import bucket as bucket_name
from archive.storage.queries import client, find

sizes = st.integers(1, MAX_OBJECT_SIZE) | st.integers(-3, 3).map(lambda more: MAX_PARTS * PART_SIZE + more)


def test_parts_are_64_mib_and_a_rest() -> None:
    assert parts_of(1) == [Part(1, 1)]
    assert parts_of(PART_SIZE) == [Part(1, PART_SIZE)]
    assert parts_of(2 * PART_SIZE + 1) == [Part(1, PART_SIZE), Part(2, PART_SIZE), Part(3, 1)]


@given(sizes)
def test_parts_make_up_the_size_within_the_stores_limits(size: int) -> None:
    parts = parts_of(size)
    assert sum(part.size for part in parts) == size
    assert [part.number for part in parts] == list(range(1, len(parts) + 1))
    assert len(parts) <= MAX_PARTS
    assert {part.size for part in parts[:-1]} <= {parts[0].size}
    assert all(5 * MIB <= part.size <= 5 * 1024 * MIB for part in parts[:-1])


@given(sizes)
def test_parts_are_those_of_dandischema(size: int) -> None:
    theirs = PartGenerator.for_file_size(size)
    assert len(parts_of(size)) == theirs.part_qty
    assert parts_of(size)[0].size == theirs[1].size
    assert parts_of(size)[-1].size == theirs[theirs.part_qty].size


@pytest.mark.parametrize("size", [1, 1000, PART_SIZE, PART_SIZE + 1])
def test_etag_is_that_of_dandischema(size: int) -> None:
    content = hashlib.shake_128(b"some bytes").digest(size)
    theirs = DandiETag(file_size=size)
    for part in theirs._part_gen:
        theirs.update(content[part.offset : part.offset + part.size])
    assert etag_of_file(BytesIO(content), size) == theirs.as_str()


def test_etag_has_its_pattern() -> None:
    assert ETAG_PATTERN.fullmatch(etag_of_file(BytesIO(b"content"), 7))


def test_etag_begins_where_the_file_stands() -> None:
    file = BytesIO(b"before content")
    file.seek(7)
    assert etag_of_file(file, 7) == etag_of_file(BytesIO(b"content"), 7)


def test_etag_is_what_the_store_says_of_a_multipart_upload(bucket: str) -> None:
    key, content = f"digests/{uuid4()}", bytes(PART_SIZE) + b"and a rest"
    upload = client().create_multipart_upload(Bucket=bucket_name(), Key=key)["UploadId"]
    first, second = (
        client().upload_part(Bucket=bucket, Key=key, UploadId=upload, PartNumber=number, Body=body)["ETag"]
        for number, body in [(1, content[:PART_SIZE]), (2, content[PART_SIZE:])]
    )
    listed = {"Parts": [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]}
    client().complete_multipart_upload(Bucket=bucket, Key=key, UploadId=upload, MultipartUpload=listed)
    stored = find(key)
    assert stored
    assert stored.size == len(content)
    assert stored.etag == etag_of_file(BytesIO(content), len(content))
