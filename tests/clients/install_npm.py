"""Puts the packages of `npm.lock` into the folder `node_modules` beside it: `python3 install_npm.py`.

They are clients that tests run with Playwright's own node, so no npm is asked of the machine. A line names the place of
a package, its version and its digest, against which it is held. Where the registry cannot be reached nothing is put
there, and the tests that need it are skipped.
"""

import base64
import hashlib
import io
import os
import sys
import tarfile
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
REGISTRY = os.environ.get("NPM_CONFIG_REGISTRY", "https://registry.npmjs.org").rstrip("/")
SECONDS = 60
CONNECTIONS = 8


def main() -> None:
    """Install all, or say that the registry cannot be reached."""
    lines = (HERE / "npm.lock").read_text().splitlines()
    packages = [line.split() for line in lines if line and not line.startswith("#")]
    with ThreadPoolExecutor(CONNECTIONS) as threads:
        archives = [(place, threads.submit(fetched, place, *pinned)) for place, *pinned in packages]
    try:
        for place, archive in archives:
            unpack(archive.result(), MODULES / place)
    except urllib.error.URLError as error:
        print(f"No clients of {REGISTRY} are installed, and their tests are skipped: {error}", file=sys.stderr)
        return
    (MODULES / ".installed").touch()


def fetched(place: str, version: str, integrity: str) -> bytes:
    """The archive of a package; ends the program when it is not what was pinned."""
    name = place.rpartition("node_modules/")[2]
    url = f"{REGISTRY}/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
    with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # noqa: S310 - whoever names a registry trusts it
        archive: bytes = answer.read()
    if f"sha512-{base64.b64encode(hashlib.sha512(archive).digest()).decode()}" != integrity:
        sys.exit(f"{name} {version} is not what tests/clients/npm.lock pins.")
    return archive


def unpack(archive: bytes, folder: Path) -> None:
    """Write the files of a package, which are below one folder in its archive."""
    with tarfile.open(fileobj=io.BytesIO(archive)) as packed:
        for member in packed:
            inside = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            content = packed.extractfile(member) if ".." not in inside.parts else None
            if content:
                (folder / inside).parent.mkdir(parents=True, exist_ok=True)
                (folder / inside).write_bytes(content.read())


if __name__ == "__main__":
    main()
