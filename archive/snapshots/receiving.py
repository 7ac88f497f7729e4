"""Receiving a push: git takes it in, in a repository of its own for that push, and asks us whether to accept it.

git keeps what has come in quarantine as long as its hook `pre-receive` has not answered. The hook here puts its
question to this process, over a pipe, and gives its answer. What is then accepted moves nothing but the refs of the
scratch repository, which is thrown away: the archive's own have moved before the answer was given.
"""

import logging
import os
import selectors
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from time import time
from typing import IO

from archive.errors import ArchiveError
from archive.snapshots.git import READ_SIZE, Git, stdout_of

logger = logging.getLogger(__name__)

SCRATCH_PREFIX = "push-"
MAX_QUESTION = 2**20

_HOOK = """\
#!/bin/sh
{ printf '%s\\n' "$GIT_QUARANTINE_PATH"; cat; echo; } > "$PUSH_QUESTION"
while IFS= read -r line; do
    case $line in
        accept) exit 0 ;;
        refuse) exit 1 ;;
        *) printf '%s\\n' "${line#?}" >&2 ;;
    esac
done < "$PUSH_ANSWER"
exit 1
"""

# Names that hide git's own folder are errors to it anyway when it is strict, as it is here; an odd mode is not.
_CONFIG = """\
[core]
    repositoryFormatVersion = 0
    bare = true
    hooksPath = hooks
[gc]
    auto = 0
[transfer]
    fsckObjects = true
[receive]
    fsckObjects = true
    denyNonFastForwards = true
    denyDeletes = true
    autogc = false
    maxInputSize = {max_size}
[receive "fsck"]
    badFilemode = error
"""


@dataclass(frozen=True)
class Command:
    """What a push wants of a ref: that it move from one object to another. Objects that are none are all zeros."""

    old: str
    new: str
    ref: str

    @property
    def deletes(self) -> bool:
        return not self.new.strip("0")


@dataclass(frozen=True)
class Push:
    """What has been pushed and is in quarantine: the commands, and a git that sees the objects."""

    commands: list[Command]
    git: Git


class RefusedError(Exception):
    """A push is refused; each of its `lines` tells the pusher why."""

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.lines = lines


# Tells what it has to say line by line, and makes the change; raises RefusedError or ArchiveError to refuse.
Judge = Callable[[Push], Generator[str, None, None]]


def receive(
    folder: Path, request: IO[bytes], judge: Judge, *, scratch_in: Path, seconds: float, max_size: int
) -> Iterator[bytes]:
    """What git answers to the body of a request to receive a push into the repository at `folder`.

    The repository itself is only read. `judge` is asked, in the caller's thread, once git has found nothing wrong.
    """
    with _scratch(folder, scratch_in, max_size) as scratch, _pipe() as question, _pipe() as answer:
        hooked = {"PUSH_QUESTION": f"/dev/fd/{question.write}", "PUSH_ANSWER": f"/dev/fd/{answer.read}"}
        children = (question.write, answer.read)
        git = Git(scratch, seconds, hooked)
        with git.started("receive-pack", "--stateless-rpc", ".", stdin=request, pass_fds=children) as process:
            question.close_write()
            answer.close_read()
            yield from _Conversation(stdout_of(process).fileno(), question.read, answer.write, git, judge).run()


def sweep(scratch_in: Path, *, older_than: float) -> None:
    """Remove what pushes that died have left, `older_than` seconds ago."""
    for left in scratch_in.glob(f"{SCRATCH_PREFIX}*"):
        with suppress(FileNotFoundError):
            if left.stat().st_mtime < time() - older_than:
                shutil.rmtree(left, ignore_errors=True)


@contextmanager
def _scratch(folder: Path, scratch_in: Path, max_size: int) -> Iterator[Path]:
    """A bare repository with the refs of the one at `folder`, whose objects it sees."""
    scratch_in.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=scratch_in, ignore_cleanup_errors=True) as name:
        scratch = Path(name)
        for needed in ("objects/info", "refs", "hooks"):
            (scratch / needed).mkdir(parents=True)
        (scratch / "objects/info/alternates").write_text(f"{folder.resolve() / 'objects'}\n")
        (scratch / "config").write_text(_CONFIG.format(max_size=max_size))
        (scratch / "HEAD").write_text("ref: refs/heads/main\n")
        refs = Git(folder, 60).lines("for-each-ref", "--format=%(objectname) %(refname)", end=b"\n")
        (scratch / "packed-refs").write_bytes(b"".join(b"%b\n" % line for line in refs))
        hook = scratch / "hooks/pre-receive"
        hook.write_text(_HOOK)
        hook.chmod(0o700)
        yield scratch


@dataclass
class _Pipe:
    read: int
    write: int

    def close_read(self) -> None:
        self.read = _closed(self.read)

    def close_write(self) -> None:
        self.write = _closed(self.write)


def _closed(descriptor: int) -> int:
    if descriptor >= 0:
        os.close(descriptor)
    return -1


@contextmanager
def _pipe() -> Iterator[_Pipe]:
    pipe = _Pipe(*os.pipe())
    try:
        yield pipe
    finally:
        pipe.close_read()
        pipe.close_write()


@dataclass(frozen=True)
class _Conversation:
    """Passes on what git says, and between that, once, answers its hook."""

    output: int
    question: int
    answer: int
    git: Git
    judge: Judge

    def run(self) -> Iterator[bytes]:
        asked = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self.output, selectors.EVENT_READ)
            selector.register(self.question, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select()}
                if self.question in ready:
                    chunk = os.read(self.question, READ_SIZE)
                    asked += chunk
                    is_asked = asked.endswith(b"\n\n") or len(asked) > MAX_QUESTION
                    if is_asked or not chunk:
                        selector.unregister(self.question)
                    if is_asked:
                        yield from self._answered(asked)
                elif self.output in ready:
                    chunk = os.read(self.output, READ_SIZE)
                    if not chunk:
                        return
                    yield chunk

    def _answered(self, asked: bytes) -> Iterator[bytes]:
        try:
            with closing(self.judge(self._push(asked))) as lines:
                for line in lines:
                    self._tell(f" {line}")
                    yield from self._said_meanwhile()
            verdict = ["accept"]
        except RefusedError as refused:
            verdict = [*(f" {line}" for line in refused.lines), "refuse"]
        except ArchiveError as error:
            verdict = [f" {error.message}", "refuse"]
        except BrokenPipeError:
            return
        except Exception:
            logger.exception("A push could not be judged")
            verdict = [" The archive could not take this push. Nothing was changed; please try again later.", "refuse"]
        for line in verdict:
            self._tell(line)

    def _push(self, asked: bytes) -> Push:
        if len(asked) > MAX_QUESTION:
            raise RefusedError("Too many branches and tags at once.")
        quarantine, *lines = asked.decode(errors="backslashreplace").split("\n")
        commands = [Command(*line.split(" ", 2)) for line in lines if line]
        objects = {
            "GIT_OBJECT_DIRECTORY": quarantine,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(self.git.folder / "objects"),
        }
        return Push(commands, replace(self.git, more=objects))

    def _tell(self, line: str) -> None:
        with suppress(BrokenPipeError):
            os.write(self.answer, f"{line}\n".encode(errors="backslashreplace"))

    def _said_meanwhile(self) -> Iterator[bytes]:
        """What git has said by now; nothing that has to be waited for. Raises BrokenPipeError if it is gone."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.output, selectors.EVENT_READ)
            while selector.select(timeout=0):
                chunk = os.read(self.output, READ_SIZE)
                if not chunk:
                    raise BrokenPipeError
                yield chunk
