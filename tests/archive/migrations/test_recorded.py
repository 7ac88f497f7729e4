"""An archive of before is migrated, and answers everybody as it did: what is new is added, and nothing else differs."""

import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.archive.migrations.asking import is_kept
from tests.archive.migrations.recording import FOLDER, places_aside
from tests.house.sources import PROJECT

RECORDED = sorted(path.name.removesuffix(".sql.gz") for path in FOLDER.glob("*.sql.gz"))


class Migrated(NamedTuple):
    """A recorded archive whose database has been migrated, and the address of that."""

    name: str
    database: str

    def run(self, *arguments: str) -> str:
        """Return what a Python program prints that has this database."""
        variables = {**os.environ, "DATABASE_URL": self.database}
        command = [sys.executable, *arguments]
        done = subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module", params=RECORDED)
def migrated(request: pytest.FixtureRequest) -> Iterator[Migrated]:
    """A recorded archive, restored into a database of its own, and migrated."""
    server = urlsplit(os.environ["DATABASE_URL"])
    database = f"recorded_{os.getpid()}"
    with psycopg.connect(server.geturl(), autocommit=True) as connected:
        connected.execute(SQL("CREATE DATABASE {} TEMPLATE template0").format(Identifier(database)))
        archive = Migrated(request.param, server._replace(path=f"/{database}").geturl())
        try:
            with psycopg.connect(archive.database, autocommit=True) as restored:
                restored.execute(_sql_of(archive.name))
            archive.run("manage.py", "migrate", "--verbosity", "0")
            yield archive
        finally:
            connected.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(database)))


def _sql_of(name: str) -> bytes:
    """Return the SQL that makes a database the recorded one, without commands of psql."""
    sql = gzip.decompress((FOLDER / f"{name}.sql.gz").read_bytes())
    return re.sub(rb"^\\(un)?restrict .*$", b"", sql, flags=re.MULTILINE)


def test_archive_of_before_answers_as_it_did_once_it_is_migrated(migrated: Migrated) -> None:
    assert json.loads(migrated.run("-m", "tests.archive.migrations.asking", migrated.name)) == []


def test_archive_of_before_has_what_is_new_once_it_is_migrated(migrated: Migrated) -> None:
    with psycopg.connect(migrated.database) as connected:
        versions = connected.execute("SELECT ordinal, rules, is_closed FROM archive_version WHERE at IS NOT NULL")
        assert set(versions.fetchall()) == {(1, "dandi", False)}
        people = connected.execute("SELECT count(*), count(DISTINCT uuid) FROM archive_user").fetchone()
        assert people is not None
        assert people[0] == people[1] > 1
        repositories = (
            "SELECT r.tells_urls, d.access FROM archive_repository r JOIN archive_dataset d ON number = dataset_id"
        )
        told = connected.execute(repositories)
        assert {(is_told, access != "EMBARGOED") for is_told, access in told.fetchall()} <= {
            (True, True),
            (False, False),
        }


def test_summaries_of_an_archive_of_before_are_counted_once_it_is_migrated(migrated: Migrated) -> None:
    assert migrated.run("manage.py", "recount_summaries", "--all", "--dry-run") == "0 values are counted wrong.\n"
    with psycopg.connect(migrated.database) as connected:
        assert connected.execute("SELECT sum(asset_count) > 0 FROM archive_summaryvalue").fetchone() == (True,)


def test_difference_is_noticed() -> None:
    before = {"a": [1, {"b": 2}], "last_used": 1}
    assert is_kept(before, {"a": [1, {"b": 2, "new": 3}], "last_used": 2})
    assert not is_kept(before, {"a": [1, {"b": 3}]})
    assert not is_kept(before, {"a": [1]})
    assert not is_kept(before, {"last_used": 1})
    assert places_aside("http://127.0.0.1:80/api/") == places_aside("http://testserver/api/")
