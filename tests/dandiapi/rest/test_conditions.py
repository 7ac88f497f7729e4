"""ETag, If-None-Match and If-Match."""

from typing import Any

import pytest

from archive.assets.models import Asset
from archive.assets.services import remove_asset
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import edition_of
from archive.datasets.services import update_draft
from archive.errors import StaleError
from archive.timeline.queries import position
from tests.dandiapi.rest.api import Api
from tests.factories import make_asset, make_dataset, owner_of, valid_dandiset_metadata
from tests.threads import threads
from tests.worker import Worker

STALE = "The metadata have been changed since you read them: read them again, and then edit those."


def named(name: str) -> dict[str, Any]:
    return {"name": name, "metadata": valid_dandiset_metadata()}


@pytest.fixture
def addresses(draft: str, asset: Asset) -> list[str]:
    """Everything that has an ETag of its own."""
    return [
        draft,
        f"{draft}info/",
        f"{draft}assets/{asset.asset_id}/",
        f"{draft}assets/{asset.asset_id}/info/",
        f"assets/{asset.asset_id}/",
        f"assets/{asset.asset_id}/info/",
    ]


# --- Reading ----------------------------------------------------------------------------------------------------------


def test_reading_again_is_answered_with_nothing_when_nothing_has_changed(anonymous: Api, addresses: list[str]) -> None:
    for address in addresses:
        etag = anonymous.get(address)["ETag"]
        again = anonymous.get(address, headers={"If-None-Match": etag})
        assert (address, again.status_code, again.content, again["ETag"]) == (address, 304, b"", etag)


@pytest.mark.parametrize("header", ['"x"', "", "nonsense", 'W/"0.0"'])
def test_reading_is_answered_in_full_when_the_client_has_something_else(
    anonymous: Api, draft: str, header: str
) -> None:
    assert anonymous.get(draft, headers={"If-None-Match": header}).status_code == 200


def test_tag_is_weak_when_the_answer_is_compressed_and_still_known(anonymous: Api, draft: str) -> None:
    first = anonymous.get(draft, headers={"Accept-Encoding": "gzip"})
    assert first["ETag"].startswith('W/"')
    assert anonymous.get(draft, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_tag_is_another_when_anything_in_the_answer_is(
    anonymous: Api, dataset: Dataset, draft: str, worker: Worker
) -> None:
    before = anonymous.get(draft)["ETag"]
    make_asset(dataset, "a.nwb")
    worker.run()
    assert anonymous.get(draft)["ETag"] != before


def test_tag_is_told_to_pages_of_other_origins(anonymous: Api, draft: str) -> None:
    response = anonymous.get(draft, headers={"Origin": "https://elsewhere.example.net"})
    assert "etag" in response["Access-Control-Expose-Headers"]


# --- Metadata ---------------------------------------------------------------------------------------------------------


def test_metadata_are_written_when_they_are_as_they_were_read(owner: Api, draft: str) -> None:
    etag = owner.get(draft)["ETag"]
    response = owner.put(draft, named("First"), headers={"If-Match": etag})
    assert (response.status_code, response.json()["name"]) == (200, "First")


def test_metadata_are_not_overwritten_when_somebody_was_faster(owner: Api, draft: str, dataset: Dataset) -> None:
    etag = owner.get(draft)["ETag"]
    owner.put(draft, named("Faster"), headers={"If-Match": etag})
    before = position(dataset.number)
    response = owner.put(draft, named("Slower"), headers={"If-Match": etag})
    assert (response.status_code, response.json()) == (412, STALE)
    assert (position(dataset.number), owner.get(f"{draft}info/").json()["name"]) == (before, "Faster")


def test_answer_to_a_write_has_the_tag_for_the_next(owner: Api, draft: str) -> None:
    etag = owner.put(draft, named("First"))["ETag"]
    assert owner.put(draft, named("Second"), headers={"If-Match": etag}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"If-Match": "*"}, {"If-Match": ""}])
def test_metadata_are_written_when_nothing_is_expected(owner: Api, draft: str, headers: dict[str, str]) -> None:
    owner.put(draft, named("First"))
    assert owner.put(draft, named("Second"), headers=headers).status_code == 200


@pytest.mark.parametrize("header", ["nonsense", '"x"', '"0.0"', 'W/""'])
def test_metadata_are_not_written_when_something_unknown_is_expected(owner: Api, draft: str, header: str) -> None:
    assert owner.put(draft, named("First"), headers={"If-Match": header}).status_code == 412


def test_one_of_several_tags_is_enough(owner: Api, draft: str) -> None:
    etag = owner.get(draft)["ETag"]
    assert owner.put(draft, named("First"), headers={"If-Match": f'"0.0", W/{etag}'}).status_code == 200


def test_edit_is_not_disturbed_by_what_the_archive_computes(
    owner: Api, dataset: Dataset, draft: str, worker: Worker
) -> None:
    etag = owner.get(f"{draft}info/")["ETag"]
    make_asset(dataset, "a.nwb")
    worker.run()
    assert owner.get(f"{draft}info/")["ETag"] != etag
    assert owner.put(draft, named("First"), headers={"If-Match": etag}).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_one_edit_wins_when_many_are_made_of_the_same_edition() -> None:
    dataset = make_dataset()
    actor, edition = owner_of(dataset), edition_of(dataset.versions.get())
    names = [f"Name {number}" for number in range(6)]
    with threads(6) as start:
        edits = [
            start(
                update_draft,
                actor=actor,
                dataset=dataset,
                name=name,
                metadata=valid_dandiset_metadata(),
                editions=[edition],
            )
            for name in names
        ]
    stale = [edit for edit in edits if isinstance(edit.exception(), StaleError)]
    assert len(stale) == 5
    assert dataset.versions.get(version=Version.DRAFT).name in names
    assert position(dataset.number) == 2


# --- Assets -----------------------------------------------------------------------------------------------------------


def test_asset_is_replaced_and_removed_when_it_is_as_it_was_read(
    owner: Api, draft: str, asset: Asset, asset_body: dict[str, Any]
) -> None:
    address = f"{draft}assets/{asset.asset_id}/"
    asset_body["metadata"]["keywords"] = ["x"]
    replaced = owner.put(address, asset_body, headers={"If-Match": owner.get(address)["ETag"]})
    assert replaced.status_code == 200
    address = f"{draft}assets/{replaced.json()['asset_id']}/"
    assert owner.delete(address, headers={"If-Match": replaced["ETag"]}).status_code == 204


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_asset_is_left_alone_when_somebody_was_faster(
    owner: Api, draft: str, asset: Asset, asset_body: dict[str, Any], method: str
) -> None:
    address = f"{draft}assets/{asset.asset_id}/"
    etag = owner.get(address)["ETag"]
    remove_asset(actor=owner_of(asset.dataset), dataset=asset.dataset, asset_id=asset.asset_id)
    response = owner.send(method, address, asset_body, headers={"If-Match": etag})
    assert (response.status_code, response.json()) == (412, "It has been replaced or removed since you read it.")
    assert owner.send(method, address, asset_body).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_asset_is_left_alone_when_another_is_expected(
    owner: Api, draft: str, asset: Asset, asset_body: dict[str, Any], method: str
) -> None:
    address = f"{draft}assets/{asset.asset_id}/"
    assert owner.send(method, address, asset_body, headers={"If-Match": f'"{"0" * 32}.0"'}).status_code == 412


def test_condition_tells_nothing_to_who_may_not_write(
    stranger: Api, draft: str, asset: Asset, asset_body: dict[str, Any]
) -> None:
    for address in (draft, f"{draft}assets/{asset.asset_id}/"):
        response = stranger.put(address, {**asset_body, "name": "x"}, headers={"If-Match": '"0.0"'})
        assert response.status_code == 403
