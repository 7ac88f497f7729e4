"""The stream that `git fast-import` reads: commits, and what they change."""

import re
from datetime import datetime

DONE = b"done\n"

_NOT_IN_NAMES = re.compile(r"[<>\x00-\x1f\x7f]+")


def person(name: str, email: str) -> str:
    """Return somebody as a commit names them."""
    return f"{_NOT_IN_NAMES.sub(' ', name).strip(' .,:;') or 'unknown'} <{email}>"


def commit(
    branch: str,
    mark: int,
    *,
    author: str,
    committer: str,
    recorded: datetime,
    message: str,
    parent: str = "",
    merged: str = "",
) -> bytes:
    """Return the beginning of a commit; what it changes follows. Without a parent it goes on from the branch's last.

    What it has `merged` is a second parent, whose tree is not looked at.
    """
    moment = f"{int(recorded.timestamp())} +0000"
    head = f"commit {branch}\nmark :{mark}\nauthor {author} {moment}\ncommitter {committer} {moment}\n"
    parents = (f"from {parent}\n" if parent else "") + (f"merge {merged}\n" if merged else "")
    return head.encode() + data(message.encode()) + parents.encode()


def blob(mark: int, content: bytes) -> bytes:
    """Return an object that commits can then place by its mark."""
    return f"blob\nmark :{mark}\n".encode() + data(content)


def file(mode: str, path: str, content: bytes) -> bytes:
    """Return the command that writes a file with this content at `path`."""
    return f"M {mode} inline ".encode() + quoted(path) + b"\n" + data(content)


def marked_file(mode: str, path: str, mark: int) -> bytes:
    """Return the change that the object of that mark is at `path`."""
    return f"M {mode} :{mark} ".encode() + quoted(path) + b"\n"


def removal(path: str) -> bytes:
    """Return the command that removes the file or folder at `path`."""
    return b"D " + quoted(path) + b"\n"


def data(content: bytes) -> bytes:
    """Return content with its length before it."""
    return f"data {len(content)}\n".encode() + content + b"\n"


def quoted(path: str) -> bytes:
    """Return a path as the stream has it."""
    if path.startswith('"') or "\n" in path:
        escaped = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
        return f'"{escaped}"'.encode()
    return path.encode()
