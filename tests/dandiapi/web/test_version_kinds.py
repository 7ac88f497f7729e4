"""What the page of a version says that DANDI would not have published, or that not everybody may read."""

import pytest

from archive.datasets.models import Dataset, Version
from archive.datasets.services import update_draft
from archive.publishing.services import publish, set_version_access
from tests.dandiapi.web.browser import Browser
from tests.factories import make_asset, make_dataset, make_embargoed_dataset, owner_of
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def make_version(worker: Worker, dataset: Dataset) -> Version:
    """The version 1.0.0 of a draft in whatever state that is."""
    job = publish(actor=owner_of(dataset), dataset=dataset, label="1.0.0", rules=Version.Rules.BIDS)
    worker.run()
    return dataset.versions.select_related("dataset").get(pk=job.subject)


def test_version_with_problems_is_not_said_to_be_published(anonymous: Browser, worker: Worker) -> None:
    dataset = make_dataset()
    update_draft(actor=owner_of(dataset), dataset=dataset, name="Mouse vision", metadata={"license": ["none"]})
    version = make_version(worker, dataset)
    page = anonymous.read(f"/dandiset/{dataset.identifier}/1.0.0")
    assert "Version with problems" in page
    assert "can be cited" not in page
    assert f"{version.version} (1.0.0)" in page


def test_version_that_is_closed_is_said_to_be_and_absent_to_others(anonymous: Browser, worker: Worker) -> None:
    dataset = make_dataset()
    make_asset(dataset)
    worker.run()
    version = make_version(worker, dataset)
    assert "Published" in anonymous.read(f"/dandiset/{version}")
    set_version_access(actor=owner_of(dataset), version=version, is_closed=True)
    assert anonymous.open(f"/dandiset/{version}").status_code == 404


def test_version_of_a_closed_dataset_is_said_to_be_closed(worker: Worker) -> None:
    dataset = make_embargoed_dataset()
    version = make_version(worker, dataset)
    owner = owner_of(dataset).user
    assert owner
    assert "Closed version" in Browser(owner).read(f"/dandiset/{version}")
