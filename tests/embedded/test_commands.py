"""The command line, as a person uses it."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.home import PROJECT, Home
from embedded.services import SERVICES, needed_services


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """The surroundings without the services that these tests themselves run beside."""
    outside = {variable for service in SERVICES for variable in service.outside_variables}
    kept = {name: value for name, value in os.environ.items() if name not in outside}
    return kept | {"ARCHIVE_HOME": str(tmp_path / "home"), "ARCHIVE_URL": ""}


def embedded(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "embedded", *arguments]
    return subprocess.run(
        command, env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=30, check=False
    )


def test_a_port_in_use_is_one_sentence_and_starts_nothing(environment: dict[str, str]) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        result = embedded(environment | {"PORT": str(port)}, "run")
    assert result.returncode == 1
    assert result.stderr.startswith(f"Port {port} is in use by another program; stop that one, or choose another port")
    assert result.stderr.count("\n") == 1
    assert sorted(file.name for file in Path(environment["ARCHIVE_HOME"]).iterdir()) == ["lock"]


def test_a_second_archive_in_the_same_home_is_told_of_the_first(environment: dict[str, str]) -> None:
    home = Home(Path(environment["ARCHIVE_HOME"]))
    with home.held("An archive", "http://127.0.0.1:8123"):
        result = embedded(environment, "run")
    assert result.returncode == 1
    assert result.stderr == (
        f"An archive is already running in {home.folder} at http://127.0.0.1:8123 (process {os.getpid()}); "
        "stop that first.\n"
    )


def test_a_port_that_is_no_number_is_said_so(environment: dict[str, str]) -> None:
    result = embedded(environment | {"PORT": "web"}, "run")
    assert (result.returncode, result.stderr) == (1, "PORT is 'web', which is no port number.\n")


def test_without_an_archive_there_is_no_environment_to_print(environment: dict[str, str]) -> None:
    result = embedded(environment, "env")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("No archive is running in ")


def test_a_command_runs_beside_services_and_another_beside_the_same_ones(environment: dict[str, str]) -> None:
    script = (
        "import os, subprocess, sys, urllib.request, psycopg, redis\n"
        "psycopg.connect(os.environ['DATABASE_URL']).close()\n"
        "redis.from_url(os.environ['REDIS_URL']).ping()\n"
        "urllib.request.urlopen(os.environ['S3_ENDPOINT_URL'] + '/_ministack/ready').close()\n"
        "inner = [sys.executable, '-m', 'embedded', 'exec', '--', 'printenv', 'DATABASE_URL']\n"
        "home = {'ARCHIVE_HOME': os.environ['ARCHIVE_HOME'], 'PATH': os.environ['PATH']}\n"
        "found = subprocess.run(inner, env=home, capture_output=True, text=True).stdout.strip()\n"
        "print(found == os.environ['DATABASE_URL'])\n"
        "sys.exit(7)\n"
    )
    result = embedded(environment, "exec", "--throwaway", "--", "python", "-c", script)
    assert (result.stdout, result.stderr, result.returncode) == ("True\n", "", 7)


def test_the_store_cannot_be_emptied_from_outside(environment: dict[str, str]) -> None:
    script = (
        "import os, urllib.error, urllib.request\n"
        "request = urllib.request.Request(os.environ['S3_ENDPOINT_URL'] + '/_ministack/reset', method='POST')\n"
        "try: urllib.request.urlopen(request)\n"
        "except urllib.error.HTTPError as error: print(error.code)\n"
    )
    result = embedded(environment, "exec", "--throwaway", "--", "python", "-c", script)
    assert (result.stdout, result.stderr, result.returncode) == ("404\n", "", 0)


def test_services_listen_on_this_machine_alone(environment: dict[str, str]) -> None:
    script = (
        "import os, psutil\n"
        "from pathlib import Path\n"
        "from embedded.home import Home\n"
        "for record in Home(Path(os.environ['ARCHIVE_HOME'])).processes():\n"
        "    leader = psutil.Process(record['pid'])\n"
        "    for process in [leader, *leader.children(recursive=True)]:\n"
        "        for socket in process.net_connections('inet'):\n"
        "            if socket.status == psutil.CONN_LISTEN: print(socket.laddr.ip)\n"
    )
    result = embedded(environment, "exec", "--throwaway", "--", "python", "-c", script)
    assert (set(result.stdout.split()), result.stderr) == ({"127.0.0.1"}, "")


@pytest.mark.parametrize(
    ("variable", "started"),
    [
        ("UNRELATED", ["postgres", "valkey", "store"]),
        ("DATABASE_URL", ["valkey", "store"]),
        ("REDIS_URL", ["postgres", "store"]),
        ("S3_ENDPOINT_URL", ["postgres", "valkey"]),
        ("AWS_ACCESS_KEY_ID", ["postgres", "valkey"]),
    ],
)
def test_a_service_that_the_environment_names_is_not_started(tmp_path: Path, variable: str, started: list[str]) -> None:
    services = needed_services(Home(tmp_path), {variable: "outside"}, durable=True)
    assert [service.name for service in services] == started
