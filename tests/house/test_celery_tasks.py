"""Every task can be killed, is called a task, and is given names of things, not things."""

import inspect

import pytest
from celery import Task

from dandiapi.celery import app

app.loader.import_default_modules()
TASKS = {name: task for name, task in app.tasks.items() if name.startswith(("archive.", "dandiapi."))}


@pytest.fixture(params=TASKS)
def task(request: pytest.FixtureRequest) -> Task:
    return TASKS[request.param]


def test_tasks_are_found() -> None:
    assert "archive.timeline.tasks.run_due_jobs_task" in TASKS


def test_task_ends_in_time(task: Task) -> None:
    assert 0 < task.soft_time_limit < task.time_limit


def test_task_is_called_a_task(task: Task) -> None:
    assert task.name.endswith("_task")


def test_task_takes_only_numbers_and_strings(task: Task) -> None:
    parameters = inspect.signature(task.run).parameters.values()
    assert {parameter.annotation for parameter in parameters} <= {int, str}


def test_clock_names_only_tasks_that_there_are() -> None:
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= set(TASKS)
