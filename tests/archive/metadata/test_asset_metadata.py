"""The computed metadata of assets (docs/dialects/dandi.md#asset-metadata)."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from archive.metadata.documents import (
    AssetFacts,
    asset_metadata,
    blob_digest,
    publish_activity,
    strip_asset_metadata,
    zarr_digest,
)

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_asset_metadata_says_what_the_archive_knows(asset_facts: AssetFacts, submitted_asset: dict[str, Any]) -> None:
    assert asset_metadata(asset_facts) == {
        **submitted_asset,
        "@context": "https://raw.githubusercontent.com/dandi/schema/master/releases/0.8.0/context.json",
        "id": "dandiasset:0b1f0b1e-3b3b-4b3b-8b3b-0b1f0b1e3b3b",
        "identifier": "0b1f0b1e-3b3b-4b3b-8b3b-0b1f0b1e3b3b",
        "path": "sub-001/sub-001_ecephys.nwb",
        "access": [{"schemaKey": "AccessRequirements", "status": "dandi:OpenAccess"}],
        "contentUrl": [
            "http://127.0.0.1:8000/api/assets/0b1f0b1e-3b3b-4b3b-8b3b-0b1f0b1e3b3b/download/",
            "https://bucket.s3.us-east-1.amazonaws.com/blobs/abc/def/abcdef",
        ],
        "contentSize": 12345,
        "digest": {"dandi:dandi-etag": f"{'d' * 32}-1", "dandi:sha2-256": "a" * 64},
    }


def test_asset_metadata_names_who_published_it_once_published(asset_facts: AssetFacts) -> None:
    activity = publish_activity(MOMENT)
    computed = asset_metadata(replace(asset_facts, published_by=activity))
    assert computed["publishedBy"] == activity
    assert computed["datePublished"] == "2026-01-02T03:04:05+00:00"


def test_asset_metadata_has_the_format_of_zarr_whatever_was_submitted(asset_facts: AssetFacts) -> None:
    computed = asset_metadata(replace(asset_facts, is_zarr=True, digest=zarr_digest(None)))
    assert computed["encodingFormat"] == "application/x-zarr"
    assert computed["digest"] == {"dandi:dandi-zarr-checksum": None}


def test_asset_metadata_says_until_when_only_while_embargoed(asset_facts: AssetFacts) -> None:
    embargoed = replace(asset_facts, access="EMBARGOED", embargoed_until=date(2027, 1, 2))
    assert asset_metadata(embargoed)["access"] == [
        {"schemaKey": "AccessRequirements", "status": "dandi:EmbargoedAccess", "embargoedUntil": "2027-01-02"}
    ]
    assert "embargoedUntil" not in asset_metadata(replace(embargoed, access="OPEN"))["access"][0]


def test_strip_takes_off_what_was_computed(asset_facts: AssetFacts, submitted_asset: dict[str, Any]) -> None:
    published = asset_metadata(replace(asset_facts, published_by=publish_activity(MOMENT)))
    assert strip_asset_metadata(published) == submitted_asset


def test_digest_of_a_file_lacks_its_sha256_until_it_is_known() -> None:
    assert blob_digest(etag="e-1", sha256=None) == {"dandi:dandi-etag": "e-1"}


def test_publish_activity_is_done_by_this_software() -> None:
    activity = publish_activity(MOMENT)
    (software,) = activity.pop("wasAssociatedWith")
    assert activity.pop("id") != software.pop("id")
    assert activity == {
        "schemaKey": "PublishActivity",
        "name": "DANDI publish",
        "startDate": "2026-01-02T03:04:05+00:00",
        "endDate": "2026-01-02T03:04:05+00:00",
    }
    assert software == {
        "schemaKey": "Software",
        "identifier": "RRID:ABC_123456",
        "name": "DANDI API",
        "version": "0.1.0",
    }
