"""Mail: sent as jobs, so that none is lost while the mail server is away, and no request waits for it."""

import smtplib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from archive.errors import BusyError, InvalidError
from archive.timeline.services import start_job
from archive.timeline.work.jobs import RunningJob, job_handler

MAIL_JOB = "mail"
RETRY_SECONDS = 60


def queue_mail(template: str, *, to: Sequence[str], **facts: Any) -> None:
    """Send a mail by a job, after the caller's transaction is committed. People without an address get none.

    The text is the template `mail/<template>.txt`, which a face has, with `facts`; its first line is the subject.
    """
    recipients = [address for address in dict.fromkeys(to) if address]
    if not recipients:
        return
    known = {"archive": settings.ARCHIVE_INSTANCE_NAME, "address": settings.ARCHIVE_URL}
    subject, _, body = render_to_string(f"mail/{template}.txt", {**known, **facts}).strip().partition("\n")
    mail = {"to": recipients, "subject": " ".join(subject.split()), "body": f"{body.strip()}\n"}
    start_job(MAIL_JOB, subject=str(uuid4()), arguments=mail)


@job_handler(MAIL_JOB, deadline=timedelta(days=5))
def send_mail(job: RunningJob) -> None:
    """Send the mail in the job's arguments. A worker killed between sending and saying so sends it twice."""
    mail = EmailMessage(**job.row.arguments)
    try:
        mail.send()
    except smtplib.SMTPRecipientsRefused as error:
        if all(code >= 500 for code, _ in error.recipients.values()):
            raise InvalidError(f"The mail server refuses all recipients: {error}") from error
        raise BusyError("The mail server does not take this mail yet.", retry_after=RETRY_SECONDS) from error
    except (smtplib.SMTPException, OSError) as error:
        raise BusyError(f"The mail server is away: {error}", retry_after=RETRY_SECONDS) from error
