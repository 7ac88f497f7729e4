"""What a page says of cloning: the command that a shell takes, and the commit that is got by it."""

import pytest
from django.conf import settings

from archive.datasets.models import Version
from archive.publishing.services import publish
from archive.snapshots.queries import references, serverless_clone_url
from archive.snapshots.services import repository_of
from tests.dandiapi.web.browser import Browser
from tests.factories import make_asset, make_dataset, make_published_version, make_valid_dataset, owner_of
from tests.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def version(worker: Worker) -> Version:
    """A published version."""
    return make_published_version(worker, make_valid_dataset(worker))


def test_page_quotes_a_label_that_a_shell_would_not_take_for_a_name(anonymous: Browser, writer: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset, "a.nwb")
    writer.run()
    publish(actor=owner_of(dataset), dataset=dataset, label="$(date)", rules=Version.Rules.BIDS)
    writer.run()
    version = dataset.versions.exclude(at=None).get()
    assert "git clone --branch &#x27;$(date)&#x27; http" in anonymous.read(f"/dandiset/{version}")


def test_version_page_says_how_it_is_cloned(anonymous: Browser, version: Version, writer: Worker) -> None:
    writer.run()
    repository = repository_of(version.dataset)
    commit = references(repository)[f"refs/tags/{version.version}"]
    page = anonymous.read(f"/dandiset/{version}")
    address = f"{settings.ARCHIVE_URL}/git/{version.dataset.identifier}"
    assert f"git clone --branch {version.version} {address}<" in page
    assert commit[:12] in page
    assert f"git clone --branch main annex::{serverless_clone_url(version.dataset)}<" in page
    assert f"git clone {address}<" in anonymous.read(f"/dandiset/{version.dataset.identifier}/draft")
