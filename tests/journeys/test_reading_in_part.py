"""Real programs, and a page of another origin, that ask how long content is, and read the end of it."""

import os
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.journeys.client import PROGRAMS
from tests.journeys.rest import VALID_METADATA, add_file, create_dandiset, md5, rest_client, success
from tests.journeys.running import RunningArchive, wait_for
from tests.machine import require_wget

# Content that nobody has sent before. What is open cannot be embargoed too, so there is another that ends alike.
END = uuid.uuid4().hex
CONTENT, SECRET = f"open {END}".encode(), f"shut {END}".encode()
LENGTH = str(len(CONTENT))
PLACES = ["flat", "nested", "embargoed", "Zarr", "Zarr file", "store"]
ASK = """async ([url, method, headers]) => {
  const answer = await fetch(url, {method, headers, cache: "no-store"});
  return {status: answer.status, text: await answer.text(), headers: Object.fromEntries(answer.headers)};
}"""

pytestmark = [pytest.mark.journey, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def places(running_archive: RunningArchive) -> dict[str, str]:
    """The address of content of the same length at each door."""
    with rest_client(running_archive) as api:
        dandiset = create_dandiset(api, "Read in part")
        asset = asset_in(api, dandiset, CONTENT)
        zarr = zarr_in(api, dandiset)
        flat = f"{running_archive.api_url}/assets/{asset}/download/"
        return {
            "flat": flat,
            "nested": f"{running_archive.api_url}/dandisets/{dandiset}/versions/draft/assets/{asset}/download/",
            "embargoed": f"{running_archive.api_url}/assets/{asset_in(api, embargoed(api), SECRET)}/download/",
            "Zarr": f"{running_archive.api_url}/zarr/{zarr}/content/0/0",
            "Zarr file": f"{running_archive.api_url}/zarr/{zarr}/files/?prefix=0/0&download=true",
            "store": wait_for(lambda: lasting_address(api, flat), 60),
        }


def asset_in(api: httpx.Client, dandiset: str, content: bytes) -> str:
    add_file(api, dandiset, "a.txt", content)
    [asset] = success(api.get(f"/dandisets/{dandiset}/versions/draft/assets/")).json()["results"]
    identifier: str = asset["asset_id"]
    return identifier


def embargoed(api: httpx.Client) -> str:
    made = api.post("/dandisets/?embargo=true", json={"name": "Read in part", "metadata": VALID_METADATA})
    identifier: str = success(made).json()["identifier"]
    return identifier


def zarr_in(api: httpx.Client, dandiset: str) -> str:
    zarr_id: str = success(api.post("/zarr/", json={"name": "a.zarr", "dandiset": dandiset})).json()["zarr_id"]
    [url] = success(api.post(f"/zarr/{zarr_id}/files/", json=[{"path": "0/0", "base64md5": md5(CONTENT)}])).json()
    success(httpx.put(url, content=CONTENT, headers={"Content-MD5": md5(CONTENT)}, trust_env=False))
    success(api.post(f"/zarr/{zarr_id}/finalize/"))
    wait_for(lambda: complete(api, zarr_id), 60)
    return zarr_id


def complete(api: httpx.Client, zarr_id: str) -> None:
    if success(api.get(f"/zarr/{zarr_id}/")).json()["status"] != "Complete":
        raise LookupError("It is not complete yet.")


def lasting_address(api: httpx.Client, flat: str) -> str:
    """Where the store gives the content to anybody, as soon as it does."""
    address = api.get(flat).headers["Location"].partition("?")[0]
    if httpx.head(address, trust_env=False).status_code != 200:
        raise LookupError("The store does not give it yet.")
    return address


# --- Programs ---------------------------------------------------------------------------------------------------------

REQUESTS = """
import sys, requests
answer = requests.head(sys.argv[1], headers=dict([sys.argv[2].split(": ")]), allow_redirects=True)
print(answer.status_code, answer.headers["Content-Length"])
"""
AIOHTTP = """
import asyncio, sys, aiohttp

async def ask():
    async with aiohttp.ClientSession(headers=dict([sys.argv[2].split(": ")])) as session:
        async with session.head(sys.argv[1], allow_redirects=True) as answer:
            print(answer.status, answer.headers["Content-Length"])

asyncio.run(ask())
"""


def run(*command: str | Path) -> str:
    environment = {"PATH": os.environ["PATH"], "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1", "LC_ALL": "C"}
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=False)
    return finished.stdout + finished.stderr


@pytest.mark.parametrize("script", [REQUESTS, AIOHTTP], ids=["requests", "aiohttp"])
def test_library_sees_how_long_it_is(running_archive: RunningArchive, places: dict[str, str], script: str) -> None:
    token = f"Authorization: token {running_archive.token}"
    doors = {door: url for door, url in places.items() if door != "store"}
    found = {door: run(PROGRAMS / "python", "-c", script, url, token) for door, url in doors.items()}
    assert found == dict.fromkeys(doors, f"200 {LENGTH}\n")


def test_wget_sees_how_long_it_is(running_archive: RunningArchive, places: dict[str, str]) -> None:
    require_wget()
    token = f"--header=Authorization: token {running_archive.token}"
    found = {door: run("wget", "--spider", "--no-config", token, url) for door, url in places.items()}
    assert {door: said for door, said in found.items() if f"Length: {LENGTH} " not in said} == {}


# --- A page of another origin -----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def ask(browser: Browser, web_app: str, running_archive: RunningArchive) -> Iterator[Callable[..., Any]]:
    """Has a page that lives at another origin ask, as somebody with a token."""
    with browser.new_context() as context:
        page: Page = context.new_page()
        page.goto(f"{web_app}/index.html")

        def fetch(url: str, method: str = "GET", **headers: str) -> Any:
            if "/api/" in url:
                headers["Authorization"] = f"token {running_archive.token}"
            return page.evaluate(ASK, [url, method, headers])

        yield fetch


@pytest.mark.parametrize("door", PLACES)
def test_page_sees_how_long_it_is(ask: Callable[..., Any], places: dict[str, str], door: str) -> None:
    answer = ask(places[door], "HEAD")
    assert (answer["status"], answer["headers"]["content-length"]) == (200, LENGTH)
    assert answer["headers"].keys() >= {"accept-ranges", "etag"}


@pytest.mark.parametrize("door", PLACES)
def test_page_reads_a_range_and_sees_where_it_is(ask: Callable[..., Any], places: dict[str, str], door: str) -> None:
    for wanted, first, last in [("bytes=-3", 34, 36), ("bytes=5-7", 5, 7), ("bytes=35-", 35, 36)]:
        answer = ask(places[door], Range=wanted)
        assert (answer["status"], answer["text"]) == (206, CONTENT[first : last + 1].decode())
        assert answer["headers"]["content-range"] == f"bytes {first}-{last}/{LENGTH}"
        assert answer["headers"].keys() >= {"accept-ranges", "content-length", "etag"}
