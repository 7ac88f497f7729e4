"""Asking an archive again what a recorded one was asked: the database that DATABASE_URL names, in this process.

`python -m tests.archive.migrations.asking NAME` prints who is answered otherwise.
"""

import gzip
import json
import sys
from typing import Any

import django

from tests.archive.migrations.recording import FOLDER, places_aside

# What is there for a while only, or is told as it is now.
PASSING = {"last_used"}


def is_kept(before: Any, after: Any) -> bool:
    """Return whether all that was said is still said; objects may say more."""
    if isinstance(before, dict) and isinstance(after, dict):
        return all(key in PASSING or (key in after and is_kept(value, after[key])) for key, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(is_kept, before, after))
    return bool(before == after)


def differing(recorded: dict[str, Any]) -> list[list[Any]]:
    """Return who is answered otherwise than they were, at which address, and with which statuses."""
    from django.test import Client

    client, found = Client(), []
    for who, answers in recorded["answers"].items():
        token = recorded["tokens"][who]
        headers = {"Authorization": f"token {token}"} if token else {}
        for address, (status, content) in answers.items():
            answer = client.get(f"/api/{address}", headers=headers)
            if answer.status_code != status or not is_kept(content, places_aside(json.loads(answer.content))):
                found.append([who, address, status, answer.status_code, answer.content.decode()[:2000], content])
    return found


if __name__ == "__main__":
    django.setup()
    print(json.dumps(differing(json.loads(gzip.decompress((FOLDER / f"{sys.argv[1]}.json.gz").read_bytes())))))
