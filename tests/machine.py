"""What tests need of their machine and no package registry has: without it they are skipped, and say what brings it."""

import os
import shutil
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from playwright.sync_api import Playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def require_wget() -> None:
    """Skip the test where there is no wget."""
    if not shutil.which("wget"):
        pytest.skip("This machine has no wget; `apt-get install wget` brings one.")


def require_protocols() -> None:
    """Skip the test where git-annex, and so DataLad, reaches no web server."""
    try:
        socket.getprotobyname("tcp")
    except OSError:
        pytest.skip("git-annex looks TCP up in /etc/protocols, which is missing; `apt-get install netbase` brings it.")


def require_playwright() -> None:
    """Skip the test, or with BROWSER_TESTS=1 fail it, where Playwright's own program does not start."""
    if fault := _fault_of_playwright():
        _give_up(f"Playwright does not start on this machine: {fault}")


def find_chromium(playwright: Playwright) -> Path:
    """Return a Chromium; skip the test, or with BROWSER_TESTS=1 fail it, where there is none."""
    found = Path(next(filter(None, map(shutil.which, BROWSERS)), playwright.chromium.executable_path))
    if not found.exists():
        _give_up(f"This machine has no Chromium ({', '.join(BROWSERS)}); `apt-get install chromium` brings one.")
    return found


@cache
def _fault_of_playwright() -> str:
    version = [sys.executable, "-m", "playwright", "--version"]
    asked = subprocess.run(version, capture_output=True, text=True, check=False)
    return asked.stderr.strip() if asked.returncode else ""


def _give_up(reason: str) -> None:
    give_up = pytest.fail if os.environ.get("BROWSER_TESTS") == "1" else pytest.skip
    give_up(reason)
