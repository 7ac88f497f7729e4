"""The worker's door, and the one table of what runs on a clock."""

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dandiapi.settings.production")

app = Celery("dandiapi")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["archive"])

# Nudges make things happen at once; the clock only finds what a lost nudge left.
app.conf.beat_schedule = {
    "sweep-projections": {"task": "archive.timeline.tasks.sweep_projections_task", "schedule": 5.0},
    "sweep-jobs": {"task": "archive.timeline.tasks.sweep_jobs_task", "schedule": 5.0},
    # Does nothing unless the settings have it so.
    "collect-garbage": {"task": "archive.garbage.tasks.collect_garbage_task", "schedule": crontab(hour=3, minute=30)},
}
