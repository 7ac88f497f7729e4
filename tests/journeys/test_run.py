"""Starting and stopping the archive, the ways in which people do that."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from embedded.home import port_is_free
from tests.journeys.client import DandiClient
from tests.journeys.rest import add_file, create_dandiset, rest_client, success, wait_until_valid
from tests.journeys.running import RunningArchive, free_port, is_running

pytestmark = [pytest.mark.journey, pytest.mark.timeout(180)]
DEFAULT_PORT = 8000
CONTENT = b"Bytes that outlive a crash."


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningArchive]:
    """An archive beside that of the other journeys; on the port that people get when they ask for none, if it is free.

    A first start takes long: this one serves all tests of this module, and each leaves it running.
    """
    port = DEFAULT_PORT if port_is_free(DEFAULT_PORT) else free_port()
    archive = RunningArchive(tmp_path_factory.mktemp("beside") / "home", port)
    archive.start()
    yield archive
    assert archive.interrupt() == 0


def test_data_outlive_ctrl_c_and_a_crash(archive: RunningArchive) -> None:
    dandiset = write_something(archive)
    pids = running_pids(archive)

    assert archive.interrupt() == 0
    assert not any(is_running(pid) for pid in pids)
    assert port_is_free(archive.port)

    archive.start()
    assert read_something(archive, dandiset) == CONTENT
    archive.kill_everything()

    archive.start()
    assert read_something(archive, dandiset) == CONTENT


def test_the_instance_that_the_client_knows_by_name(archive: RunningArchive, tmp_path: Path) -> None:
    if archive.port != DEFAULT_PORT:
        pytest.skip("The client knows a local instance at port 8000 only, and that is taken.")
    dandi = DandiClient(archive.api_url, archive.token, tmp_path)
    name = "dandi-api-local-docker-tests"
    dandiset = dandi.script("create_dandiset", "By name", name, DANDI_INSTANCEHOST="127.0.0.1")
    said = dandi.run("ls", f"dandi://{name}/{dandiset}@draft", DANDI_INSTANCEHOST="127.0.0.1")
    assert "By name" in said


def test_a_port_in_use_is_said_in_one_sentence(running_archive: RunningArchive, tmp_path: Path) -> None:
    second = RunningArchive(tmp_path / "home", running_archive.port)
    assert second.launch().wait(30) == 1
    (line,) = second.log.read_text().splitlines()
    assert line.startswith(f"Port {running_archive.port} is in use")


def test_a_home_in_use_is_said_in_one_sentence(running_archive: RunningArchive, tmp_path: Path) -> None:
    second = RunningArchive(running_archive.home.folder, free_port())
    second.log = tmp_path / "log"
    assert second.launch().wait(30) == 1
    (line,) = second.log.read_text().splitlines()
    assert f"already running in {running_archive.home.folder} at {running_archive.url}" in line


def test_two_archives_side_by_side(running_archive: RunningArchive, archive: RunningArchive) -> None:
    with rest_client(running_archive) as api, rest_client(archive) as other_api:
        create_dandiset(api, "Only in the first")
        create_dandiset(other_api, "Only in the second")
        assert names(api) & {"Only in the first", "Only in the second"} == {"Only in the first"}
        assert names(other_api) & {"Only in the first", "Only in the second"} == {"Only in the second"}


def names(api: httpx.Client) -> set[str]:
    """What the newest datasets are called."""
    listed = success(api.get("/dandisets/", params={"ordering": "-created"})).json()["results"]
    return {dandiset["draft_version"]["name"] for dandiset in listed}


def write_something(archive: RunningArchive) -> str:
    """Creates a dandiset with a file in it; returns its identifier."""
    with rest_client(archive) as api:
        dandiset = create_dandiset(api, "Kept")
        add_file(api, dandiset, "kept.txt", CONTENT)
        wait_until_valid(api, dandiset)
    return dandiset


def read_something(archive: RunningArchive, dandiset: str) -> bytes:
    """The bytes of the only file in it."""
    with rest_client(archive) as api:
        (asset,) = success(api.get(f"/dandisets/{dandiset}/versions/draft/assets/")).json()["results"]
        redirect = api.get(f"/assets/{asset['asset_id']}/download/")
    return success(httpx.get(redirect.headers["Location"], trust_env=False)).content


def running_pids(archive: RunningArchive) -> list[int]:
    """All processes that it has started."""
    return [record["pid"] for record in archive.home.processes()]
