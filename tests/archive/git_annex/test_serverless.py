"""The layout of repositories in the store, held against git-annex's own: it clones what was laid out so."""

import hashlib
import os
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import UUID

import pytest

from archive.git_annex.serverless import (
    CLONE_FILE,
    bundle_name,
    clone_address,
    manifest,
    manifest_name,
    place,
    references_bundle,
)
from tests.machine import require_protocols

PROGRAMS = Path("tests/clients/.venv/bin").resolve()
ANNEX_UUID = UUID("2d449a10-03f8-4bd7-8437-3e17691f4b95")


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def store(tmp_path: Path) -> Path:
    folder = tmp_path / "store"
    folder.mkdir()
    return folder


@pytest.fixture
def store_url(store: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_QuietHandler, directory=str(store))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def git(tmp_path: Path) -> Iterator[partial[str]]:
    environment = {"PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1"}
    run = partial(_git, environment=environment, folder=tmp_path)
    for name, value in (("user.name", "A"), ("user.email", "a@example.org"), ("init.defaultBranch", "main")):
        run("config", "--global", name, value)
    run("config", "--global", "annex.security.allowed-ip-addresses", "127.0.0.1")
    return run


def _git(*arguments: str, environment: dict[str, str], folder: Path, within: str = ".") -> str:
    if any(word.startswith("annex::") for word in arguments):
        require_protocols()
    finished = subprocess.run(
        ["git", *arguments], cwd=folder / within, env=environment, capture_output=True, text=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def _lay_out(store: Path, store_url: str, bundles: list[Path]) -> None:
    names = []
    for bundle in bundles:
        content = bundle.read_bytes()
        names.append(bundle_name(ANNEX_UUID, size=len(content), sha256=hashlib.sha256(content).hexdigest()))
        _put(store, place(names[-1]), content)
    _put(store, place(manifest_name(ANNEX_UUID)), manifest(names))
    _put(store, CLONE_FILE, clone_address(ANNEX_UUID, store_url).encode())


def _put(store: Path, key: str, content: bytes) -> None:
    path = store / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_git_annex_clones_what_was_laid_out_bundle_by_bundle(
    git: partial[str], store: Path, store_url: str, tmp_path: Path
) -> None:
    git("init", "-q", "origin")
    (tmp_path / "origin" / "a").write_text("first")
    git("add", "a", within="origin")
    git("commit", "-qm", "first", within="origin")
    git("tag", "0.1", within="origin")
    git("bundle", "create", "-q", "../one", "main", within="origin")
    (tmp_path / "origin" / "a").write_text("second")
    git("commit", "-qam", "second", within="origin")
    git("tag", "0.2", within="origin")
    git("bundle", "create", "-q", "../two", "0.1..main", within="origin")
    references = git("for-each-ref", "--format=%(refname) %(objectname)", within="origin").splitlines()
    (tmp_path / "three").write_bytes(references_bundle(dict(line.split() for line in references)))
    _lay_out(store, store_url, [tmp_path / name for name in ("one", "two", "three")])

    git("clone", "-q", f"annex::{store_url}{CLONE_FILE}", "clone")

    assert (tmp_path / "clone" / "a").read_text() == "second"
    assert git("rev-parse", "HEAD", within="clone") == git("rev-parse", "HEAD", within="origin")
    assert git("tag", within="clone").split() == ["0.1", "0.2"]
    assert git("show", "0.1:a", within="clone") == "first"
