"""HTTP as the server speaks it: requests however they come, answers however they are made."""

import json
import re
import signal
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.dandiapi.server.serving import Server, request, rest_of, status_of

SPOOL = 2**20
# Where bodies may be of any size.
PUT = "/git-annex/0/v4/put?key=x"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    server = Server("tests.dandiapi.server.echo:application", REQUEST_SPOOL_BYTES=str(SPOOL))
    try:
        server.wait_until_ready("/")
        yield server
    finally:
        server.stop()


def told(answer: bytes) -> dict[str, Any]:
    """What the application was asked."""
    known: dict[str, Any] = json.loads(body_of(answer))
    return known


def body_of(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def post(path: str, body: bytes, *, is_chunked: bool) -> bytes:
    half = len(body) // 2
    sent = in_chunks(*filter(None, (body[:half], body[half:]))) if is_chunked else body
    header = {"Transfer_Encoding": "chunked"} if is_chunked else {"Content_Length": str(len(body))}
    return request("POST", path, sent, Connection="close", **header)


def in_chunks(*chunks: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(chunk), chunk) for chunk in (*chunks, b""))


def test_request_reaches_the_application_as_wsgi_has_it(server: Server) -> None:
    environ = told(server.exchange(request("GET", "/a%20b/%C3%A4?c=%20d", X_One="1", Connection="close")))
    assert environ["REQUEST_METHOD"] == "GET"
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/a b/ä"
    assert environ["QUERY_STRING"] == "c=%20d"
    assert environ["HTTP_X_ONE"] == "1"
    assert environ["HTTP_HOST"] == "127.0.0.1"
    assert environ["REMOTE_ADDR"] == "127.0.0.1"
    assert environ["SERVER_PORT"] == str(server.port)


def test_address_in_letters_of_a_language_is_understood(server: Server) -> None:
    environ = told(server.exchange(request("GET", "/ä?ö", Connection="close")))
    assert environ["PATH_INFO"].encode("latin-1").decode() == "/ä"
    assert environ["QUERY_STRING"] == "%C3%B6"


def test_whole_address_of_a_proxy_is_understood(server: Server) -> None:
    environ = told(server.exchange(request("GET", "http://elsewhere.org/a?b=c", Connection="close")))
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/a", "b=c")


def test_headers_of_one_name_are_one_and_none_passes_for_another(server: Server) -> None:
    lines = ["X-Forwarded-For: 1.1.1.1", "X-Forwarded-For: 2.2.2.2", "X_Forwarded_For: 3.3.3.3", "Connection: close"]
    environ = told(server.exchange("\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode()))
    assert environ["HTTP_X_FORWARDED_FOR"] == "1.1.1.1,2.2.2.2"


@pytest.mark.parametrize("size", [0, 1, 2**16, SPOOL // 2, 5 * SPOOL], ids=str)
@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunks"])
def test_body_reaches_the_application(server: Server, size: int, is_chunked: bool) -> None:
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    answer = server.exchange(post(PUT, body, is_chunked=is_chunked))
    assert told(answer)["body"].encode("latin-1") == body


@pytest.mark.parametrize("is_chunked", [False, True], ids=["length", "chunks"])
def test_body_that_is_too_large_is_refused(server: Server, is_chunked: bool) -> None:
    assert status_of(server.exchange(post("/", b"x" * 2 * SPOOL, is_chunked=is_chunked))) == 413


def test_requests_follow_one_another_on_one_connection(server: Server) -> None:
    with server.connect() as sock:
        for number in range(3):
            sock.sendall(request("POST", f"/{number}", b"abc", Content_Length="3"))
            answer = sock.recv(2**16)
            assert (told(answer)["PATH_INFO"], told(answer)["body"]) == (f"/{number}", "abc")


def test_requests_that_come_at_once_are_answered_in_order(server: Server) -> None:
    asked = [request("POST", f"/{number}", b"abc", Content_Length="3") for number in range(20)]
    answer = server.exchange(b"".join([*asked, request("GET", "/last", Connection="close")]))
    assert re.findall(rb'"PATH_INFO": "/(\w+)"', answer) == [*(b"%d" % number for number in range(20)), b"last"]


def test_client_that_asks_first_is_told_to_go_on(server: Server) -> None:
    with server.connect(request("POST", "/", Content_Length="3", Expect="100-continue", Connection="close")) as sock:
        assert sock.recv(2**16) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(b"abc")
        assert told(rest_of(sock))["body"] == "abc"


def test_client_that_says_no_more_is_answered(server: Server) -> None:
    with server.connect(request("GET", "/")) as sock:
        sock.shutdown(socket.SHUT_WR)
        assert status_of(rest_of(sock)) == 200


def test_old_client_is_answered_without_chunks(server: Server) -> None:
    answer = server.exchange(b"GET /chunks HTTP/1.0\r\n\r\n")
    assert body_of(answer) == b"onetwo"
    assert b"Connection: close" in answer


def test_answer_of_unknown_length_comes_in_chunks(server: Server) -> None:
    answer = server.get("/chunks")
    assert b"Transfer-Encoding: chunked" in answer
    assert body_of(answer) == in_chunks(b"one", b"two")


def test_head_and_empty_answers_have_no_body(server: Server) -> None:
    head = server.exchange(request("HEAD", "/big", Connection="close"))
    assert b"Content-Length: 33554432" in head
    assert body_of(head) == b""
    nothing = server.get("/nothing")
    assert b"Content-Length" not in nothing
    assert body_of(nothing) == b""


def test_large_answer_comes_whole(server: Server) -> None:
    assert len(body_of(server.get("/big"))) == 2**25


def test_fault_of_the_application_is_a_500(server: Server) -> None:
    assert server.status("/fails") == 500


def test_answer_that_breaks_off_does_not_look_whole(server: Server) -> None:
    assert body_of(server.get("/breaks")) == b"3\r\none\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"nonsense\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\nno header\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_request_is_refused(server: Server, sent: bytes) -> None:
    assert status_of(server.exchange(sent)) == 400


def test_headers_without_end_are_refused(server: Server) -> None:
    assert status_of(server.exchange(b"GET / HTTP/1.1\r\n" + b"X-A: 1234567890\r\n" * 10_000)) == 431


def test_offer_to_speak_otherwise_is_ignored(server: Server) -> None:
    answer = server.exchange(request("GET", "/", Connection="Upgrade, HTTP2-Settings", Upgrade="h2c"))
    assert status_of(answer) == 200


def test_refusal_of_a_body_reaches_who_is_sending_it(server: Server) -> None:
    """Without reading what comes on, the system would take back what was said."""
    with server.connect(request("POST", f"{PUT}&unread", Content_Length=str(2**30))) as sock:
        sent = 0
        try:
            while sent < 20 * SPOOL:
                sent += sock.send(b"x" * 2**16)
        except ConnectionError:
            pass
        assert status_of(sock.recv(2**16)) == 200


def test_server_that_stops_lets_what_has_begun_come_to_its_end(server: Server) -> None:
    stopping = Server("tests.dandiapi.server.echo:application")
    stopping.wait_until_ready("/")
    with stopping.connect(request("POST", "/", b"ab", Content_Length="3")) as sock:
        time.sleep(0.3)
        stopping.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        sock.sendall(b"c")
        assert told(rest_of(sock))["body"] == "abc"
    assert stopping.process.wait(20) == 0
