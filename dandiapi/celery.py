"""The worker's door, and the one table of what runs on a clock."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dandiapi.settings.production")

app = Celery("dandiapi")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["archive"])

# Nudges make things happen at once; the clock only finds what a lost nudge left.
app.conf.beat_schedule = {
    "sweep-projections": {"task": "archive.timeline.tasks.sweep_projections_task", "schedule": 5.0},
    "sweep-jobs": {"task": "archive.timeline.tasks.sweep_jobs_task", "schedule": 5.0},
    "watch-embargoes": {"task": "archive.publishing.tasks.watch_embargoes_task", "schedule": 3600.0},
}
