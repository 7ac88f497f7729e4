"""The page of a version."""

import re
from typing import Any, NamedTuple

import pytest
from django.conf import settings

from archive.accounts.models import User
from archive.accounts.queries import owners_of
from archive.assets.queries import assets_of
from archive.datasets.models import Dataset, Version
from archive.datasets.services import set_owners, update_draft
from archive.errors import BusyError
from dandiapi.web.state import STATES
from tests.dandiapi.web.browser import Browser
from tests.dandiapi.web.queries import at_most
from tests.factories import (
    acting,
    make_asset,
    make_blob,
    make_dataset,
    make_nameless_user,
    make_published_version,
    make_user,
    make_valid_dataset,
    owner_of,
    valid_dandiset_metadata,
)
from tests.worker import MadeOnce, Worker

EVIL = "<script>alert(1)</script>"


class Made(NamedTuple):
    """The owner, and of the owner's: a dataset that can be published, and a published version of another."""

    person: User
    valid: int
    version: int


def make_rows(worker: Worker) -> Made:
    person = make_user(first_name="Olivia", last_name="Owner")
    valid, published = (
        make_valid_dataset(worker, person, paths=("sub-1/a.nwb", "sub-1/b.nwb", "z.nwb")) for _ in range(2)
    )
    return Made(person, valid.pk, make_published_version(worker, published).pk)


@pytest.fixture(scope="module", autouse=True)
def made(made_once: MadeOnce[Made]) -> Made:
    return made_once(make_rows)


@pytest.fixture
def owner(db: None, made: Made) -> Browser:
    return Browser(made.person)


@pytest.fixture
def valid(db: None, made: Made) -> Dataset:
    """The owner's dataset that can be published, with two files in a folder and one beside it."""
    return Dataset.objects.get(pk=made.valid)


@pytest.fixture
def version(db: None, made: Made) -> Version:
    """The only published version of another such dataset."""
    return Version.objects.select_related("dataset").get(pk=made.version)


def describe(dataset: Dataset, **metadata: Any) -> None:
    """Give the draft other metadata."""
    complete = {**valid_dandiset_metadata(), **metadata}
    update_draft(actor=owner_of(dataset), dataset=dataset, name="Mouse vision", metadata=complete)


def test_dataset_page_shows_the_draft_when_nothing_is_published(anonymous: Browser, valid: Dataset) -> None:
    assert "Valid draft" in anonymous.read(f"/dandiset/{valid.identifier}/")


def test_dataset_page_shows_the_newest_published_version(anonymous: Browser, worker: Worker, version: Version) -> None:
    make_asset(version.dataset, "new.nwb")
    worker.run()
    newer = make_published_version(worker, version.dataset)
    page = anonymous.read(f"/dandiset/{version.dataset.identifier}")
    assert f'<li aria-current="page">{newer.version}</li>' in page


def test_version_page_says_what_the_version_is(anonymous: Browser, version: Version) -> None:
    page = anonymous.read(f"/dandiset/{version}")
    shown = [
        "Mouse vision",
        "What a mouse saw.",
        "Doe, Jane",
        "Olivia Owner",
        "https://spdx.org/licenses/CC-BY-4.0.html",
        f"https://doi.org/{version.doi}",
        version.metadata["citation"],
        f"dandi download {settings.ARCHIVE_URL}<wbr>/dandiset/{version}",
        "Published",
    ]
    assert [text for text in shown if text not in page] == []


@pytest.mark.parametrize("slash", ["", "/"])
def test_address_in_the_metadata_is_that_of_the_page(anonymous: Browser, version: Version, slash: str) -> None:
    path = "/" + version.metadata["url"].split("/", 3)[3]
    assert version.version in anonymous.read(path + slash)


def test_older_version_leads_to_the_newest(anonymous: Browser, worker: Worker, version: Version) -> None:
    make_asset(version.dataset, "new.nwb")
    worker.run()
    newer = make_published_version(worker, version.dataset)
    assert "This is an older version." in anonymous.read(f"/dandiset/{version}")
    assert "This is an older version." not in anonymous.read(f"/dandiset/{newer}")


def test_draft_of_a_published_dataset_leads_to_the_newest(anonymous: Browser, version: Version) -> None:
    assert "This is the draft, which may change." in anonymous.read(f"/dandiset/{version.dataset.identifier}/draft")


@pytest.mark.parametrize("name", ["0.260101.1200", "draft/x", "0.1", "Draft"])
def test_version_that_does_not_exist_is_not_found(anonymous: Browser, dataset: Dataset, name: str) -> None:
    assert anonymous.open(f"/dandiset/{dataset.identifier}/{name}").status_code == 404


def test_authors_have_their_orcid(anonymous: Browser, dataset: Dataset) -> None:
    [person] = valid_dandiset_metadata()["contributor"]
    describe(dataset, contributor=[{**person, "identifier": "0000-0002-1825-0097"}])
    assert 'href="https://orcid.org/0000-0002-1825-0097"' in anonymous.read(f"/dandiset/{dataset.identifier}")


def test_summary_of_the_files_is_shown(anonymous: Browser, worker: Worker, dataset: Dataset) -> None:
    species = {"schemaKey": "SpeciesType", "identifier": "http://purl.org/mouse", "name": "House mouse"}
    subject = {"schemaKey": "Participant", "identifier": "M1", "species": species}
    make_asset(dataset, "a.nwb", wasAttributedTo=[subject])
    worker.run()
    page = anonymous.read(f"/dandiset/{dataset.identifier}")
    assert '<a href="http://purl.org/mouse" rel="nofollow noopener">House mouse</a>' in page


@pytest.mark.parametrize("value", [None, 5, "x", [], [5], [None], ["x"], {}, [{}], [{"name": 5}], [{"name": [1]}]])
@pytest.mark.parametrize("field", ["contributor", "license", "keywords", "relatedResource", "description", "access"])
def test_metadata_of_any_shape_is_shown_as_far_as_it_can_be_read(
    anonymous: Browser, dataset: Dataset, field: str, value: Any
) -> None:
    describe(dataset, **{field: value})
    assert "Mouse vision" in anonymous.read(f"/dandiset/{dataset.identifier}")


@pytest.mark.parametrize("summary", [None, 5, [], {"species": 5, "numberOfSubjects": "x"}, {"species": [{"name": 5}]}])
def test_summary_of_any_shape_is_shown_as_far_as_it_can_be_read(
    anonymous: Browser, dataset: Dataset, summary: Any
) -> None:
    draft = dataset.versions.get()
    draft.metadata["assetsSummary"] = summary
    draft.save()
    assert "Mouse vision" in anonymous.read(f"/dandiset/{dataset.identifier}")


def test_what_people_wrote_is_no_html(anonymous: Browser, worker: Worker, dataset: Dataset) -> None:
    person = {"name": EVIL, "roleName": [EVIL], "email": EVIL, "identifier": "javascript:alert(1)", "url": "data:x"}
    describe(
        dataset,
        description=f"{EVIL} <img src=x onerror=alert(1)> [x](javascript:alert(1))",
        keywords=[EVIL],
        license=[EVIL, "javascript:alert(1)"],
        contributor=[person, {**person, "includeInCitation": True}],
        relatedResource=[{"name": EVIL, "url": "javascript:alert(1)"}],
    )
    worker.run()
    page = anonymous.read(f"/dandiset/{dataset.identifier}")
    assert re.findall(r"<script|<img|(?:href|src)=[\"']?(?:javascript|data)", page) == []


def test_links_of_people_pass_nothing_on(anonymous: Browser, dataset: Dataset) -> None:
    describe(dataset, description="[x](https://example.org/a)", relatedResource=[{"url": "https://example.org/b"}])
    page = anonymous.read(f"/dandiset/{dataset.identifier}")
    links = re.findall(r"<a [^>]*https://example.org/[^>]*>", page)
    assert [link for link in links if 'rel="nofollow noopener"' not in link] == []
    assert len(links) == 2


def test_owner_without_a_name_is_not_shown_by_address(anonymous: Browser) -> None:
    nameless = make_nameless_user()
    dataset = make_dataset()
    set_owners(actor=owner_of(dataset), dataset=dataset, usernames=[nameless.username])
    assert nameless.email not in anonymous.read(f"/dandiset/{dataset.identifier}")


# --- State ------------------------------------------------------------------------------------------------------------


def test_problems_of_metadata_and_files_are_shown(anonymous: Browser, worker: Worker, dataset: Dataset) -> None:
    describe(dataset, license=[])
    make_asset(dataset, "odd.nwb", encodingFormat=5)
    worker.run()
    page = anonymous.read(f"/dandiset/{dataset.identifier}/draft")
    assert ("Draft with problems" in page, "odd.nwb</code> · <strong>Encoding format" in page) == (True, True)


def test_state_of_a_draft_is_that_of_its_files_too(owner: Browser, worker: Worker, valid: Dataset) -> None:
    address = f"/dandiset/{valid.identifier}/draft"
    assert _words_of_state(owner.read(address)) == {"Valid draft", "Publish this draft"}
    make_asset(valid, "odd.nwb", encodingFormat=5)
    assert _words_of_state(owner.read(address)) == {"Draft, being checked"}
    worker.run()
    assert valid.versions.get().status == Version.Status.VALID
    assert _words_of_state(owner.read(address)) == {"Draft with problems", "1 problem"}


def _words_of_state(page: str) -> set[str]:
    """What a page says that depends on whether the draft is valid."""
    words = [
        *(state.label for state in STATES.values()),
        "Publish this draft",
        *re.findall(r"\d+ problems?(?= )", page),
    ]
    return {word for word in words if word in page}


def test_state_of_an_embargoed_draft_is_told_and_why_it_cannot_be_published(
    owner: Browser, worker: Worker, embargoed: Dataset
) -> None:
    make_asset(embargoed, "a.nwb")
    worker.run()
    page = owner.read(f"/dandiset/{embargoed.identifier}/draft")
    assert ("Valid draft" in page, "released to everybody" in page, "OPEN" in page) == (True, True, False)


def test_problems_that_have_no_room_are_counted(anonymous: Browser, worker: Worker, dataset: Dataset) -> None:
    draft = dataset.versions.get()
    draft.status = Version.Status.INVALID
    draft.problems = [{"field": f"f{number}", "message": "wrong"} for number in range(150)]
    draft.save()
    page = anonymous.read(f"/dandiset/{dataset.identifier}/draft")
    assert ("150 problems" in page, "These are the first 100." in page, "f100" in page) == (True, True, False)


def test_reason_is_given_when_the_draft_cannot_be_published(owner: Browser, dataset: Dataset) -> None:
    page = owner.read(f"/dandiset/{dataset.identifier}/draft")
    assert "are still to be checked" in page
    assert "Publish this draft" not in page


def test_publishing_makes_a_version(owner: Browser, worker: Worker, valid: Dataset) -> None:
    response = owner.send(f"/dandiset/{valid.identifier}/publish", release_notes=" First of all. ")
    assert response["Location"] == f"/dandiset/{valid.identifier}/draft"
    assert "Draft, being published" in owner.read(response["Location"])
    worker.run()
    version = valid.versions.get(at__isnull=False)
    assert version.release_notes == "First of all."
    assert "First of all." in owner.read(f"/dandiset/{version}")


def test_publishing_is_refused_on_a_page_when_nothing_has_changed(owner: Browser, version: Version) -> None:
    response = owner.send(f"/dandiset/{version.dataset.identifier}/publish")
    assert response.status_code == 400
    assert "There have been no changes" in response.content.decode()


def test_star_is_given_and_taken_back(stranger: Browser, dataset: Dataset) -> None:
    address = f"/dandiset/{dataset.identifier}/star"
    for starred, count in [("yes", 1), ("yes", 1), ("no", 0), ("no", 0)]:
        assert stranger.send(address, starred=starred).status_code == 302
        dataset.refresh_from_db()
        assert dataset.star_count == count


@pytest.mark.parametrize("page", ["", "/draft"])
def test_star_returns_to_the_page_that_was_looked_at(stranger: Browser, version: Version, page: str) -> None:
    address = f"/dandiset/{version.dataset.identifier}"
    place = f"{address}{page}"
    assert f'name="next" value="{place}"' in stranger.read(place)
    assert stranger.send(f"{address}/star", starred="yes", next=place)["Location"] == place


@pytest.mark.parametrize("elsewhere", ["", "https://evil.example.org/", "//evil.example.org", "javascript:alert(1)"])
def test_star_returns_to_the_dataset_when_told_to_go_elsewhere(
    stranger: Browser, dataset: Dataset, elsewhere: str
) -> None:
    address = f"/dandiset/{dataset.identifier}"
    assert stranger.send(f"{address}/star", starred="yes", next=elsewhere)["Location"] == address


def test_star_button_does_the_opposite(stranger: Browser, dataset: Dataset) -> None:
    address = f"/dandiset/{dataset.identifier}"
    assert 'name="starred" value="yes"' in stranger.read(address)
    stranger.send(f"{address}/star", starred="yes")
    assert 'name="starred" value="no"' in stranger.read(address)


# --- README -----------------------------------------------------------------------------------------------------------


def add_file(dataset: Dataset, path: str, content: bytes) -> None:
    make_asset(dataset, path, blob=make_blob(dataset, content), encodingFormat="text/plain")


def test_readme_is_shown(anonymous: Browser, dataset: Dataset) -> None:
    add_file(dataset, "README.md", b"# How to read it\n\nWith *care*.")
    page = anonymous.read(f"/dandiset/{dataset.identifier}")
    assert ("<h3>How to read it</h3>" in page, "<em>care</em>" in page) == (True, True)


def test_readme_that_is_empty_leaves_its_page_as_it_is(anonymous: Browser, dataset: Dataset) -> None:
    add_file(dataset, "README.md", b"")
    assert "README.md" in anonymous.read(f"/dandiset/{dataset.identifier}")


def test_readme_leads_to_the_files_of_its_own_version_and_shows_its_pictures(
    anonymous: Browser, worker: Worker, dataset: Dataset
) -> None:
    add_file(dataset, "README.md", b"[Code](code/run.py), [all](code), ![A mouse](pics/a%20mouse.png)")
    add_file(dataset, "code/run.py", b"print()")
    add_file(dataset, "pics/a mouse.png", b"PNG")
    worker.run()
    version = make_published_version(worker, dataset)
    files = f"/dandiset/{version}/files"
    page = anonymous.read(f"/dandiset/{version}")
    picture = f"{files}/pics/a%20mouse.png"
    assert f'<img src="{picture}" alt="A mouse">' in page
    addresses = [f"{files}/code/run.py", picture, f"{files}/code"]
    assert [address for address in addresses if f'="{address}"' not in page] == []
    [code, mouse] = [asset.asset_id for asset in assets_of(version).filter(path__contains="/").order_by("path")]
    assert [anonymous.open(address)["Location"] for address in addresses] == [
        f"/api/assets/{code}/download/",
        f"/api/assets/{mouse}/download/",
        f"{files}?location=code",
    ]


def test_file_of_an_embargoed_dataset_is_as_absent_as_one_that_is_not_there(
    stranger: Browser, owner: Browser, embargoed: Dataset
) -> None:
    add_file(embargoed, "a.txt", b"Secret.")
    address = f"/dandiset/{embargoed.identifier}/draft/files"
    assert [stranger.open(f"{address}/{name}").status_code for name in ("a.txt", "b.txt")] == [404, 404]
    assert [owner.open(f"{address}/{name}").status_code for name in ("a.txt", "b.txt", "a.txt/c")] == [302, 404, 404]


def test_readme_of_each_version_is_its_own(anonymous: Browser, worker: Worker, dataset: Dataset) -> None:
    add_file(dataset, "README", b"Before.")
    worker.run()
    version = make_published_version(worker, dataset)
    add_file(dataset, "README.md", b"After.")
    assert "Before." in anonymous.read(f"/dandiset/{version}")
    assert "After." in anonymous.read(f"/dandiset/{dataset.identifier}/draft")


def test_readme_in_a_folder_is_not_shown(anonymous: Browser, dataset: Dataset) -> None:
    add_file(dataset, "code/README.md", b"Of the code.")
    assert "Of the code." not in anonymous.read(f"/dandiset/{dataset.identifier}")


def test_readme_is_read_no_further_than_100_kb(anonymous: Browser, dataset: Dataset) -> None:
    add_file(dataset, "README.md", b"word " * 20_000 + b"beyond")
    page = anonymous.read(f"/dandiset/{dataset.identifier}")
    assert (page.count("word "), "beyond" in page) == (19_999, False)


def test_readme_that_is_no_text_does_no_harm(anonymous: Browser, dataset: Dataset) -> None:
    add_file(dataset, "README.md", bytes(range(256)) * 10)
    assert "README.md" in anonymous.read(f"/dandiset/{dataset.identifier}")


def test_readme_is_left_out_when_the_object_store_is_away(
    anonymous: Browser, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any) -> bytes:
        raise BusyError("away")

    add_file(dataset, "README.md", b"Not to be had.")
    monkeypatch.setattr("archive.assets.queries.read_start", away)
    assert "Mouse vision" in anonymous.read(f"/dandiset/{dataset.identifier}")


# --- Cost -------------------------------------------------------------------------------------------------------------


def test_version_page_asks_few_queries_however_much_there_is(owner: Browser, worker: Worker, version: Version) -> None:
    dataset = version.dataset
    for number in range(5):
        make_asset(dataset, f"{number}.nwb", encodingFormat=number)
        set_owner(dataset)
    worker.run()
    with at_most(18):
        owner.read(f"/dandiset/{dataset.identifier}/draft")


def set_owner(dataset: Dataset) -> None:
    """One more owner."""
    usernames = [person.username for person in [*owners_of(dataset.number), make_user()]]
    set_owners(actor=acting(owners_of(dataset.number)[0]), dataset=dataset, usernames=usernames)


def test_version_page_says_that_its_repository_lies_behind(anonymous: Browser, valid: Dataset) -> None:
    make_asset(valid, "new.nwb")
    assert "being written" in anonymous.read(f"/dandiset/{valid.identifier}/draft")


def test_cheap_page_shows_no_more_of_long_metadata_than_can_be_read(anonymous: Browser, dataset: Dataset) -> None:
    person = {
        "schemaKey": "Person",
        "name": "Doe, Jane",
        "roleName": ["dcite:Author"] * 1000,
        "includeInCitation": True,
    }
    place = {"schemaKey": "Affiliation", "name": "A university"}
    describe(
        dataset,
        keywords=[f"keyword {number}" for number in range(20_000)],
        contributor=[{**person, "affiliation": [place] * 100}] * 300,
        license=["spdx:CC0-1.0"] * 1000,
        relatedResource=[{"url": f"https://example.org/{'x' * 2000}"}] * 1000,
        description="|a" * 1250 + "\n" + "|-" * 1250 + "\n" + "|\n" * 2500,
    )
    page = anonymous.read(f"/dandiset/{dataset.identifier}/draft")
    assert len(page) < 2_000_000
    assert ("keyword 199<" in page, "keyword 200<" in page) == (True, False)
    assert "There is more in them than this page shows." in page


def test_page_shows_all_of_usual_metadata(anonymous: Browser, version: Version) -> None:
    assert "There is more in them than this page shows." not in anonymous.read(f"/dandiset/{version}")
