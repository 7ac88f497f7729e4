"""The subscription to news in Valkey, and the streams that it wakes."""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import orjson
from django.conf import settings
from redis.asyncio import Redis
from redis.exceptions import RedisError

from archive.timeline.queries import NEWS_CHANNEL

logger = logging.getLogger(__name__)

RECONNECT_SECONDS = 2.0

# What is waited for: ("dataset", "7") or ("job", its id).
Topic = tuple[str, str]


class Subscriptions:
    """The streams that wait for news, and are woken by it. They also look now and then themselves, for missed news."""

    def __init__(self) -> None:
        self._waiting: dict[Topic, set[asyncio.Event]] = defaultdict(set)
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def waiting_for(self, topic: Topic) -> Iterator[asyncio.Event]:
        """Yield an event that is set whenever there is news of the topic; whoever waits clears it."""
        if self._task is None:
            self._task = asyncio.create_task(self._listen())
        woken = asyncio.Event()
        self._waiting[topic].add(woken)
        try:
            yield woken
        finally:
            self._waiting[topic].discard(woken)
            if not self._waiting[topic]:
                del self._waiting[topic]

    async def close(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _listen(self) -> None:
        while True:
            try:
                await self._follow_channel()
            except (RedisError, OSError) as error:
                logger.warning("No news: %s", error)
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _follow_channel(self) -> None:
        async with Redis.from_url(settings.REDIS_URL, socket_connect_timeout=2) as client, client.pubsub() as channel:
            await channel.subscribe(NEWS_CHANNEL)
            self._wake_all()
            async for message in channel.listen():
                if message["type"] == "message":
                    self._wake(orjson.loads(message["data"]))

    def _wake(self, news: dict[str, object]) -> None:
        for kind, name in news.items():
            for woken in self._waiting.get((kind, str(name)), ()):
                woken.set()

    def _wake_all(self) -> None:
        """Wake all who wait: something may have happened while nobody listened."""
        for waiting in self._waiting.values():
            for woken in waiting:
                woken.set()
