"""Sending mail: the edge of the world, and therefore a job, which tries again until the mail is gone."""

from datetime import timedelta

from django.core.mail import send_mail

from archive.timeline.errors import NotYetError
from archive.timeline.work import RunningJob, job_handler

MAIL_JOB = "mail"
RETRY_SECONDS = 300.0


@job_handler(MAIL_JOB, deadline=timedelta(days=3))
def deliver_mail(job: RunningJob) -> None:
    """Send the mail that the job's arguments hold. A mail server that is away, or refuses, is asked again later."""
    mail = job.row.arguments
    try:
        send_mail(mail["subject"], mail["text"], from_email=None, recipient_list=mail["to"])
    except OSError as error:
        raise NotYetError(f"The mail was not sent: {error}", retry_after=RETRY_SECONDS) from error
