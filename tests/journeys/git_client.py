"""The real `git`, `git annex` and `datalad`, as somebody with a token runs them, or somebody with none."""

import os
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from tests.journeys.client import PROGRAMS
from tests.machine import require_protocols

COMMAND_SECONDS = 300


class GitClient:
    """The programs, in a folder where nothing of this machine's user is seen, with the token as git keeps passwords."""

    def __init__(self, archive_url: str, token: str, folder: Path) -> None:
        self.archive_url = archive_url
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.environment = {
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}",
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "LC_ALL": "C.UTF-8",
        }
        self._configure(token)

    def _configure(self, token: str) -> None:
        settings = {
            "user.name": "Somebody",
            "user.email": "somebody@example.org",
            "init.defaultBranch": "main",
            # git-annex asks no web server of this machine unless it is told that it may.
            "annex.security.allowed-ip-addresses": "127.0.0.1",
        }
        for name, value in settings.items():
            self.git("config", "--global", name, value)
        if token:
            at = urlsplit(self.archive_url)
            (self.folder / ".git-credentials").write_text(f"{at.scheme}://token:{token}@{at.netloc}\n")
            self.git("config", "--global", "credential.helper", "store")

    def repository_url(self, dandiset: str) -> str:
        """Where a dataset is cloned from."""
        return f"{self.archive_url}/git/{dandiset}"

    def git(self, *arguments: str, within: Path | None = None) -> str:
        """Runs `git`; returns what it printed. Raises AssertionError, with all that it said, when it fails."""
        return self.run("git", *arguments, within=within)

    def run(self, *command: str, within: Path | None = None) -> str:
        """Runs one of the programs; returns what it printed. Raises AssertionError when it fails."""
        finished = self.attempt(*command, within=within)
        assert finished.returncode == 0, f"{' '.join(command)} failed:\n{finished.stdout}{finished.stderr}"
        return finished.stdout

    def attempt(self, *command: str, within: Path | None = None) -> "subprocess.CompletedProcess[str]":
        """Runs one of the programs, whether it fails or not."""
        if command[0] == "datalad" or command[:2] == ("git", "annex") or "annex::" in " ".join(command):
            require_protocols()
        return subprocess.run(
            command,
            cwd=within or self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )

    def clone(self, dandiset: str, name: str, *options: str) -> Path:
        """Clones a dataset into a new folder."""
        self.git("clone", *options, self.repository_url(dandiset), name)
        return self.folder / name

    def files(self, clone: Path, reference: str = "HEAD") -> set[str]:
        """The paths in a commit, but for what the archive adds by itself."""
        listed = self.git("ls-tree", "-r", "-z", "--name-only", reference, within=clone)
        return set(listed.rstrip("\0").split("\0")) - {".gitattributes", ".datalad/config"}
