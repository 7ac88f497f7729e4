"""The computed metadata of versions (docs/dialects/dandi.md#version-metadata)."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.metadata.documents import (
    VersionFacts,
    candidate_version_metadata,
    funder,
    publish_activity,
    published_version_metadata,
    strip_version_metadata,
    version_metadata,
)
from archive.metadata.problems import validate_version

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab@", max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text("ab@", max_size=5), children, max_size=3),
    max_leaves=5,
)
access_items = st.dictionaries(st.sampled_from(["schemaKey", "status", "embargoedUntil", "description"]), json_values)
version_documents = st.dictionaries(
    st.sampled_from(["schemaVersion", "contributor", "access", "name", "url", "doi", "@context", "lab"]),
    json_values | st.lists(access_items | json_values, max_size=3),
)


def test_version_metadata_says_what_the_archive_knows(version_facts: VersionFacts) -> None:
    computed = version_metadata(version_facts)
    assert {key: value for key, value in computed.items() if version_facts.submitted.get(key) != value} == {
        "@context": "https://raw.githubusercontent.com/dandi/schema/master/releases/0.8.0/context.json",
        "manifestLocation": ["http://127.0.0.1:8000/api/dandisets/000123/versions/draft/assets/"],
        "name": "Mouse vision.",
        "identifier": "DANDI:000123",
        "version": "draft",
        "id": "DANDI:000123/draft",
        "repository": "http://127.0.0.1:8000",
        "url": "http://127.0.0.1:8000/dandiset/000123/draft",
        "dateCreated": "2025-01-01T00:00:00+00:00",
        "access": [{"schemaKey": "AccessRequirements", "status": "dandi:OpenAccess"}],
        "assetsSummary": {"schemaKey": "AssetsSummary", "numberOfBytes": 0, "numberOfFiles": 0},
        "citation": "Doe, Jane (2026) Mouse vision (Version draft) [Data set]. DANDI Archive. "
        "http://127.0.0.1:8000/dandiset/000123/draft",
    }


def test_version_metadata_keeps_what_the_owner_says(version_facts: VersionFacts) -> None:
    assert version_facts.submitted.items() <= version_metadata(version_facts).items()


def test_version_metadata_cites_the_doi_when_there_is_one(version_facts: VersionFacts) -> None:
    computed = version_metadata(replace(version_facts, doi="10.80507/dandi.000123/0.260102.0304"))
    assert computed["doi"] == "10.80507/dandi.000123/0.260102.0304"
    assert computed["citation"].endswith("DANDI Archive. https://doi.org/10.80507/dandi.000123/0.260102.0304")


def test_citation_starts_with_the_name_when_nobody_is_to_be_cited(version_facts: VersionFacts) -> None:
    submitted = {**version_facts.submitted, "contributor": [funder("NIH", "R01")]}
    computed = version_metadata(replace(version_facts, submitted=submitted))
    assert computed["citation"].startswith("Mouse vision (2026). (Version draft) [Data set]. DANDI Archive. http")


@pytest.mark.parametrize("access", ["EMBARGOED", "UNEMBARGOING"])
def test_access_is_embargoed_until_its_release_is_done(version_facts: VersionFacts, access: str) -> None:
    submitted = {**version_facts.submitted, "access": [{"status": "dandi:OpenAccess", "description": "Ask us."}]}
    facts = replace(version_facts, access=access, embargoed_until=date(2027, 1, 2), submitted=submitted)
    assert version_metadata(facts)["access"] == [
        {
            "schemaKey": "AccessRequirements",
            "status": "dandi:EmbargoedAccess",
            "embargoedUntil": "2027-01-02",
            "description": "Ask us.",
        }
    ]


@given(version_documents)
def test_strip_takes_off_what_was_computed_whatever_was_submitted(submitted: dict[str, Any]) -> None:
    facts = VersionFacts(
        number=1,
        version="draft",
        name="",
        submitted=submitted,
        created=MOMENT,
        access="OPEN",
        manifest_urls=[],
        now=MOMENT,
    )
    published = published_version_metadata(facts, published_by=publish_activity(MOMENT), release_notes="First.")
    assert strip_version_metadata(published) == strip_version_metadata(submitted)


def test_published_version_says_when_by_what_and_why(version_facts: VersionFacts) -> None:
    activity = publish_activity(MOMENT)
    published = published_version_metadata(version_facts, published_by=activity, release_notes="First.")
    assert published["publishedBy"] == activity
    assert published["datePublished"] == "2026-01-02T03:04:05.000006+00:00"
    assert published["releaseNotes"] == "First."


def test_published_version_is_valid(version_facts: VersionFacts) -> None:
    facts = replace(
        version_facts,
        version="0.260102.0304",
        doi="10.80507/dandi.000123/0.260102.0304",
        summary={"schemaKey": "AssetsSummary", "numberOfBytes": 12345, "numberOfFiles": 1},
    )
    assert validate_version(published_version_metadata(facts, published_by=publish_activity(MOMENT))) == []


def test_candidate_version_takes_the_place_of_the_next_one(version_facts: VersionFacts) -> None:
    candidate = candidate_version_metadata(version_facts, holds_bytes=True)
    assert candidate["id"] == "DANDI:000123/0.260102.0304"
    assert candidate["url"] == "http://127.0.0.1:8000/dandiset/000123/0.260102.0304"
    assert candidate["doi"] == "10.80507/dandi.123456/0.123456.1234"
    assert candidate["assetsSummary"] == {"schemaKey": "AssetsSummary", "numberOfBytes": 1, "numberOfFiles": 1}
