"""A DataCite of the tests' own: speaks HTTP on the loopback, remembers DOIs, and fails as it is told to."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

ACCOUNT = "Basic REVNTy5MQUI6c2VjcmV0"
USER, PASSWORD = "DEMO.LAB", "secret"


class DataCite:
    """What it has, what it was asked, and what goes wrong with the next requests, oldest first."""

    def __init__(self) -> None:
        self.url = ""
        self.dois: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []
        # For each request to come: a status that is answered instead, "silence", or "" for none.
        self.faults: list[int | str] = []
        self.fault: int | str = ""
        self.retry_after = ""

    def next_fault(self) -> int | str:
        return self.faults.pop(0) if self.faults else self.fault

    def answer(self, verb: str, path: str, content: Any) -> tuple[int, Any]:
        """The status and body that the real one would answer."""
        doi = unquote(path.removeprefix("/dois").removeprefix("/")).lower()
        if verb == "POST":
            doi = content["data"]["attributes"]["doi"].lower()
            if doi in self.dois:
                return 422, {"errors": [{"source": "doi", "title": "This DOI has already been taken"}]}
            return 201, self._stored(doi, content)
        if verb == "PUT":
            return 200, self._stored(doi, content)
        if doi not in self.dois:
            return 404, {"errors": [{"title": "The resource you are looking for doesn't exist."}]}
        if verb == "DELETE":
            del self.dois[doi]
            return 204, None
        return 200, {"data": {"id": doi, "attributes": self.dois[doi]}}

    def _stored(self, doi: str, content: Any) -> Any:
        attributes = content["data"]["attributes"]
        was = self.dois.get(doi, {}).get("state", "draft")
        state = "findable" if attributes.pop("event", "") == "publish" else was
        self.dois[doi] = {**attributes, "state": state}
        return {"data": {"id": doi, "attributes": self.dois[doi]}}


class _Server(ThreadingHTTPServer):
    """Speaks for a DataCite; one that is told to be silent lets a request wait and closes the connection."""

    def __init__(self, datacite: DataCite, silence: float) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.datacite = datacite
        self.silence = silence
        datacite.url = f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        datacite = self.server.datacite
        datacite.asked.append(self.command)
        fault = datacite.next_fault()
        if fault == "silence":
            time.sleep(self.server.silence)
        elif fault:
            self._reply(int(fault), {"errors": [{"source": "titles", "title": "is not what it should be"}]})
        elif self.headers["Authorization"] != ACCOUNT:
            self._reply(401, {"errors": [{"title": "Bad credentials."}]})
        else:
            self._reply(*datacite.answer(self.command, self.path, json.loads(body) if body else None))

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the base class's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""

    def _reply(self, status: int, content: Any) -> None:
        body = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        if self.server.datacite.retry_after:
            self.send_header("Retry-After", self.server.datacite.retry_after)
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def running_datacite(silence: float) -> Iterator[DataCite]:
    """One that runs; told to be silent, it lets a request wait for so many seconds."""
    datacite = DataCite()
    server = _Server(datacite, silence)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield datacite
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
