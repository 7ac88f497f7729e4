"""A connection between its threads, in the orders that hardly ever happen."""

import math
import socket
from collections.abc import Iterator
from unittest.mock import Mock

import pytest

from dandiapi.server.bodies import Spools
from dandiapi.server.connection import Connection
from dandiapi.server.limits import Limits
from tests.dandiapi.server.serving import request

LIMITS = Limits(patience=30, rate=100, seconds=600, spool=2**20, spools=2**24)


class Client:
    """A client, and a connection to it whose worker does nothing by itself."""

    def __init__(self) -> None:
        ours, self.sock = socket.socketpair()
        ours.setblocking(False)  # noqa: FBT003 - it has no name
        self.worker = Mock(limits=LIMITS, spools=Spools(LIMITS.spools), alive=True)
        self.worker.cfg.keepalive = 95
        self.connection = Connection(self.worker, ours, ("", 0), ("", 0))

    def sends(self, data: bytes) -> None:
        self.sock.sendall(data)
        self.connection.read()

    def ends(self) -> None:
        self.sock.shutdown(socket.SHUT_WR)
        self.connection.read()

    @property
    def asked(self) -> list[bytes]:
        """What threads were given to answer."""
        return [call.args[1].url for call in self.worker.submit.call_args_list]

    def is_answered(self) -> None:
        """The last that was given to a thread is done; what comes after it is not done yet."""
        self.connection.finish(self.worker.submit.call_args.args[1], keeps=True)

    def goes_on(self) -> None:
        """Do what threads have asked for."""
        for call in self.worker.call.call_args_list:
            call.args[0]()


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client()
    yield client
    client.sock.close()
    client.connection.sock.close()


def test_request_that_comes_as_an_answer_ends_does_not_overtake_those_that_wait(client: Client) -> None:
    client.sends(request("GET", "/first") + request("GET", "/second"))
    client.is_answered()
    client.sends(request("GET", "/third"))
    client.goes_on()
    client.is_answered()
    client.goes_on()
    assert client.asked == [b"/first", b"/second", b"/third"]


def test_end_of_input_as_an_answer_ends_loses_none_of_those_that_wait(client: Client) -> None:
    client.sends(request("GET", "/first") + request("GET", "/second"))
    client.is_answered()
    client.ends()
    client.goes_on()
    assert client.asked == [b"/first", b"/second"]


def test_request_that_was_given_up_is_the_last_of_its_connection(client: Client) -> None:
    """What comes on of it would pass for the beginning of another."""
    client.sends(request("GET", "/first") + request("POST", "/second", b"a", Content_Length="100"))
    client.connection.late()
    client.is_answered()
    client.goes_on()
    client.sends(b"b" * 99 + request("GET", "/third"))
    assert client.asked == [b"/first"]


def test_part_of_the_next_request_puts_no_limit_on_an_answer(client: Client) -> None:
    client.sends(request("GET", "/first") + request("POST", "/second", b"a", Content_Length="100"))
    assert client.connection.pace.deadline == math.inf


def test_small_pieces_that_are_kept_wake_the_other_thread_once(client: Client) -> None:
    client.connection.send(b"x" * 2**22)
    for _ in range(100):
        client.connection.send(b"y")
    assert client.worker.call.call_count == 1


def test_reader_that_takes_all_is_waited_for_no_more(client: Client) -> None:
    client.sends(request("GET", "/"))
    client.connection.send(b"x" * 2**22)
    assert client.connection.pace.deadline < math.inf
    size = 0
    while size < 2**22:
        size += len(client.sock.recv(2**20))
        client.connection.flush()
    client.connection.wait_for_room()
    assert client.connection.pace.deadline == math.inf


def test_reader_is_waited_for_though_all_of_its_request_has_come(client: Client) -> None:
    size = LIMITS.spool + 2**16
    sent = request("POST", "/git-annex/0/v4/put", b"x" * size, Content_Length=str(size + 1))
    for start in range(0, len(sent), 2**15):
        client.sends(sent[start : start + 2**15])
    assert client.asked == [b"/git-annex/0/v4/put"]
    client.connection.send(b"x" * 2**22)
    client.sends(b"x")
    assert client.worker.submit.call_args.args[1].body.is_whole
    assert client.connection.pace.deadline < math.inf
