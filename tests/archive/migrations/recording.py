"""A recorded archive: its database as SQL, and what it answered then to everybody, for a test that migrates it.

`python -m tests.archive.migrations.recording NAME` records an archive that runs on this machine, in a checkout of the
code that is to be remembered: as NAME.sql.gz and NAME.json.gz, in `recorded/`.
"""

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

FOLDER = Path(__file__).parent / "recorded"
Answers = dict[str, dict[str, Any]]
Ask = Callable[[str], Any]

# What differs from one machine, and one moment, to the next: where the archive and its store are, and signatures.
PLACE = re.compile(r"http://(?:127\.0\.0\.1|localhost|testserver)(?::\d+)?(?:/[a-z-]+-bucket|/archive[a-z0-9-]*)?")
SIGNATURE = re.compile(r"\?X-Amz-[^\"]*")


def places_aside(answer: Any) -> Any:
    """Return an answer without what differs from one machine to the next."""
    text = SIGNATURE.sub("", json.dumps(answer))
    return json.loads(PLACE.sub("PLACE", text))


def addresses(ask: Ask) -> Iterator[str]:
    """Yield the addresses below `/api/` of what there is, as `ask` tells it."""
    yield from ("dandisets/?draft=true&empty=true&page_size=100", "dandisets/?embargoed=true", "stats/", "users/me/")
    for found in ask("dandisets/?draft=true&empty=true&embargoed=true&page_size=100")["results"]:
        dandiset = f"dandisets/{found['identifier']}/"
        yield from (dandiset, f"{dandiset}users/", f"{dandiset}viewers/", f"{dandiset}versions/?page_size=100")
        yield from (f"{dandiset}reviewer-links/", f"{dandiset}uploads/", f"{dandiset}repository/versions/")
        for version in ask(f"{dandiset}versions/?page_size=100")["results"]:
            yield from _of_version(ask, f"{dandiset}versions/{version['version']}/")
    yield from ("zarr/?page_size=100", "jobs/?page_size=100")


def _of_version(ask: Ask, version: str) -> Iterator[str]:
    yield from (version, f"{version}info/", f"{version}assets/paths/", f"{version}diff/draft/")
    yield f"{version}assets/?metadata=true&page_size=100"
    for asset in ask(f"{version}assets/?page_size=100")["results"]:
        yield from (f"{version}assets/{asset['asset_id']}/", f"assets/{asset['asset_id']}/info/")
        yield f"{version}assets/paths/?path_prefix={quote(asset['path'].rpartition('/')[0])}"
        if asset["zarr"]:
            yield from (f"zarr/{asset['zarr']}/", f"zarr/{asset['zarr']}/files/")


def answered(client: httpx.Client, token: str, address: str) -> list[Any]:
    """Return status and content of what is answered to somebody."""
    headers = {"Authorization": f"token {token}"} if token else {}
    answer = client.get(f"/api/{address}", headers=headers)
    return [answer.status_code, places_aside(answer.json())]


def record(name: str, url: str, tokens: dict[str, str], database: str, pg_dump: Path) -> None:
    """Record the archive at `url`, asked by whose tokens these are, the administrator's among them."""
    with httpx.Client(base_url=url, trust_env=False, timeout=60) as client:
        known = {"Authorization": f"token {tokens['administrator']}"}
        wanted = list(dict.fromkeys(addresses(lambda address: client.get(f"/api/{address}", headers=known).json())))
        answers = {
            who: {address: answered(client, token, address) for address in wanted} for who, token in tokens.items()
        }
    dump = subprocess.run(
        [pg_dump, "--no-owner", "--no-privileges", "--inserts", database],
        capture_output=True,
        check=True,
    ).stdout
    (FOLDER / f"{name}.sql.gz").write_bytes(gzip.compress(dump, mtime=0))
    content = json.dumps({"tokens": tokens, "answers": answers}).encode()
    (FOLDER / f"{name}.json.gz").write_bytes(gzip.compress(content, mtime=0))


if __name__ == "__main__":
    record(
        sys.argv[1],
        os.environ["ARCHIVE_URL"],
        json.loads(os.environ["TOKENS"]),
        os.environ["DATABASE_URL"],
        Path(os.environ["PG_DUMP"]),
    )
