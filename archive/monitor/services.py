"""Keeping what workers outside of this archive report of their tasks."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson
from django.utils import timezone

from archive.accounts.policy import Action, Actor, require
from archive.errors import InvalidError
from archive.monitor.models import MAX_NAME, ReportedTask

# How long the last report of a task is kept.
KEPT = timedelta(days=30)
MAX_REPORT = 2**16


def report_task(*, actor: Actor, task_id: str, values: Mapping[str, Any]) -> ReportedTask:
    """Keep what a worker reports of a task, by the names of the fields of a row; what it does not name stays.

    Raises InvalidError for what is too long. Tasks of which nothing was heard for long are forgotten.
    """
    require(actor, Action.REPORT_WORK)
    names = {"id": task_id, **{name: values.get(name, "") for name in ("name", "worker")}}
    if not task_id:
        raise InvalidError("A task needs an id.", field="id")
    if too_long := [name for name, text in names.items() if len(text) > MAX_NAME]:
        raise InvalidError(f"It has at most {MAX_NAME} characters.", field=too_long[0])
    if len(orjson.dumps(dict(values), default=str)) > MAX_REPORT:
        raise InvalidError(f"The report of a task has at most {MAX_REPORT} bytes.")
    ReportedTask.objects.filter(reported__lt=timezone.now() - KEPT).delete()
    task, _ = ReportedTask.objects.update_or_create(pk=task_id, defaults=dict(values))
    return task
