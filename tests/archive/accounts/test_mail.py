"""Mail: written in a transaction, sent after it, and tried again while the mail server is away."""

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from archive.accounts import work
from archive.accounts.services import write_mail
from archive.timeline.models import Job
from tests.worker import Worker

pytestmark = pytest.mark.django_db


def write(key: str = "occasion", to: tuple[str, ...] = ("a@example.org", "b@example.org")) -> None:
    write_mail(key=key, to=to, subject="News", text="There is news.")


def test_mail_is_sent_to_all_at_once(worker: Worker) -> None:
    write()
    worker.run()
    [letter] = mail.outbox
    assert (letter.to, letter.subject, letter.body) == (["a@example.org", "b@example.org"], "News", "There is news.")


def test_mail_to_nobody_is_not_written(worker: Worker) -> None:
    write(to=())
    assert not Job.objects.exists()


def test_mail_of_a_transaction_that_fails_is_not_sent(worker: Worker) -> None:
    with transaction.atomic():
        write()
        transaction.set_rollback(True)
    worker.run()
    assert mail.outbox == []


def test_mail_about_one_occasion_waits_only_once(worker: Worker) -> None:
    write()
    write()
    worker.run()
    assert len(mail.outbox) == 1


def test_mail_is_sent_when_the_mail_server_is_back(worker: Worker, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise ConnectionRefusedError

    write()
    with monkeypatch.context() as away:
        away.setattr(work, "send_mail", refuse)
        worker.run()
    job = Job.objects.get()
    assert (job.state, job.ended, mail.outbox) == (Job.State.QUEUED, None, [])
    assert job.reason.startswith("The mail was not sent")
    Job.objects.update(next_attempt=timezone.now() - timedelta(seconds=1))
    worker.run()
    assert len(mail.outbox) == 1
