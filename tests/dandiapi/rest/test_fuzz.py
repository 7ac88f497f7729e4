"""Whatever is sent, the server answers, and never with a fault of its own."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.dandiapi.rest.api import ROOT
from tests.dandiapi.rest.test_access import OF_A_DRAFT, OF_THE_SITE
from tests.dandiapi.rest.world import Line, World
from tests.worker import MadeOnce

LINES = [Line.read(text) for text in f"{OF_THE_SITE}{OF_A_DRAFT}".splitlines() if text]
WRITES = [f"{line.method} {line.address}" for line in LINES if line.method != "GET"]
READS = [line.address.partition("?")[0] for line in LINES if line.method == "GET"]
# What the queries of all routes know.
PARAMETERS = [
    "draft",
    "empty",
    "embargoed",
    "user",
    "starred",
    "search",
    "ordering",
    "order",
    "path",
    "glob",
    "metadata",
    "zarr",
    "path_prefix",
    "page",
    "page_size",
    "content_disposition",
    "username",
    "approved_only",
    "model",
    "format",
]

few = settings(
    max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None
)

text = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(
    ["", " ", "\0", "\ud800", "..", "/", "a/../b", "\\", "%", "'", "000001", "draft", "9" * 40, "x" * 2000, "me"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.integers(2**63 - 2, 2**64 + 2) | text
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4), max_leaves=8
)


def places(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The way to every value in a body, the body itself first."""
    yield path
    items = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    for key, value in items:
        yield from places(value, (*path, key))


def replaced(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The body with another value in one place."""
    if not path:
        return value
    copy = body.copy()
    copy[path[0]] = replaced(body[path[0]], path[1:], value)
    return copy


@st.composite
def spoilt(draw: st.DrawFn, body: Any) -> Any:
    """A right body with something else in one place."""
    return replaced(body, draw(st.sampled_from(list(places(body)))), draw(values))


@pytest.fixture(scope="module", autouse=True)
def rows(made_once: MadeOnce[World]) -> World:
    return made_once(World.complete)


@pytest.fixture
def world(db: None, rows: World) -> World:
    return rows


def status(world: World, method: str, address: str, content: bytes = b"") -> int:
    """What the owner is answered; nothing of it stays."""
    owner = world.callers[3]
    owner.client.raise_request_exception = False
    with transaction.atomic():
        answer = owner.client.generic(method, f"{ROOT}{address}", content, content_type="application/json")
        transaction.set_rollback(True)
    return answer.status_code


@pytest.mark.parametrize("route", WRITES)
@few
@given(data=st.data())
def test_write_never_breaks_the_server(world: World, route: str, data: st.DataObject) -> None:
    method, address = route.split()
    body = data.draw(spoilt(world.body(route)))
    assert status(world, method, address.format_map(world), json.dumps(body).encode()) < 500  # type: ignore[arg-type]


@pytest.mark.parametrize("address", READS)
@few
@given(query=st.dictionaries(st.sampled_from(PARAMETERS) | text, text, max_size=4))
def test_read_never_breaks_the_server(world: World, address: str, query: dict[str, str]) -> None:
    encoded = urlencode(query, errors="surrogatepass")
    assert status(world, "GET", f"{address.format_map(world)}?{encoded}") < 500  # type: ignore[arg-type]


@few
@given(path=st.binary(max_size=60))
def test_address_never_breaks_the_server(path: bytes) -> None:
    client = Client(raise_request_exception=False)
    assert client.get(f"{ROOT}{''.join(f'%{byte:02x}' for byte in path)}").status_code < 500


@few
@given(content=st.binary(max_size=60))
def test_bytes_never_break_the_server(world: World, content: bytes) -> None:
    assert status(world, "POST", "dandisets/", content) < 500
