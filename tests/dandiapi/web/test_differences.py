"""The page of what differs between two versions."""

import re
from html import unescape

from archive.assets.queries import assets_of
from archive.assets.services import replace_asset
from archive.datasets.models import Dataset, Version
from archive.datasets.services import update_draft
from tests.dandiapi.web.browser import Browser
from tests.factories import make_asset, make_published_version, owner_of, valid_dandiset_metadata
from tests.worker import Worker

EVIL = "<script>alert(1)</script>"


def test_page_shows_files_and_metadata_that_differ(anonymous: Browser, version: Version) -> None:
    make_asset(version.dataset, "new.nwb")
    metadata = {**valid_dandiset_metadata(), "description": EVIL}
    update_draft(actor=owner_of(version.dataset), dataset=version.dataset, name="Other", metadata=metadata)
    page = anonymous.read(f"/dandiset/{version}/diff/draft")
    assert "new.nwb" in page
    assert "Description" in page
    assert "What a mouse saw." in page
    assert EVIL not in page


def test_page_says_in_words_which_entries_differ_and_how(anonymous: Browser, version: Version) -> None:
    metadata = valid_dandiset_metadata()
    metadata["contributor"][0]["email"] = "other@example.org"
    metadata["relatedResource"] = [{"schemaKey": "Resource", "url": "https://example.org", "name": "The paper"}]
    update_draft(actor=owner_of(version.dataset), dataset=version.dataset, name="Mouse vision", metadata=metadata)
    page = unescape(anonymous.read(f"/dandiset/{version}/diff/draft"))
    shown = ["Contributor › Doe, Jane › Email", "Related resource", "Url: https://example.org, Name: The paper"]
    assert [words for words in shown if words not in page] == []
    assert [mark for mark in ("/contributor", "/relatedResource", "schemaKey", '{"') if mark in page] == []


def test_page_says_of_which_entries_a_files_metadata_differ(
    anonymous: Browser, version: Version, worker: Worker
) -> None:
    [asset] = assets_of(version).filter(path="z.nwb")
    metadata = {**asset.metadata, "encodingFormat": "text/plain", "keywords": ["odd"]}
    replace_asset(
        actor=owner_of(version.dataset),
        dataset=version.dataset,
        asset_id=asset.asset_id,
        metadata={**metadata, "path": asset.path},
        blob_id=asset.blob_id,
    )
    page = unescape(anonymous.read(f"/dandiset/{version}/diff/draft"))
    assert "metadata: Encoding format, Keywords" in page


def test_page_says_when_nothing_differs(anonymous: Browser, version: Version) -> None:
    assert "Nothing differs." in anonymous.read(f"/dandiset/{version}/diff/draft/")


def test_lists_of_versions_lead_from_the_older_to_the_newer(
    anonymous: Browser, version: Version, worker: Worker
) -> None:
    make_asset(version.dataset, "new.nwb")
    worker.run()
    newer = make_published_version(worker, version.dataset)
    address = f"/dandiset/{version.dataset.identifier}"
    links = {shown: _compare_links(anonymous.read(f"{address}/{shown}")) for shown in (str(version.version), "draft")}
    assert links == {
        version.version: [
            f"{address}/{version.version}/diff/draft",
            f"{address}/{version.version}/diff/{newer.version}",
        ],
        "draft": [f"{address}/{newer.version}/diff/draft", f"{address}/{version.version}/diff/draft"],
    }


def _compare_links(page: str) -> list[str]:
    return re.findall(r'href="([^"]*/diff/[^"]*)"', page)


def test_page_is_as_absent_as_an_embargoed_dataset(stranger: Browser, embargoed: Dataset) -> None:
    assert stranger.open(f"/dandiset/{embargoed.identifier}/draft/diff/draft").status_code == 404


def test_page_of_a_version_that_is_not_there_is_none(anonymous: Browser, version: Version) -> None:
    assert anonymous.open(f"/dandiset/{version}/diff/0.000000.0000").status_code == 404


def test_page_ignores_a_change_that_there_is_not(anonymous: Browser, version: Version) -> None:
    make_asset(version.dataset, "new.nwb")
    assert "new.nwb" in anonymous.read(f"/dandiset/{version}/diff/draft?change=nonsense")


def test_publisher_is_offered_a_draft_of_the_release_notes(owner: Browser, version: Version, worker: Worker) -> None:
    make_asset(version.dataset, "new.nwb")
    worker.run()
    assert "Added 1 file (1 byte):\n- new.nwb" in owner.read(f"/dandiset/{version.dataset.identifier}/draft")
