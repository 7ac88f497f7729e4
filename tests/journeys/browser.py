"""A real browser, without a window, and the web app that it looks at."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from tests.machine import find_chromium, require_playwright

FOLDER = Path(__file__).parent / "web_app"


@contextmanager
def chromium() -> Iterator[Browser]:
    """Chromium, if this machine has one; otherwise the test is skipped, or with BROWSER_TESTS=1 fails.

    `docs/developing.md` says how to get one.
    """
    require_playwright()
    with sync_playwright() as playwright:
        found = find_chromium(playwright)
        # Where everybody is root, as in a container, Chromium has no sandbox to be in.
        arguments = ["--no-sandbox", "--disable-dev-shm-usage"]
        with TemporaryDirectory() as home:
            environment = {**os.environ, "HOME": home, "XDG_CONFIG_HOME": home, "XDG_CACHE_HOME": home}
            browser = playwright.chromium.launch(executable_path=found, args=arguments, env=environment)
            yield browser
            browser.close()


class _Silent(SimpleHTTPRequestHandler):
    """Serves files, and says nothing."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name it has there
        """Nothing."""


@contextmanager
def served_web_app() -> Iterator[str]:
    """The origin at which the web app is served."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Silent, directory=str(FOLDER)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
