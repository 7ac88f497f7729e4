"""The packets in which git frames what it sends, and the signs of life between them (docs/dialects/git.md#packets)."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import IO

FLUSH = b"0000"
# A packet of the first side band that says nothing: a sign of life, as git's own `receive.keepAlive` gives it.
KEEP_ALIVE = b"0005\x01"

HEAD = 4
MAX_PACKET = 65520
# The commands of a push that are looked at; those of a real one are a few lines.
MAX_COMMANDS = 2**20


def packet(content: bytes) -> bytes:
    """Return content as git frames it: its length, with that of the length itself, comes first."""
    return b"%04x%b" % (len(content) + HEAD, content)


def whole_packets(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the same bytes, in chunks that end where a packet ends, so that others fit between them."""
    rest = b""
    for chunk in chunks:
        rest += chunk
        end = _end_of_whole(rest)
        if end:
            yield rest[:end]
        rest = rest[end:]
    if rest:
        yield rest


def _end_of_whole(data: bytes) -> int:
    """Return where the last packet ends that is whole; the end of all of it, if it is not in packets."""
    end = 0
    while (size := _size(data[end : end + HEAD])) and end + size <= len(data):
        end += size
    return len(data) if size is None and len(data) - end >= HEAD else end


def _size(head: bytes) -> int | None:
    """Return how many bytes a packet has, its head included, that begins so; None if this is the head of none."""
    try:
        return max(int(head, 16), HEAD) if len(head) == HEAD else None
    except ValueError:
        return None


@dataclass
class PushRequest:
    """The beginning of a request to push: which refs it is about, and what the client is capable of."""

    # What the client was told that the refs are at, by their names.
    told: dict[str, str] = field(default_factory=dict)
    capabilities: frozenset[str] = frozenset()

    @property
    def is_banded(self) -> bool:
        """Return whether the client takes its answer in side bands, in which there is room for signs of life."""
        return "side-band-64k" in self.capabilities

    def refusal(self, reason: str) -> bytes:
        """Return the report that nothing of it was done, and why."""
        why = " ".join(reason.split())
        lines = [f"unpack {why}", *(f"ng {ref} {why}" for ref in self.told)]
        report = b"".join(packet(f"{line}\n".encode()) for line in lines) + FLUSH
        if not self.is_banded:
            return report
        room = MAX_PACKET - HEAD - 1
        parts = (report[start : start + room] for start in range(0, len(report), room))
        return b"".join(packet(b"\x01" + part) for part in parts) + FLUSH


def push_request(body: IO[bytes]) -> PushRequest:
    """Return what a request to push is about, with that body. What is no such request is about nothing.

    The position in the file stays: git reads on from there.
    """
    request = PushRequest()
    for number, line in enumerate(_lines(os.pread(body.fileno(), MAX_COMMANDS, 0))):
        command, _, capabilities = line.rstrip(b"\n").partition(b"\0")
        if number == 0:
            request.capabilities = frozenset(capabilities.decode(errors="replace").split())
        words = command.decode(errors="replace").split(" ", 2)
        if len(words) == 3:
            request.told[words[2]] = words[0]
    return request


def _lines(body: bytes) -> Iterator[bytes]:
    """Yield the content of the packets before the first that ends a list."""
    position = 0
    while (size := _size(body[position : position + HEAD])) and size > HEAD:
        yield body[position + HEAD : position + size]
        position += size
