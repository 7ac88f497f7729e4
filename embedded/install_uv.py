"""Puts uv, the package installer, into a folder: `python3 install_uv.py FOLDER`.

The first thing that runs on a new machine, so it needs nothing but Python's standard library: some systems give Python
without pip and venv. The version and the digests are pinned; the file comes from the index that pip or uv is told of.
"""

from __future__ import annotations

import configparser
import hashlib
import io
import os
import platform
import ssl
import sys
import urllib.error
import urllib.request
import zipfile
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit, urlunsplit

VERSION = "0.13.9"
MANYLINUX = "manylinux_2_17_{0}.manylinux2014_{0}"
# By system, processor and C library: what ends the wheel's name, and its SHA-256.
WHEELS = {
    ("Linux", "x86_64", "glibc"): (
        MANYLINUX.format("x86_64"),
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    ("Linux", "x86_64", "musl"): (
        "musllinux_1_1_x86_64",
        "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
    ),
    ("Linux", "aarch64", "glibc"): (
        MANYLINUX.format("aarch64") + ".musllinux_1_1_aarch64",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
    ("Darwin", "x86_64", ""): (
        "macosx_10_12_x86_64",
        "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5",
    ),
    ("Darwin", "arm64", ""): (
        "macosx_11_0_arm64",
        "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
    ),
}
WHEELS["Linux", "aarch64", "musl"] = WHEELS["Linux", "aarch64", "glibc"]

INDEX = "https://pypi.org/simple"
INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
# urllib reads SSL_CERT_FILE itself.
CERTIFICATE_VARIABLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
SECONDS = 60
LARGEST = 200 * 2**20
INSTEAD = f"Put uv on the PATH yourself ({VERSION} or newer), or name an index that has it in PIP_INDEX_URL."


class InstallError(Exception):
    """An error for when uv cannot be installed; the message is a sentence for a person."""


def main(folder: Path) -> None:
    """Install uv into `folder`. Raises InstallError when that cannot be done."""
    suffix, digest = _wheel_for_this_machine()
    name = f"uv-{VERSION}-py3-none-{suffix}.whl"
    index = _index()
    try:
        wheel = _fetch(_address(name, f"{index.rstrip('/')}/uv/"))
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise InstallError(f"uv could not be fetched from {_without_password(index)}: {reason}. {INSTEAD}") from error
    if hashlib.sha256(wheel).hexdigest() != digest:
        raise InstallError(f"{name} from {_without_password(index)} is not the file that is pinned here. {INSTEAD}")
    _unpack(wheel, folder)


def _wheel_for_this_machine() -> tuple[str, str]:
    system, processor = platform.system(), platform.machine()
    library = "" if system != "Linux" else "glibc" if platform.libc_ver()[0] == "glibc" else "musl"
    try:
        return WHEELS[system, processor, library]
    except KeyError:
        raise InstallError(f"There is no uv for {system} on {processor} that is known here. {INSTEAD}") from None


# --- The index --------------------------------------------------------------------------------------------------------


def _index() -> str:
    """Return the package index that pip or uv is told of, by a variable or in pip's files."""
    named = [os.environ[variable] for variable in INDEX_VARIABLES if os.environ.get(variable)]
    return [*named, _pip_option("index-url") or INDEX][0]


def _pip_option(name: str) -> str:
    """Return the value of an option in pip's configuration; empty where there is none."""
    home = Path.home()
    files = [
        *(Path(folder, "pip", "pip.conf") for folder in os.environ.get("XDG_CONFIG_DIRS", "/etc/xdg").split(":")),
        Path("/etc/pip.conf"),
        home / ".pip" / "pip.conf",
        home / "Library" / "Application Support" / "pip" / "pip.conf",
        Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config", "pip", "pip.conf"),
        Path(os.environ.get("PIP_CONFIG_FILE") or os.devnull),
    ]
    settings = configparser.RawConfigParser(strict=False)
    try:
        settings.read(files)
    except (configparser.Error, UnicodeDecodeError):
        return ""
    return settings.get("global", name, fallback="")


class _Links(HTMLParser):
    """The links of an index's page, by the names that they show."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._target = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._target = dict(attrs).get("href") or ""

    def handle_data(self, data: str) -> None:
        self.found.setdefault(data.strip(), self._target)


def _address(name: str, page: str) -> str:
    """Return the address of the file of that name. Raises ValueError when the page of the index does not list it."""
    links = _Links()
    links.feed(_fetch(page).decode())
    if name not in links.found:
        raise ValueError(f"it has no {name}")
    address = urljoin(page, links.found[name])
    # An index with a password often has its files at the same place, and its page does not repeat the password.
    here, there = urlsplit(page), urlsplit(address)
    if "@" in here.netloc and here.netloc.rpartition("@")[2] == there.netloc:
        address = urlunsplit(there._replace(netloc=here.netloc))
    return address


# --- The network ------------------------------------------------------------------------------------------------------


def _fetch(address: str) -> bytes:
    """Return the bytes at an address, with pip's settings for proxies and certificates."""
    parts = urlsplit(address)
    account, _, host = parts.netloc.rpartition("@")
    request = urllib.request.Request(  # noqa: S310  (who names the index names its scheme)
        urlunsplit(parts._replace(netloc=host)), headers={"Accept": "text/html, */*"}
    )
    handlers: list[urllib.request.BaseHandler] = [urllib.request.HTTPSHandler(context=_certificates())]
    if account:
        user, _, password = account.partition(":")
        passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
        root = f"{parts.scheme}://{host}/"
        passwords.add_password(None, root, unquote(user), unquote(password), is_authenticated=True)
        handlers.append(urllib.request.HTTPBasicAuthHandler(passwords))
    if proxy := os.environ.get("PIP_PROXY") or _pip_option("proxy"):
        handlers.append(urllib.request.ProxyHandler({"http": proxy, "https": proxy}))
    with urllib.request.build_opener(*handlers).open(request, timeout=SECONDS) as response:
        content: bytes = response.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise ValueError("the answer is too large")
    return content


def _certificates() -> ssl.SSLContext:
    named = [os.environ[variable] for variable in CERTIFICATE_VARIABLES if os.environ.get(variable)]
    file = [*named, _pip_option("cert")][0]
    context = ssl.create_default_context()
    if file:
        where = {"capath": file} if Path(file).is_dir() else {"cafile": file}
        context.load_verify_locations(**where)
    return context


def _without_password(address: str) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


# --- The file ---------------------------------------------------------------------------------------------------------


def _unpack(wheel: bytes, folder: Path) -> None:
    """Write the program in place, whole or not at all."""
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        program = archive.read(f"uv-{VERSION}.data/scripts/uv")
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f"uv.{os.getpid()}"
    unfinished.write_bytes(program)
    unfinished.chmod(0o755)
    unfinished.replace(folder / "uv")


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]))
    except InstallError as refused:
        sys.exit(str(refused))
