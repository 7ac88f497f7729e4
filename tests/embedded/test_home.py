"""ARCHIVE_HOME: what is remembered, who may hold it, what an earlier archive left running."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded import session
from embedded.home import THROWAWAY_PREFIX, Home
from embedded.processes import EmbeddedError, ProcessRecord, describe, end_leftovers, is_running, kill_group
from embedded.services import Postgres


@pytest.fixture
def home(tmp_path: Path) -> Home:
    home = Home(tmp_path / "home")
    home.create()
    return home


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "60"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def test_ports_and_secrets_are_remembered_where_only_their_owner_reads_them(home: Home) -> None:
    port, secret = home.port("postgres"), home.secret("django")
    again = Home(home.folder)
    assert (again.port("postgres"), again.secret("django")) == (port, secret)
    assert home.state_file.stat().st_mode & 0o777 == 0o600


def test_a_remembered_port_that_somebody_took_is_replaced(home: Home) -> None:
    port = home.port("postgres")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", port))
        listener.listen()
        other = home.port("postgres")
    assert other != port
    assert home.port("postgres") == other


def test_a_damaged_memory_is_named(home: Home) -> None:
    home.state_file.write_text("{")
    with pytest.raises(EmbeddedError, match=r"state\.json cannot be read as JSON"):
        home.read()


def test_a_home_is_held_once(home: Home) -> None:
    with home.held("An archive", "http://127.0.0.1:8000") as first, Home(home.folder).held("A command", "") as second:
        assert (first, second) == (True, False)
        assert home.occupant() == {"pid": os.getpid(), "url": "http://127.0.0.1:8000", "what": "An archive"}
    with home.held("A command", "") as third:
        assert third


def test_the_lock_and_the_announcement_of_a_killed_holder_are_not_in_the_way(home: Home) -> None:
    script = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from embedded.home import Home\n"
        "home = Home(Path(sys.argv[1]))\n"
        "with home.held('An archive', ''):\n"
        "    home.announce({'A': 'b'})\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(home.folder)], stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    assert home.environment() == {"A": "b"}
    holder.kill()
    holder.communicate()
    assert home.environment() is None
    with home.held("A command", "") as mine:
        assert mine


def test_leftovers_are_ended(sleeper: subprocess.Popen[bytes]) -> None:
    record = describe("web", sleeper.pid)
    assert record
    assert end_leftovers([record]) == ["web"]
    assert sleeper.wait(5) == -signal.SIGTERM


def test_a_process_that_was_given_a_recorded_number_later_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    record = describe("web", sleeper.pid)
    assert record
    assert end_leftovers([record | {"started": record["started"] - 60}]) == []
    assert sleeper.poll() is None


@pytest.fixture
def orphan() -> Iterator[tuple[ProcessRecord, int]]:
    """The record of a process that was killed, and the number of its child, which ignores SIGTERM."""
    script = "trap '' TERM; sleep 60 & echo $!; read line"
    parent = subprocess.Popen(
        ["/bin/sh", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
    )
    assert parent.stdout
    child = int(parent.stdout.readline())
    record = describe("web", parent.pid)
    assert record
    parent.kill()
    parent.wait()
    yield record, child
    kill_group(parent.pid)


def test_the_children_of_a_process_that_is_gone_are_leftovers(orphan: tuple[ProcessRecord, int]) -> None:
    record, child = orphan
    assert end_leftovers([json.loads(json.dumps(record))], grace_seconds=0.2) == ["web"]
    assert not is_running(child)


def test_what_was_recorded_before_the_machine_was_started_has_left_nothing(orphan: tuple[ProcessRecord, int]) -> None:
    record, child = orphan
    assert end_leftovers([ProcessRecord(name="web", pid=record["pid"], started=1.0)]) == []
    assert is_running(child)


# --- Others at the same time ------------------------------------------------------------------------------------------


def test_clean_up_goes_on_when_another_has_removed_a_home_before_it_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = Home.create

    def outrun(home: Home) -> None:
        created(home)
        home.remove()

    monkeypatch.setattr(session, "PROJECT", tmp_path)
    for name in ("one", "two"):
        home = Home(tmp_path / f"{THROWAWAY_PREFIX}{name}")
        home.create()
        home.remember(processes=[])
    monkeypatch.setattr(Home, "create", outrun)
    session.remove_abandoned_homes()
    assert list(tmp_path.iterdir()) == []


def test_lock_of_a_server_is_not_cleared_when_it_is_gone_by_then(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    postgres = Postgres(home)
    monkeypatch.setattr(Path, "exists", lambda _: True)
    postgres._clear_stale_lock()
    assert not list(home.folder.glob("postgres/*"))
