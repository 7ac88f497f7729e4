"""Mail is not lost, and not sent twice."""

import smtplib
from typing import Any

import pytest
from django.conf import LazySettings
from django.core.mail.backends.base import BaseEmailBackend

from archive.accounts.models import User
from archive.accounts.tasks import remind_of_pending_users_task
from archive.accounts.work import queue_mail
from archive.timeline.models import Job
from archive.timeline.services import make_jobs_due
from embedded.home import PROJECT
from tests.factories import make_admin, make_unapproved_user, make_user
from tests.worker import Worker

pytestmark = pytest.mark.django_db

TEMPLATES = sorted({mail.stem for mail in (PROJECT / "dandiapi/web/templates/mail").glob("*.txt")} - {"base"})


class Away(BaseEmailBackend):
    """A mail server that does not answer."""

    error: Exception = ConnectionRefusedError("refused")

    def send_messages(self, messages: Any) -> int:
        raise self.error


@pytest.fixture
def away(settings: LazySettings) -> type[Away]:
    settings.EMAIL_BACKEND = "tests.archive.accounts.test_mail.Away"
    return Away


def mail() -> Job:
    return Job.objects.get(kind="mail")


def test_mail_waits_until_the_server_is_back(
    away: type[Away], settings: LazySettings, worker: Worker, mailoutbox: list[Any]
) -> None:
    queue_mail("approved", to=["jane@example.org"], person=make_user())
    worker.run()
    assert (mail().state, mail().reason) == ("queued", "The mail server is away: refused")
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    make_jobs_due([mail().pk])
    worker.run()
    assert (mail().state, [sent.to for sent in mailoutbox]) == ("succeeded", [["jane@example.org"]])


@pytest.mark.parametrize(("code", "state"), [(550, "failed"), (450, "queued")])
def test_mail_ends_when_nobody_is_there_for_good(
    away: type[Away], worker: Worker, monkeypatch: pytest.MonkeyPatch, code: int, state: str
) -> None:
    monkeypatch.setattr(away, "error", smtplib.SMTPRecipientsRefused({"jane@example.org": (code, b"no")}))
    queue_mail("approved", to=["jane@example.org"], person=make_user())
    worker.run()
    assert (mail().state, bool(mail().reason)) == (state, True)


def test_mail_to_nobody_is_not_sent() -> None:
    queue_mail("approved", to=["", ""], person=make_user())
    assert not Job.objects.exists()


def test_mail_takes_names_as_text_and_no_header_from_them(worker: Worker, mailoutbox: list[Any]) -> None:
    person = make_user(first_name="<b>&\nBcc: evil@example.org", last_name="O'Hara")
    queue_mail("review", to=["jane@example.org"], person=person)
    worker.run()
    [sent] = mailoutbox
    assert (sent.to, sent.bcc, "\n" in sent.subject) == (["jane@example.org"], [], False)
    assert "<b>&\nBcc: evil@example.org O'Hara" in sent.body


@pytest.mark.parametrize("template", TEMPLATES)
def test_mail_is_plain_text_with_a_subject(worker: Worker, mailoutbox: list[Any], template: str) -> None:
    person = make_user()
    facts = {"author": "Ada", "identifier": "000001", "people": [person], "count": 1, "reason": "No."}
    queue_mail(template, to=["jane@example.org"], person=person, **facts)
    worker.run()
    [sent] = mailoutbox
    assert sent.subject.startswith("DANDI: ")
    assert [mark for mark in ("{{", "{%", "&#", "\n\n\n") if mark in sent.body] == []
    assert sent.body.endswith("-- \nThe DANDI archive, http://127.0.0.1:8000\n")


def test_administrators_are_reminded_of_who_waits(worker: Worker, mailoutbox: list[Any]) -> None:
    admin = make_admin()
    waiting = make_unapproved_user()
    make_unapproved_user(User.Status.INCOMPLETE)
    User.objects.filter(pk=make_unapproved_user().pk).update(is_active=False)
    remind_of_pending_users_task()
    worker.run()
    [sent] = mailoutbox
    assert (sent.subject, sent.to) == ("DANDI: 1 user to review", [admin.email])
    assert sent.body.count("/dashboard/user/") == 1
    assert waiting.email in sent.body


def test_administrators_are_not_reminded_of_nobody(worker: Worker, mailoutbox: list[Any]) -> None:
    make_admin()
    remind_of_pending_users_task()
    worker.run()
    assert mailoutbox == []
