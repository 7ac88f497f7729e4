"""Clients that are slow, or say nothing: they hold no thread, and are sent away."""

import socket
import time
from collections.abc import Iterator
from select import POLLERR, poll, select
from statistics import median

import pytest

from dandiapi.server.worker import OTHER_FILES
from tests.dandiapi.server.echo import BIG
from tests.dandiapi.server.serving import PATIENCE, Server, request, rest_of, status_of

# More than there are threads, and than 200.
MANY = 240
RATE = 1024
SPOOL = 2**20
PROMPTLY = 1.0
# By when the last of the slow is gone: a server that looks once a second, on a machine that has more to do.
GONE = PATIENCE + 6
PUT = "/git-annex/0/v4/put?key=x"
KEEPLOCKED = "/git-annex/0/v4/keeplocked?lockid=x"

SLOW = {
    "silent": b"",
    "head": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n",
    "length": request("POST", "/", b"a", Content_Length="1000"),
    "chunks": request("POST", "/", b"1\r\na\r\n", Transfer_Encoding="chunked"),
    "after another": request("GET", "/") + request("POST", "/", b"a", Content_Length="1000"),
    "expecting": request("POST", "/", Content_Length="1000", Expect="100-continue"),
}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server(
        "tests.dandiapi.server.echo:application", REQUEST_SPOOL_BYTES=str(SPOOL), REQUEST_MIN_RATE=str(RATE)
    )
    try:
        server.wait_until_ready("/")
        yield server
    finally:
        server.stop()


def seconds_of(server: Server) -> float:
    """How long a request takes that is like others, at a machine that has more to do."""
    return median(seconds_of_one(server) for _ in range(5))


def seconds_of_one(server: Server) -> float:
    began = time.monotonic()
    assert server.status("/") == 200
    return time.monotonic() - began


def wait_until_cut_off(sock: socket.socket) -> None:
    """Wait until the connection has ended, without reading anything."""
    cut = poll()
    cut.register(sock, POLLERR)
    assert cut.poll(GONE * 1000)


def test_slow_senders_hold_nothing_and_are_sent_away(server: Server) -> None:
    with server.connections([*SLOW.values()] * (MANY // len(SLOW))) as sockets:
        assert seconds_of(server) < PROMPTLY
        began = time.monotonic()
        for sock in sockets:
            rest_of(sock)
        assert time.monotonic() - began < GONE


@pytest.mark.parametrize("sent", [SLOW["head"], SLOW["length"], SLOW["chunks"]], ids=["head", "length", "chunks"])
def test_slow_sender_is_told_why_it_is_sent_away(server: Server, sent: bytes) -> None:
    assert status_of(server.exchange(sent)) == 408


def test_slow_sender_that_goes_on_a_little_at_a_time_is_sent_away(server: Server) -> None:
    with server.connect(SLOW["length"]) as sock:
        began = time.monotonic()
        while not select([sock], [], [], 0.1)[0] and time.monotonic() - began < GONE:
            sock.sendall(b"a")
        assert status_of(rest_of(sock)) == 408
        assert time.monotonic() - began > PATIENCE / 2


def test_slow_sender_that_is_fast_enough_is_answered(server: Server) -> None:
    pieces = int(2 * PATIENCE / 0.1)
    size = pieces * RATE // 2
    with server.connect(request("POST", "/", Content_Length=str(size), Connection="close")) as sock:
        for _ in range(pieces):
            sock.sendall(b"a" * (RATE // 2))
            time.sleep(0.1)
        assert status_of(rest_of(sock)) == 200


def test_slow_sender_of_what_is_read_as_it_comes_gives_its_thread_back(server: Server) -> None:
    sent = request("POST", PUT, b"x" * (SPOOL + 1), Content_Length=str(2 * SPOOL))
    with server.connections([sent] * 20) as sockets:
        for sock in sockets:
            assert status_of(rest_of(sock)) == 500
    assert seconds_of(server) < PROMPTLY


def test_slow_end_of_a_lock_holds_nothing_and_is_answered(server: Server) -> None:
    sent = request("POST", KEEPLOCKED, b"1\r\n{\r\n", Transfer_Encoding="chunked")
    with server.connections([sent] * MANY) as sockets:
        assert seconds_of(server) < PROMPTLY
        assert status_of(rest_of(sockets[0])) == 200


def test_lock_ends_at_once_when_its_client_says_so(server: Server) -> None:
    began = time.monotonic()
    sent = request("POST", KEEPLOCKED, b"1\r\n{\r\n0\r\n\r\n", Transfer_Encoding="chunked", Connection="close")
    assert status_of(server.exchange(sent)) == 200
    assert time.monotonic() - began < PROMPTLY


def test_slow_readers_hold_nothing_and_are_sent_away(server: Server) -> None:
    with server.connections([request("GET", "/big")] * 20) as sockets:
        assert seconds_of(server) < PROMPTLY
        for sock in sockets:
            wait_until_cut_off(sock)
            assert len(rest_of(sock)) < len(BIG)


def test_slow_readers_of_long_answers_give_their_places_back(server: Server) -> None:
    with server.connections([request("GET", "/endless")] * 2):
        time.sleep(0.5)
        assert server.status("/endless") == 503
        assert seconds_of(server) < PROMPTLY
        deadline = time.monotonic() + GONE
        while (status := _first_status(server, "/endless")) == 503 and time.monotonic() < deadline:
            time.sleep(0.2)
        assert status == 200


def test_slow_reader_that_is_fast_enough_gets_all(server: Server) -> None:
    with server.connect() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**16)
        sock.sendall(request("GET", "/big", Connection="close"))
        began = time.monotonic()
        size = 0
        while chunk := sock.recv(2**18):
            size += len(chunk)
            if time.monotonic() - began < 2 * PATIENCE:
                time.sleep(0.05)
        assert size > len(BIG)


def test_slow_clients_make_room_for_others() -> None:
    """With as many connections as a process may have, whoever would be sent away first goes first."""
    server = Server("tests.dandiapi.server.echo:application", files=OTHER_FILES + 50, REQUEST_PATIENCE="60")
    try:
        server.wait_until_ready("/")
        with server.connections([b"GET"] * 100) as sockets:
            assert seconds_of(server) < PROMPTLY
            assert rest_of(sockets[0]) == b""
    finally:
        server.stop()


def _first_status(server: Server, path: str) -> int:
    with server.connect(request("GET", path)) as sock:
        return status_of(sock.recv(64))
