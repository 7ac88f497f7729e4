"""The page for whoever runs the archive."""

import pytest

from archive.assets.models import Asset
from archive.blobs.services import start_upload
from archive.datasets.models import Dataset, Version
from archive.fixity.models import ContentCheck
from archive.monitor.models import ReportedTask
from archive.timeline.models import Job, Projection
from tests.dandiapi.web.browser import Browser
from tests.dandiapi.web.queries import at_most
from tests.factories import make_asset, make_blob, make_staff, owner_of

ADDRESS = "/dashboard/archive/"


@pytest.fixture
def staff(db: None) -> Browser:
    return Browser(make_staff())


@pytest.mark.parametrize(
    ("name", "status"),
    [("anonymous", 302), ("waiting", 403), ("stranger", 403), ("owner", 403), ("staff", 200), ("admin", 200)],
)
def test_page_is_for_staff(request: pytest.FixtureRequest, name: str, status: int) -> None:
    browser: Browser = request.getfixturevalue(name)
    assert browser.open(ADDRESS).status_code == status


def test_page_says_what_fails(staff: Browser, version: Version) -> None:
    Projection.objects.filter(name="access").update(state="failing", reason="The store is full.")
    Job.objects.filter(kind="publish").update(state="failed", reason="It was not done by its deadline.")
    Version.objects.filter(pk=version.pk).update(doi_state="failed", doi_reason="DataCite refuses it.")
    page = staff.read(ADDRESS)
    assert "The store is full." in page
    assert "It was not done by its deadline." in page
    assert "DataCite refuses it." in page


def test_page_says_which_files_are_invalid(staff: Browser, dataset: Dataset) -> None:
    make_asset(dataset, "sub-1/wrong.nwb")
    Asset.objects.update(status=Asset.Status.INVALID, problems=[{"field": "digest", "message": "is missing"}])
    page = staff.read(ADDRESS)
    assert "sub-1/wrong.nwb" in page
    assert "digest: is missing" in page


def test_page_tells_staff_nothing_of_files_that_they_may_not_read(
    staff: Browser, admin: Browser, embargoed: Dataset
) -> None:
    make_asset(embargoed, "sub-1/secret.nwb")
    Asset.objects.update(status=Asset.Status.INVALID, problems=[{"field": "digest", "message": "is missing"}])
    assert ["secret.nwb" in browser.read(ADDRESS) for browser in (staff, admin)] == [False, True]


def test_page_says_which_content_is_damaged_and_which_tasks_failed(staff: Browser, version: Version) -> None:
    ContentCheck.objects.create(version=version, remote="s3-PUBLIC", files_changed=0, count=1234)
    ReportedTask.objects.create(pk="7", name="fsck", worker="w-1", error="The disk is full.")
    page = staff.read(ADDRESS)
    assert "1,234" in page
    assert "s3-PUBLIC" in page
    assert "The disk is full." in page


def test_page_holds_uploads_against_the_store(staff: Browser, dataset: Dataset) -> None:
    start_upload(actor=owner_of(dataset), dataset=dataset, size=5, etag=f"{'0' * 32}-1")
    assert "nothing whole" in staff.read(ADDRESS)


def test_page_counts_garbage(staff: Browser, dataset: Dataset) -> None:
    make_blob(dataset)
    assert "<dt>blobs, 0 bytes</dt><dd>0</dd>" in staff.read(ADDRESS)


def test_page_asks_few_queries_however_much_there_is(staff: Browser, dataset: Dataset) -> None:
    for number in range(15):
        make_asset(dataset, f"{number}.nwb")
        start_upload(actor=owner_of(dataset), dataset=dataset, size=5, etag=f"{number:032}-1")
    Asset.objects.update(status=Asset.Status.INVALID)
    with at_most(14):
        staff.read(ADDRESS)
