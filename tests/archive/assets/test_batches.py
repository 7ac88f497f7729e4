"""Batches: many files as one change, once, or not at all; and all files of a draft listed at once."""

from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from archive.accounts.policy import ANONYMOUS
from archive.assets.queries import Filter, files_of, live_assets, page_of_brief_assets
from archive.assets.services import BatchFile, take_batch
from archive.datasets.models import Dataset
from archive.datasets.queries import find_draft, find_version
from archive.errors import ConflictError, ForbiddenError, InvalidError
from archive.timeline.models import Change
from tests.factories import (
    acting,
    attachable_row,
    make_asset,
    make_blob_row,
    make_dataset,
    make_embargoed_dataset,
    make_user,
    owner_of,
)

pytestmark = pytest.mark.django_db


def files(dataset: Dataset, *paths: str) -> list[BatchFile]:
    return [BatchFile(path, blob_id=attachable_row(dataset).pk) for path in paths]


def paths_of(dataset: Dataset) -> list[str]:
    return sorted(live_assets(dataset).values_list("path", flat=True))


def batches_of(dataset: Dataset) -> int:
    return Change.objects.filter(dataset_id=dataset.number, kind=Change.Kind.CHANGE_ASSETS).count()


def test_batch_puts_replaces_and_removes_as_one_change() -> None:
    dataset = make_dataset()
    for path in ("a.nwb", "b.nwb"):
        make_asset(dataset, path, keywords=["kept"])
    change = take_batch(
        actor=owner_of(dataset), dataset=dataset, put=files(dataset, "b.nwb", "sub/c.nwb"), remove=["a.nwb"]
    )
    assert paths_of(dataset) == ["b.nwb", "sub/c.nwb"]
    assert batches_of(dataset) == 1
    assert (change.details["added"], change.details["replaced"], change.details["removed"]) == (2, 1, 2)
    replaced = live_assets(dataset).get(path="b.nwb").metadata
    assert (replaced["keywords"], replaced["encodingFormat"]) == (["kept"], "application/x-nwb")


def test_batch_takes_bytes_by_their_digest() -> None:
    dataset = make_dataset()
    blob = attachable_row(dataset)
    take_batch(actor=owner_of(dataset), dataset=dataset, put=[BatchFile("a.txt", sha256=str(blob.sha256).upper())])
    assert live_assets(dataset).get().blob == blob


def test_batch_of_two_thousand_files_is_taken_once_when_it_is_sent_twice() -> None:
    dataset = make_dataset()
    blob = attachable_row(dataset)
    put = [BatchFile(f"sub-{number % 50}/{number}.nwb", blob_id=blob.pk) for number in range(2000)]
    owner = owner_of(dataset)
    first = take_batch(actor=owner, dataset=dataset, put=put, key="upload-1")
    again = take_batch(actor=owner, dataset=dataset, put=list(reversed(put)), key="upload-1")
    assert first == again
    assert batches_of(dataset) == 1
    draft = find_draft(dataset.number)
    assert draft is not None
    assert draft.file_count == 2000


def test_batch_of_another_content_is_refused_by_a_key_that_was_used() -> None:
    dataset = make_dataset()
    owner = owner_of(dataset)
    take_batch(actor=owner, dataset=dataset, put=files(dataset, "a.nwb"), key="1")
    with pytest.raises(ConflictError, match="The key is that of another batch"):
        take_batch(actor=owner, dataset=dataset, put=files(dataset, "b.nwb"), key="1")
    other = make_dataset(owner.user)
    take_batch(actor=owner, dataset=other, put=files(other, "b.nwb"), key="1")
    assert (paths_of(dataset), paths_of(other)) == (["a.nwb"], ["b.nwb"])


def test_batch_is_refused_as_a_whole_by_the_names_of_what_is_wrong() -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb")
    owner = owner_of(dataset)
    before = paths_of(dataset)
    [good] = files(dataset, "good.nwb")
    hidden = make_embargoed_dataset()
    secret = make_blob_row(owner_of(hidden).user)  # type: ignore[arg-type]
    make_asset(hidden, "secret.nwb", blob=secret)
    cases = {
        "no verified bytes to be had for: missing.nwb": [good, BatchFile("missing.nwb", blob_id=uuid4())],
        "no verified bytes to be had for: secret.nwb": [good, BatchFile("secret.nwb", sha256=str(secret.sha256))],
        "may be in a batch once: good.nwb": [good, good],
        "Exactly one of blob_id or sha256": [good, BatchFile("both.nwb")],
        "a.nwb": [good, *files(dataset, "a.nwb/inside.nwb")],
        "not allowed as a name": [good, *files(dataset, "../outside.nwb")],
    }
    for reason, put in cases.items():
        with pytest.raises((InvalidError, ConflictError), match=reason):
            take_batch(actor=owner, dataset=dataset, put=put, key="1")
    with pytest.raises(InvalidError, match="no asset to remove at: gone.nwb"):
        take_batch(actor=owner, dataset=dataset, put=[good], remove=["gone.nwb"], key="1")
    with pytest.raises(InvalidError, match="1 to 10000 files"):
        take_batch(actor=owner, dataset=dataset, key="1")
    assert paths_of(dataset) == before
    assert batches_of(dataset) == 0


def test_batch_is_for_those_who_may_change_the_draft() -> None:
    dataset = make_dataset()
    with pytest.raises(ForbiddenError):
        take_batch(actor=acting(make_user()), dataset=dataset, remove=["a.nwb"])


def test_draft_of_ten_thousand_files_is_listed_in_one_query() -> None:
    dataset = make_dataset()
    blob = attachable_row(dataset)
    put = [BatchFile(f"sub-{number % 100:02}/{number:05}.nwb", blob_id=blob.pk) for number in range(10_000)]
    take_batch(actor=owner_of(dataset), dataset=dataset, put=put)
    draft = find_version(ANONYMOUS, dataset.number, "draft")
    with CaptureQueriesContext(
        connection,
    ) as queries:
        listed = [file.path for file in files_of(draft)]
    assert listed == sorted(file.path for file in put)
    assert len(queries) <= 1
    with CaptureQueriesContext(connection) as queries:
        page_of_brief_assets(draft, Filter(), order="path", offset=9000, limit=1000)
    assert len(queries) == 1
