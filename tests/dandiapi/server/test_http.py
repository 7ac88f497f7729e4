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


def test_requests_that_come_at_once_are_answered_in_order_however_many(server: Server) -> None:
    """An answer that is done while the next requests are being read must not let one of them overtake."""
    names = [b"%d" % number for number in range(300)]
    sent = b"".join([*(b"GET /%b HTTP/1.1\r\n\r\n" % name for name in names), b"GET /last HTTP/1.0\r\n\r\n"])
    for _ in range(60):
        assert re.findall(rb'"PATH_INFO": "/(\w+)"', server.exchange(sent)) == [*names, b"last"]


def test_last_request_of_a_connection_is_answered_whatever_follows(server: Server) -> None:
    sent = [request("GET", "/sleeps"), request("GET", "/last", Connection="close"), request("GET", "/after")]
    answer = server.exchange(b"".join([*sent, b"nonsense"]))
    assert re.findall(rb'"PATH_INFO": "/(\w+)"', answer) == [b"sleeps", b"last"]


def test_requests_before_the_end_of_input_are_answered(server: Server) -> None:
    with server.connect(b"".join(request("GET", f"/{number}") for number in range(3))) as sock:
        sock.shutdown(socket.SHUT_WR)
        assert re.findall(rb'"PATH_INFO": "/(\w+)"', rest_of(sock)) == [b"0", b"1", b"2"]


def test_body_that_is_read_as_it_comes_is_not_mixed_up(server: Server) -> None:
    """Handing it over while more of it is spooled put the new at the beginning."""
    size = 3 * SPOOL
    body = b"begin" + b"\0" * (size - 5)
    sent = request("POST", PUT, Content_Length=str(size), Connection="close")
    for number in range(60):
        with server.connect(sent) as sock:
            for start in range(0, size, step := 3001 + 997 * number):
                sock.sendall(body[start : start + step])
            assert told(rest_of(sock))["body"].encode("latin-1") == body


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


def test_fault_before_anything_is_said_is_a_500(server: Server) -> None:
    assert server.status("/late-fault") == 500


def test_header_of_an_answer_with_more_than_one_line_is_not_sent(server: Server) -> None:
    answer = server.get("/injects")
    assert status_of(answer) == 500
    assert b"Set-Cookie" not in answer


@pytest.mark.parametrize(("size", "sent"), [(3, b"one"), (5, b"one"), (7, b"onetwo")])
def test_answer_of_another_size_than_it_says_ends_the_connection(server: Server, size: int, sent: bytes) -> None:
    answer = server.exchange(request("GET", f"/says/{size}") + request("GET", "/next"))
    assert body_of(answer) == sent


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
        b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\nHost: a\n\n",
        b"GET / HTTP/1.1\r\nHost: a\rX: y\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n",
        b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET http://[::1 HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_is_no_request_is_refused(server: Server, sent: bytes) -> None:
    assert status_of(server.exchange(sent)) == 400


def test_headers_without_end_are_refused(server: Server) -> None:
    assert status_of(server.exchange(b"GET / HTTP/1.1\r\n" + b"X-A: 1234567890\r\n" * 10_000)) == 431


def test_offer_to_speak_otherwise_loses_no_body_and_no_request_after_it(server: Server) -> None:
    offer = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2_Settings": "AAMAAABkAAQCAAAAAAIAAAAA"}
    sent = request("POST", "/", b"abc", Content_Length="3", **offer)
    answer = server.exchange(sent + request("GET", "/last", Connection="close"))
    assert re.findall(rb'"PATH_INFO": "/(\w*)"', answer) == [b"", b"last"]
    assert b'"body": "abc"' in answer


def test_offer_that_would_lose_a_body_is_refused(server: Server) -> None:
    sent = request("POST", "/", b"abc", Content_Length="3", Connection="Upgrade", Upgrade="h2c")
    half = sent.index(b"Upgrade: h2c") + 3
    with server.connect(sent[:half]) as sock:
        time.sleep(0.2)
        sock.sendall(sent[half:])
        assert status_of(rest_of(sock)) == 400


def test_what_is_no_body_is_limited_after_the_headers_too(server: Server) -> None:
    trailers = b"0\r\n" + b"X-A: 1234567890\r\n" * 10_000
    assert status_of(server.exchange(request("POST", "/", trailers, Transfer_Encoding="chunked"))) == 431


def test_body_for_which_the_disk_has_no_room_is_refused() -> None:
    server = Server("tests.dandiapi.server.echo:application", blocks="1024")
    try:
        server.wait_until_ready("/")
        assert status_of(server.exchange(post("/", b"x" * 2 * SPOOL, is_chunked=False))) == 503
        assert status_of(server.get("/")) == 200
    finally:
        server.stop()


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
