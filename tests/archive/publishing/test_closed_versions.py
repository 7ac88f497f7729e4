"""Versions that their owners close to all but those inside their datasets."""

from typing import Any

import httpx
import pytest

from archive.accounts.policy import ANONYMOUS
from archive.datasets.queries import find_version, latest_of, page_of_versions
from archive.errors import ForbiddenError, InvalidError, NotFoundError
from archive.publishing import work
from archive.publishing.queries import MANIFESTS, manifest_url
from archive.publishing.services import rewrite_manifests, set_version_access
from tests.factories import (
    acting,
    make_dataset,
    make_published_version,
    make_user,
    make_valid_dataset,
    make_viewer,
    owner_of,
)
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def test_closed_version_is_there_for_those_inside_alone(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    version = make_published_version(worker, dataset)
    viewer = acting(make_viewer(dataset))
    closed = set_version_access(actor=owner_of(dataset), version=version, is_closed=True)
    assert closed.is_closed
    for actor in (ANONYMOUS, acting(make_user())):
        with pytest.raises(NotFoundError):
            find_version(actor, dataset.number, version.version)
        assert [one.version for one in page_of_versions(actor, dataset, limit=9)] == ["draft"]
    for actor in (owner_of(dataset), viewer):
        assert find_version(actor, dataset.number, version.version) == version
        assert len(page_of_versions(actor, dataset, limit=9)) == 2
    assert latest_of(ANONYMOUS, dataset).published is None
    set_version_access(actor=owner_of(dataset), version=closed, is_closed=False)
    assert find_version(ANONYMOUS, dataset.number, version.version) == version


def test_manifests_of_a_version_that_is_closed_while_they_are_written_are_closed(
    worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_valid_dataset(worker)
    version = make_published_version(worker, dataset)
    honest = work.write_manifests

    def closed_meanwhile(*arguments: Any) -> None:
        set_version_access(actor=owner_of(dataset), version=version, is_closed=True)
        honest(*arguments)

    monkeypatch.setattr(work, "write_manifests", closed_meanwhile)
    rewrite_manifests(version=version)
    worker.run()
    addresses = [manifest_url(version, name) for name in MANIFESTS]
    assert [httpx.get(address).status_code for address in addresses] == [403] * len(MANIFESTS)


def test_version_is_closed_by_owners_alone(worker: Worker) -> None:
    dataset = make_valid_dataset(worker)
    version = make_published_version(worker, dataset)
    for user in (make_user(), make_viewer(dataset)):
        with pytest.raises(ForbiddenError):
            set_version_access(actor=acting(user), version=version, is_closed=True)


def test_draft_cannot_be_closed_by_itself() -> None:
    dataset = make_dataset()
    with pytest.raises(InvalidError, match="done to a version, and not to the draft"):
        set_version_access(actor=owner_of(dataset), version=dataset.versions.get(), is_closed=True)
