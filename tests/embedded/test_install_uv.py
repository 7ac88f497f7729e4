"""How uv comes to a machine that has Python's standard library alone."""

import base64
import hashlib
import io
import subprocess
import sys
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from embedded import install_uv
from embedded.install_uv import VERSION, InstallError

NAME = f"uv-{VERSION}-py3-none-any.whl"
PROGRAM = b"#!/bin/sh\necho uv\n"


def wheel() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(f"uv-{VERSION}.data/scripts/uv", PROGRAM)
    return buffer.getvalue()


WHEEL = wheel()


class Index(ThreadingHTTPServer):
    """A package index with one wheel, which notes what it is asked, and by whom."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answers)
        self.page = f'<a href="../../files/{NAME}#sha256=0">{NAME}</a>'
        self.asked: list[tuple[str, str]] = []

    def address(self, account: str = "") -> str:
        return f"http://{account}127.0.0.1:{self.server_port}/simple/"


class Answers(BaseHTTPRequestHandler):
    server: Index

    def do_GET(self) -> None:
        self.server.asked.append((self.path, self.headers.get("Authorization", "")))
        content = {"/simple/uv/": self.server.page.encode(), f"/files/{NAME}": WHEEL}.get(self.path)
        self.send_response(200 if content else 404)
        self.end_headers()
        self.wfile.write(content or b"")

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def index() -> Iterator[Index]:
    server = Index()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def _surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A person without pip settings, and a wheel for any machine."""
    for variable in (*install_uv.INDEX_VARIABLES, "PIP_CONFIG_FILE", "PIP_PROXY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(install_uv, "_wheel_for_this_machine", lambda: ("any", hashlib.sha256(WHEEL).hexdigest()))


def installed(folder: Path) -> str:
    return subprocess.run([folder / "uv"], check=True, capture_output=True, text=True).stdout


@pytest.mark.parametrize("variable", install_uv.INDEX_VARIABLES)
def test_uv_comes_from_the_index_that_a_variable_names(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, index.address())
    install_uv.main(tmp_path / "tools")
    assert installed(tmp_path / "tools") == "uv\n"


def test_uv_comes_from_the_index_that_pips_own_file_names(index: Index, tmp_path: Path) -> None:
    file = tmp_path / "config" / "pip" / "pip.conf"
    file.parent.mkdir(parents=True)
    file.write_text(f"[global]\nindex-url = {index.address()}\n")
    install_uv.main(tmp_path / "tools")
    assert installed(tmp_path / "tools") == "uv\n"


def test_index_with_a_password_is_told_it_for_its_page_and_its_file(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.address("me:p%40ss@"))
    install_uv.main(tmp_path / "tools")
    account = "Basic " + base64.b64encode(b"me:p@ss").decode()
    assert index.asked == [("/simple/uv/", account), (f"/files/{NAME}", account)]


def test_proxy_that_pip_is_told_of_is_asked(index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://index.invalid/simple")
    monkeypatch.setenv("PIP_PROXY", f"http://127.0.0.1:{index.server_port}")
    with pytest.raises(InstallError):
        install_uv.main(tmp_path / "tools")
    assert index.asked == [("http://index.invalid/simple/uv/", "")]


def test_another_file_under_the_pinned_name_is_refused(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.address())
    monkeypatch.setattr(install_uv, "_wheel_for_this_machine", lambda: ("any", "0" * 64))
    with pytest.raises(InstallError, match=f"{NAME} from .* is not the file that is pinned here"):
        install_uv.main(tmp_path / "tools")
    assert not (tmp_path / "tools").exists()


def test_index_without_the_file_is_named_without_its_password(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.page = "<a href='uv-0.1.whl'>uv-0.1.whl</a>"
    monkeypatch.setenv("PIP_INDEX_URL", index.address("me:secret@"))
    with pytest.raises(InstallError, match=f"fetched from {index.address()}: it has no {NAME}. Put uv on the PATH"):
        install_uv.main(tmp_path / "tools")


def test_script_needs_the_standard_library_alone_and_says_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    command = [sys.executable, "-I", "-S", install_uv.__file__, str(tmp_path / "tools")]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert finished.returncode == 1
    assert finished.stderr.startswith("uv could not be fetched from http://127.0.0.1:9/simple: [Errno")
    assert finished.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("system", "processor", "library", "suffix"),
    [
        ("Linux", "x86_64", "glibc", "manylinux_2_17_x86_64"),
        ("Linux", "x86_64", "", "musllinux_1_1_x86_64"),
        ("Linux", "aarch64", "glibc", "manylinux_2_17_aarch64"),
        ("Darwin", "arm64", "", "macosx_11_0_arm64"),
    ],
)
def test_machine_is_given_its_own_wheel(
    monkeypatch: pytest.MonkeyPatch, system: str, processor: str, library: str, suffix: str
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("platform.system", lambda: system)
    monkeypatch.setattr("platform.machine", lambda: processor)
    monkeypatch.setattr("platform.libc_ver", lambda: (library, ""))
    assert install_uv._wheel_for_this_machine()[0].startswith(suffix)


def test_machine_that_has_no_wheel_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("platform.machine", lambda: "pdp11")
    with pytest.raises(InstallError, match=r"on pdp11 that is known here\. Put uv on the PATH yourself"):
        install_uv._wheel_for_this_machine()
