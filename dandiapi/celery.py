"""The entry point of the workers, and the schedule of periodic tasks."""

import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import task_postrun
from django.db import close_old_connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dandiapi.settings.production")

app = Celery("dandiapi")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(
    ["archive.accounts", "archive.embargo", "archive.garbage", "archive.snapshots", "archive.timeline", "dandiapi"]
)

# As after a request: a failed connection is closed, and any other is checked before it is used again.
task_postrun.connect(close_old_connections)

# Nudges start work at once; these schedules find the work of nudges that were lost.
app.conf.beat_schedule = {
    "sweep-projections": {"task": "archive.timeline.tasks.sweep_projections_task", "schedule": 5.0},
    "sweep-jobs": {"task": "archive.timeline.tasks.sweep_jobs_task", "schedule": 5.0},
    "remind-of-pending-users": {
        "task": "archive.accounts.tasks.remind_of_pending_users_task",
        "schedule": crontab(hour="0", minute="0"),
    },
    "forget-expired-grants": {
        "task": "dandiapi.tasks.forget_expired_grants_task",
        "schedule": crontab(hour="3", minute="17"),
    },
    "watch-embargoes": {"task": "archive.embargo.tasks.watch_embargoes_task", "schedule": 3600.0},
    "check-repositories": {"task": "archive.snapshots.tasks.check_repositories_task", "schedule": 3600.0},
    "sweep-bundles": {"task": "archive.snapshots.tasks.sweep_store_task", "schedule": crontab(hour="4", minute="10")},
    # Does nothing unless the settings have it so.
    "collect-garbage": {"task": "archive.garbage.tasks.collect_garbage_task", "schedule": crontab(hour=3, minute=30)},
}
