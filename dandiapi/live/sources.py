"""The events of streams, read from the database whenever there is news, so that they are always true."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import sha256
from importlib import import_module
from io import BytesIO
from typing import Any, Protocol
from uuid import UUID

import orjson
from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from archive.accounts.policy import Actor
from archive.datasets.queries import find_dataset, find_job, visible_jobs
from archive.errors import UnauthenticatedError
from archive.timeline.queries import changes, position
from dandiapi.jobs import job_detail, job_row
from dandiapi.live.news import Topic

CHANGES_AT_ONCE = 500
JOBS_SHOWN = 50
# A client that reconnects is told how jobs have ended meanwhile.
ENDED_JOBS_SHOWN = timedelta(minutes=15)


def request_from(scope: dict[str, Any]) -> HttpRequest:
    """Return the request as the other faces know it."""
    request = ASGIRequest(scope, BytesIO())
    sessions = import_module(settings.SESSION_ENGINE)
    request.session = sessions.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    request.user = get_user(request)
    return request


@dataclass(frozen=True)
class Event:
    """A server-sent event. A client that comes back with its id hears what came after it."""

    name: str
    data: Any
    id: str = ""

    def encoded(self) -> bytes:
        """Return the event as it is sent."""
        head = f"id: {self.id}\n" if self.id else ""
        # JSON has no line breaks of its own, so one line holds it.
        return f"{head}event: {self.name}\ndata: ".encode() + _json(self.data) + b"\n\n"


class Source(Protocol):
    """A source of events for a stream."""

    @property
    def topic(self) -> Topic:
        """Return the topic whose news mean that there may be events."""

    @property
    def is_over(self) -> bool:
        """Return whether no further event can come."""

    def read(self) -> list[Event]:
        """Return the events that have not been sent yet; raises an error if the actor may not read them any more."""


@dataclass
class JobSource:
    """The events of one job: all of it, whenever it has changed, until it has ended."""

    actor: Actor
    job_id: UUID
    last_id: str
    is_over: bool = False

    @property
    def topic(self) -> Topic:
        return ("job", str(self.job_id))

    def read(self) -> list[Event]:
        """Return the job, if it has changed since it was last sent."""
        if not self.actor.is_authenticated:
            raise UnauthenticatedError
        job = find_job(self.actor, self.job_id)
        self.is_over = job.ended is not None
        event = Event("job", job_detail(job))
        told, self.last_id = self.last_id, _digest(event.data)
        return [] if told == self.last_id else [Event(event.name, event.data, self.last_id)]


@dataclass
class DatasetSource:
    """The events of a dataset: its changes, and the jobs on it that the actor may follow."""

    actor: Actor
    number: int
    last_id: str
    is_over: bool = False
    _jobs: dict[UUID, str] = field(default_factory=dict)

    @property
    def topic(self) -> Topic:
        return ("dataset", str(self.number))

    def read(self) -> list[Event]:
        """Return the changes since the last one sent, CHANGES_AT_ONCE at most, and the jobs that have changed."""
        find_dataset(self.actor, self.number, hidden=False)
        return [*self._history(), *self._changed_jobs()]

    def _history(self) -> Iterator[Event]:
        if not (self.last_id.isascii() and self.last_id.isdigit() and len(self.last_id) < 19):
            self.last_id = str(position(self.number))
            yield Event("timeline", {"number": int(self.last_id)}, self.last_id)
            return
        rows = changes(self.number).filter(number__gt=int(self.last_id)).values("number", "kind", "recorded")
        for row in rows[:CHANGES_AT_ONCE]:
            self.last_id = str(row["number"])
            yield Event("change", row, self.last_id)

    def _changed_jobs(self) -> Iterator[Event]:
        recent = Q(ended__isnull=True) | Q(ended__gt=timezone.now() - ENDED_JOBS_SHOWN)
        jobs = visible_jobs(self.actor).filter(recent, dataset_id=self.number).defer("log", "arguments")[:JOBS_SHOWN]
        for job in jobs:
            row = job_row(job)
            if self._jobs.get(job.pk) != _digest(row):
                self._jobs[job.pk] = _digest(row)
                yield Event("job", row)


def _json(data: Any) -> bytes:
    return orjson.dumps(data, option=orjson.OPT_UTC_Z, default=str)


def _digest(data: Any) -> str:
    return sha256(_json(data)).hexdigest()[:32]
