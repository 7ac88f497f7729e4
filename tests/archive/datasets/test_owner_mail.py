"""People are told when they become owners, and when they are owners no longer (docs/dialects/dandi.md#approval)."""

from typing import Any

import pytest

from archive.datasets.models import Dataset
from archive.datasets.services import set_owners
from tests.factories import make_dataset, make_user, owner_of
from tests.worker import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def dataset() -> Dataset:
    return make_dataset()


def test_owner_who_is_added_and_owner_who_is_removed_are_told(
    dataset: Dataset, worker: Worker, mailoutbox: list[Any]
) -> None:
    before, after = owner_of(dataset), make_user()
    set_owners(actor=before, dataset=dataset, usernames=[after.username])
    worker.run()
    assert {(mail.subject, *mail.to) for mail in mailoutbox} == {
        ("DANDI: you are now an owner of dataset 000001", after.email),
        ("DANDI: you are no longer an owner of dataset 000001", before.email),
    }
    assert all("Jane Doe has" in mail.body and "/dandiset/000001" in mail.body for mail in mailoutbox)


def test_owner_who_stays_is_not_told(dataset: Dataset, worker: Worker, mailoutbox: list[Any]) -> None:
    owner = owner_of(dataset)
    assert owner.user
    set_owners(actor=owner, dataset=dataset, usernames=[owner.user.username])
    worker.run()
    assert mailoutbox == []
