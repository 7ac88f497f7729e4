"""What all tests share: services of each test process's own, and a worker that works when it is told to."""

import gc
import socket
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import httpx
import hypothesis
import pytest
from celery.signals import before_task_publish
from django.conf import settings
from django.core.signals import setting_changed
from django.db import connection, transaction
from django.test import TransactionTestCase, override_settings
from pytest_django import DjangoDbBlocker
from xdist.scheduler import LoadScopeScheduling

from archive.snapshots.queries import PROJECTION as REPOSITORY
from archive.storage import queries as store
from archive.storage.services import prepare_bucket
from dandiapi.celery import app
from tests.database import delete_rows, template
from tests.worker import MadeOnce, Message, T, Worker

JOURNEYS = "tests/journeys/"
OWN_ARCHIVE = f"{JOURNEYS}test_openapi.py"
LONGEST = (JOURNEYS, "tests/archive/crashes/")
LOOPBACK = ("127.", "::1", "localhost")

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("tests", deadline=None, print_blob=True)
hypothesis.settings.load_profile("tests")


# --- Order ------------------------------------------------------------------------------------------------------------


class Scheduler(LoadScopeScheduling):
    """Gives each module to one test process, and the journeys through one archive to the same, where it is started."""

    def _split_scope(self, nodeid: str) -> str:
        module = super()._split_scope(nodeid)
        return JOURNEYS if module.startswith(JOURNEYS) and module != OWN_ARCHIVE else module


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduler:
    return Scheduler(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, lest one test process be left with it at the end while the other idles."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_collection_finish() -> None:
    """Spare the garbage collector what stays to the end, and most of its rounds: they are a twentieth of all tests."""
    gc.freeze()
    gc.set_threshold(20_000)


# --- Services ---------------------------------------------------------------------------------------------------------


class _Cache:
    """Whose keys the cache holds: those of one test are unknown to every other, without a call to Valkey."""

    owner = ""


def _cache_key(key: str, prefix: str, version: int) -> str:
    return f"test:{_Cache.owner}:{key}"


@pytest.fixture(scope="session", autouse=True)
def _own_services(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Give this test process a bucket, and this test a cache, of their own. Databases are pytest-django's affair."""
    default = settings.STORAGES["default"]
    options = {**default["OPTIONS"], "bucket_name": f"archive-{worker_id}"}
    cache = {**settings.CACHES["default"], "KEY_FUNCTION": _cache_key}
    with override_settings(
        STORAGES={**settings.STORAGES, "default": {**default, "OPTIONS": options}},
        CACHES={"default": cache},
        SNAPSHOT_CACHE=str(tmp_path_factory.mktemp("repositories")),
        BIDS_VALIDATION_CACHE=str(tmp_path_factory.mktemp("bids")),
    ):
        yield


@pytest.fixture(autouse=True)
def _own_cache() -> None:
    _Cache.owner = uuid.uuid4().hex


def _forget_clients(*, setting: str, **_: Any) -> None:
    if setting in {"STORAGES", "S3_ENDPOINT_URL", "S3_PUBLIC_ENDPOINT_URL"}:
        store.client.cache_clear()
        store.signing_client.cache_clear()
        store.patient_client.cache_clear()


setting_changed.connect(_forget_clients)


@pytest.fixture(scope="session")
def bucket(_own_services: None) -> str:
    """The bucket of this test process, prepared as at every start."""
    prepare_bucket()
    return store.bucket()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Make the database of this test process a copy of one that all share."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = template()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, bucket: str) -> None:
    """What needs the database needs the bucket too."""


@pytest.fixture(scope="session", autouse=True)
def _quick_flush() -> Iterator[None]:
    """Delete the rows of tests that commit, instead of truncating all tables."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: delete_rows())
        yield


# --- Work -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _no_broker() -> None:
    """Let what is published end in this process: nothing reaches a broker, and nobody works on it unasked."""
    address = "memory://nowhere/"
    app.conf.update(broker_url=address, broker_read_url=address, broker_write_url=address)


@pytest.fixture(autouse=True)
def published(_no_broker: None) -> Iterator[list[Message]]:
    """The messages that the test has sent to Celery's workers and that none has taken, oldest first."""
    messages: list[Message] = []

    def record(sender: str, body: Any, routing_key: str, **_: Any) -> None:
        messages.append(Message(sender, tuple(body[0]), routing_key))

    before_task_publish.connect(record)
    yield messages
    before_task_publish.disconnect(record)


@pytest.fixture
def worker(published: list[Message]) -> Worker:
    """Does in this thread, when told to, what workers and clock would do.

    But for the writing of repositories, which takes a tenth of a second: `writer` does that too.
    """
    return Worker(published, leaves=(REPOSITORY,))


@pytest.fixture
def writer(published: list[Message]) -> Worker:
    """Does all that workers and clock would do, repositories included."""
    return Worker(published)


@pytest.fixture(scope="module")
def made_once(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[MadeOnce[Any]]:
    """Makes rows once for all tests of a module, by what is given: it is called with a worker of its own.

    Every test finds them as they were made, since it is rolled back to where it began. So none may need a transaction
    of its own, and fixtures that have rows made are `autouse`: lest a test find them only when others came before it.
    Objects are shared by the tests: those that change one read it anew from the database.
    """

    def make(maker: Callable[[Worker], T]) -> T:
        with django_db_blocker.unblock():
            return maker(Worker([], leaves=(REPOSITORY,)))

    with django_db_blocker.unblock(), transaction.atomic():
        with django_db_blocker.block():
            yield make
        transaction.set_rollback(True)


@pytest.fixture
def late_checksums(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leaves the SHA-256 of every upload to a worker, which has that of large ones alone to compute otherwise."""
    monkeypatch.setattr("archive.blobs.services.HASHED_AT_ONCE", 0)


# --- Network ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session", autouse=True)
def _loopback_only() -> Iterator[None]:
    """Refuse connections that would leave this machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not str(address[0]).startswith(LOOPBACK):
            raise AssertionError(f"A test tried to reach {address[0]}.")
        connect(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded)
        yield


@pytest.fixture(scope="session", autouse=True)
def _trust_read_once() -> Iterator[None]:
    """Let all clients share whom they trust: each would read it anew, which takes longer than to ask."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", cache(httpx.create_ssl_context))
        yield
