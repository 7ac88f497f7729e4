"""What the journeys share: one running archive, and the real client pointed at it."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext

from tests.journeys.browser import chromium, served_web_app
from tests.journeys.client import DandiClient
from tests.journeys.rest import rest_client
from tests.journeys.running import RunningArchive, free_port


@pytest.fixture(scope="session")
def running_archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchive]:
    """A complete archive: web, worker, beat and their services."""
    archive = RunningArchive(tmp_path_factory.mktemp("archive") / "home", free_port())
    archive.start()
    yield archive
    archive.interrupt()


@pytest.fixture
def dandi(running_archive: RunningArchive, tmp_path: Path) -> DandiClient:
    """The `dandi` command, pointed at the running archive."""
    return DandiClient(running_archive.api_url, running_archive.token, tmp_path)


@pytest.fixture(scope="module")
def lasting_dandi(running_archive: RunningArchive, tmp_path_factory: pytest.TempPathFactory) -> DandiClient:
    """The `dandi` command of somebody whose folder serves all tests of a module."""
    return DandiClient(running_archive.api_url, running_archive.token, tmp_path_factory.mktemp("dandi"))


@pytest.fixture(scope="session")
def stranger_token(running_archive: RunningArchive) -> str:
    """The token of stranger@example.org, who owns nothing."""
    return running_archive.manage("manage.py", "create_token", "stranger@example.org").strip()


@pytest.fixture
def api(running_archive: RunningArchive) -> Iterator[httpx.Client]:
    """The REST API of the running archive, called by the owner of its datasets."""
    with rest_client(running_archive) as client:
        yield client


@pytest.fixture(scope="session")
def web_app(running_archive: RunningArchive) -> Iterator[str]:
    """Where the web app is; the archive knows of it."""
    with served_web_app() as address:
        running_archive.manage("manage.py", "register_web_app", "--redirect-uri", f"{address}/")
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as program:
        yield program


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A browser that has never been anywhere."""
    fresh = browser.new_context()
    yield fresh
    fresh.close()
