"""The end of embargoes by the clock: owners are told, each time once, and nothing is released before they were."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from archive.accounts.policy import SYSTEM
from archive.blobs.services import start_upload
from archive.datasets.models import Dataset, Version
from archive.datasets.services import Embargo
from archive.embargo.models import EmbargoNotice
from archive.embargo.tasks import watch_embargoes_task
from archive.embargo.work import begin_release
from archive.publishing.services import publish
from archive.timeline.models import Change
from archive.timeline.queries import changes
from tests.factories import make_embargoed_dataset, owner_of
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def days_from_now(days: int) -> date:
    return datetime.now(UTC).date() + timedelta(days=days)


def ending_in(days: int) -> Dataset:
    """An embargoed dataset whose embargo ends, or has ended, so many days from now."""
    dataset = make_embargoed_dataset()
    Dataset.objects.filter(pk=dataset.pk).update(embargo_end=days_from_now(days))
    dataset.refresh_from_db()
    return dataset


def told(dataset: Dataset, *, hours_ago: int) -> None:
    """The owners of the dataset were told of its end, so long ago."""
    notice = EmbargoNotice.objects.create(dataset=dataset, end=dataset.embargo_end, days=1)
    EmbargoNotice.objects.filter(pk=notice.pk).update(sent=timezone.now() - timedelta(hours=hours_ago))


def watch(worker: Worker) -> None:
    watch_embargoes_task()
    worker.run()


@pytest.mark.parametrize(
    ("days", "notices"),
    [(31, []), (30, [30]), (8, [30]), (7, [7]), (2, [7]), (1, [1]), (0, [1]), (-400, [1])],
)
def test_owners_are_told_when_the_end_is_near(worker: Worker, days: int, notices: list[int]) -> None:
    dataset = ending_in(days)
    watch(worker)
    assert list(dataset.embargo_notices.values_list("days", flat=True)) == notices
    assert [letter.to for letter in mail.outbox] == [[owner_of(dataset).email] for _ in notices]


def test_owners_are_told_once_of_each_notice(worker: Worker) -> None:
    dataset = ending_in(30)
    watch(worker)
    watch(worker)
    assert len(mail.outbox) == 1
    Dataset.objects.filter(pk=dataset.pk).update(embargo_end=days_from_now(7))
    watch(worker)
    assert len(mail.outbox) == 2


def test_notice_says_what_and_when(worker: Worker) -> None:
    dataset = ending_in(7)
    watch(worker)
    [letter] = mail.outbox
    assert letter.subject == f"DANDI: dataset {dataset.identifier} is embargoed until {days_from_now(7).isoformat()}"
    assert f"/dandiset/{dataset.identifier}/draft" in letter.body
    assert "everybody will be able to read it" in letter.body
    assert "its versions" not in letter.body


def test_notice_says_that_versions_and_history_are_opened_too(worker: Worker) -> None:
    dataset = ending_in(7)
    for label in ("1.0.0", "1.1.0"):
        publish(actor=owner_of(dataset), dataset=dataset, label=label, rules=Version.Rules.BIDS)
        worker.run()
    watch(worker)
    [letter] = mail.outbox
    assert "its versions (1.0.0, 1.1.0) and all that was in it before will be public" in letter.body
    assert f"/api/dandisets/{dataset.identifier}/unembargo/" in letter.body


def test_notice_says_that_nothing_happens_by_itself_when_it_does_not(worker: Worker, settings: Any) -> None:
    settings.EMBARGO_RELEASE_AT_END = False
    ending_in(7)
    watch(worker)
    assert "until one of its owners releases it" in mail.outbox[0].body


def test_nobody_is_told_of_what_is_released(worker: Worker) -> None:
    dataset = ending_in(7)
    begin_release(dataset.number, SYSTEM)
    worker.run()
    mail.outbox.clear()
    watch(worker)
    assert mail.outbox == []


def test_dataset_is_released_after_its_last_day(worker: Worker) -> None:
    dataset = ending_in(-1)
    told(dataset, hours_ago=25)
    watch(worker)
    dataset.refresh_from_db()
    assert dataset.access == Dataset.Access.OPEN
    assert changes(dataset.number).get(kind=Change.Kind.RELEASE).author_name == "the archive"
    assert [letter.subject for letter in mail.outbox] == [f"DANDI: dataset {dataset.identifier} is released"]


@pytest.mark.parametrize(("days", "hours"), [(0, 25), (1, 25), (-1, 23)])
def test_dataset_is_not_released_on_its_last_day_nor_soon_after_its_owners_were_told(
    worker: Worker, days: int, hours: int
) -> None:
    dataset = ending_in(days)
    told(dataset, hours_ago=hours)
    watch(worker)
    dataset.refresh_from_db()
    assert dataset.access == Dataset.Access.EMBARGOED


def test_dataset_is_not_released_because_owners_were_told_of_another_end(worker: Worker) -> None:
    dataset = ending_in(-5)
    told(dataset, hours_ago=48)
    Dataset.objects.filter(pk=dataset.pk).update(embargo_end=days_from_now(-1))
    watch(worker)
    dataset.refresh_from_db()
    assert dataset.access == Dataset.Access.EMBARGOED


def test_dataset_is_not_released_by_the_clock_when_that_is_switched_off(worker: Worker, settings: Any) -> None:
    settings.EMBARGO_RELEASE_AT_END = False
    dataset = ending_in(-1)
    told(dataset, hours_ago=25)
    watch(worker)
    dataset.refresh_from_db()
    assert dataset.access == Dataset.Access.EMBARGOED


def test_uploads_that_nobody_ends_do_not_put_the_release_off(worker: Worker) -> None:
    dataset = make_embargoed_dataset(embargo=Embargo(end=days_from_now(0)))
    start_upload(actor=owner_of(dataset), dataset=dataset, size=1, etag=f"{'0' * 32}-1")
    Dataset.objects.filter(pk=dataset.pk).update(embargo_end=days_from_now(-1))
    dataset.refresh_from_db()
    told(dataset, hours_ago=25)
    watch(worker)
    dataset.refresh_from_db()
    assert dataset.access == Dataset.Access.OPEN
