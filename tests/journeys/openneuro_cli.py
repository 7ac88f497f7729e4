"""The real `@openneuro/cli` from npm, as a person has it: the command, the helper of git, the remote of git-annex."""

import json
import os
import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

import httpx
import pytest
from playwright._impl._driver import compute_driver_executable

from embedded.home import PROJECT
from tests.journeys.git_client import GitClient
from tests.journeys.rest import DIRECTLY, success
from tests.journeys.running import RunningArchive
from tests.machine import require_playwright

PACKAGES = PROJECT / "tests" / "clients" / "node_modules"
PROGRAM = PACKAGES / "@openneuro" / "cli" / "dist" / "index.js"
# It tells by the end of its name what it is asked to be.
NAMES = ("openneuro", "git-credential-openneuro", "git-annex-remote-openneuro")
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
READ_SIZE = 2**16


def require_npm_clients() -> None:
    """Skip the test where what comes from npm is not installed, or cannot be run."""
    require_playwright()
    if not (PACKAGES / ".installed").exists():
        pytest.skip("Clients from npm are not installed: `make test` does that where it reaches npm's registry.")


class OpenNeuroCli:
    """The programs, in a home where nothing of this machine's user is seen, with a key of the archive's."""

    def __init__(self, archive: RunningArchive, home: Path) -> None:
        require_npm_clients()
        self.archive = archive
        self.git = GitClient(archive.url, "", home)
        self.home = home
        self._install(home / "bin")
        self.git.environment["PATH"] = f"{home / 'bin'}:{self.git.environment['PATH']}"
        # git tells the helper which repository it asks for, by which the helper asks for a token.
        self.git.git("config", "--global", "credential.useHttpPath", "true")
        self.git.git("config", "--global", "credential.helper", "openneuro")

    @staticmethod
    def _install(folder: Path) -> None:
        """What `npm install --global` puts on the PATH."""
        node, _ = compute_driver_executable()
        folder.mkdir()
        for name in NAMES:
            (folder / f".{name}").symlink_to(PROGRAM)
            (folder / name).write_text(f'#!/bin/sh\nexec {node} {folder}/.{name} "$@"\n')
            (folder / name).chmod(0o755)

    def log_in(self) -> None:
        """Answers what `openneuro login` asks, with a new key; where the archive is, its configuration is told."""
        headers = {"Authorization": f"Bearer {self.archive.token}"}
        key = success(httpx.post(f"{self.archive.url}/crn/keygen", headers=headers, **DIRECTLY)).json()["key"]
        self.run("login", answers=[("instance to use", ""), ("API key for", key), ("error reporting", "n")])
        file = self.home / ".openneuro"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"url": f"{self.archive.url}/"}))

    def upload(self, folder: Path, dataset: str = "") -> str:
        """Uploads a folder, as a new dataset or to one that there is; returns its id."""
        begin = ("Begin upload?", "")
        if dataset:
            self.run("upload", "-i", "-d", dataset, str(folder), answers=[begin])
            return dataset
        answers = [("create a new dataset", ""), ("affirm one of", ""), begin]
        said = self.run("upload", "-i", str(folder), answers=answers)
        created = re.search(r'"(ds\d{6})" created', said)
        assert created, said
        return created[1]

    def run(self, *arguments: str, answers: Sequence[tuple[str, str]] = ()) -> str:
        """Runs `openneuro`, and answers what it asks; returns all that it said. Raises AssertionError if it fails."""
        process = subprocess.Popen(
            [self.home / "bin" / "openneuro", *arguments],
            env=self.git.environment,
            cwd=self.home,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdin
        assert process.stdout
        said, waiting = "", [*answers]
        while chunk := os.read(process.stdout.fileno(), READ_SIZE):
            said += chunk.decode(errors="replace")
            if waiting and waiting[0][0] in plain(said):
                process.stdin.write(f"{waiting.pop(0)[1]}\n".encode())
                process.stdin.flush()
        process.stdin.close()
        process.stdout.close()
        assert (process.wait(), waiting) == (0, []), plain(said)
        return plain(said)


def plain(said: str) -> str:
    """What was said on one line, without what moves the cursor and colours it."""
    return " ".join(CONTROL.sub("", said).split())
