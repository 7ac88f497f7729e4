"""Publishing over Valkey that a dataset or a job has changed; subscribers then read in the database what has."""

import uuid
from contextlib import suppress
from functools import cache, partial

import orjson
from django.conf import settings
from django.db import transaction
from redis import Redis
from redis.exceptions import RedisError

from archive.timeline.queries import NEWS_CHANNEL


@cache
def _valkey() -> "Redis":
    return Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=0.5)


def announce(dataset_id: int | None, job_id: uuid.UUID | None = None) -> None:
    """Tell subscribers, after commit, to look again. Never fails: they also look now and then by themselves."""
    transaction.on_commit(partial(_publish, {"dataset": dataset_id, "job": job_id}))


def _publish(news: dict[str, object]) -> None:
    with suppress(RedisError, OSError):
        _valkey().publish(NEWS_CHANNEL, orjson.dumps(news))
