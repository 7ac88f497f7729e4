"""The real `dandi` client of tests/clients, as a person runs it: by its command line and by its Python library."""

import atexit
import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from embedded.home import PROJECT

PROGRAMS = PROJECT / "tests" / "clients" / ".venv" / "bin"
SCRIPTS = Path(__file__).with_name("client_scripts")
COMMAND_SECONDS = 300


class DandiClient:
    """The client, in a folder where nothing of this machine's user is seen."""

    def __init__(self, api_url: str, token: str, folder: Path) -> None:
        self.api_url = api_url
        self.folder = folder
        self.environment = _environment(api_url, token, folder)

    def run(self, *arguments: str, within: Path | None = None, **variables: str) -> str:
        """Runs `dandi` with these arguments; returns all that it said.

        Raises AssertionError when it fails.
        """
        finished = subprocess.run(
            [PROGRAMS / "dandi", *arguments],
            cwd=within or self.folder,
            env=self.environment | variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert finished.returncode == 0, f"dandi {' '.join(arguments)} failed:\n{finished.stdout}"
        return finished.stdout

    def script(self, name: str, *arguments: str, **variables: str) -> Any:
        """Runs one of the scripts beside this file by the client's own Python; returns the JSON that it prints.

        Raises AssertionError when it fails.
        """
        finished = subprocess.run(
            [PROGRAMS / "python", SCRIPTS / f"{name}.py", *arguments],
            cwd=self.folder,
            env=self.environment | {"ARCHIVE_API_URL": self.api_url} | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
        assert finished.returncode == 0, f"{name} failed:\n{finished.stdout}{finished.stderr}"
        return json.loads(finished.stdout)


def _environment(api_url: str, token: str, folder: Path) -> dict[str, str]:
    """What lets the client run unattended.

    It takes the key of an instance from a variable named after the instance; an instance it has never heard of it
    names after the host and port of its API. No shell can export such a name, but `env` and a parent process can.
    All clients share a cache, in which pynwb keeps its schema: to read that takes longer than most commands.
    """
    unknown_instance = urlsplit(api_url).netloc.upper()
    return {
        "PATH": f"{PROGRAMS}:{os.defpath}",
        "HOME": str(folder),
        "XDG_CACHE_HOME": _cache_folder(),
        "DANDI_NO_ET": "1",
        # Pages in a form that the client does not expect become an error instead of a slow fallback.
        "DANDI_PAGINATION_DISABLE_FALLBACK": "1",
        f"{unknown_instance}_API_KEY": token,
        "DANDI_API_LOCAL_DOCKER_TESTS_API_KEY": token,
    }


@cache
def _cache_folder() -> str:
    """A folder for as long as this process lives."""
    folder = tempfile.mkdtemp(prefix="cache-of-clients-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder
