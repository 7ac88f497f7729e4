"""Receiving a push: git takes it in, in a repository of its own for that push, and asks us whether to accept it.

git keeps what has come in quarantine as long as its hook `pre-receive` has not answered. The hook here puts its
question to this process, over a pipe, and gives its answer. What is then accepted moves nothing but the refs of the
scratch repository, which is thrown away: the archive's own have moved before the answer was given.
"""

import logging
import os
import re
import selectors
from collections.abc import Callable, Collection, Generator, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from archive.errors import ArchiveError
from archive.git_annex.refs import ANNEX, PACKED_REFS, packed_refs
from archive.snapshots.keeping.cache import workspace
from archive.snapshots.keeping.git import READ_SIZE, Git, new_repository
from archive.snapshots.keeping.packets import push_request

logger = logging.getLogger(__name__)

MAX_QUESTION = 2**20
_SHA = re.compile("[0-9a-f]{40}")

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

# git checks objects strictly, but not names that some systems take for others: `trees.unsafe_paths_in_history` finds
# those, since git would not name the path.
_SETTINGS = {
    "core.hooksPath": "hooks",
    "receive.autogc": "false",
    "receive.denyDeletes": "true",
    "receive.denyNonFastForwards": "true",
    "receive.fsckObjects": "true",
    # Whoever passes the answer on gives signs of life (`answering`), before git has begun as well.
    "receive.keepAlive": "0",
    "receive.fsck.badFilemode": "error",
    "receive.fsck.hasDot": "ignore",
    "receive.fsck.hasDotdot": "ignore",
    "receive.fsck.hasDotgit": "ignore",
    "transfer.fsckObjects": "true",
}


@dataclass(frozen=True)
class Command:
    """A command of a push: that a ref move from one object to another. An id of zeros stands for no object."""

    old: str
    new: str
    ref: str

    @property
    def deletes(self) -> bool:
        return not self.new.strip("0")


@dataclass(frozen=True)
class Push:
    """A push in quarantine: its commands, and git in a repository that reads its objects."""

    commands: list[Command]
    git: Git


class RefusedError(Exception):
    """A refusal of a push; each of its `lines` tells the pusher why."""

    def __init__(self, *lines: str) -> None:
        super().__init__(*lines)
        self.lines = lines


# Judges and applies a push, and yields the lines to tell the pusher; raises RefusedError or ArchiveError to refuse.
Judge = Callable[[Push], Generator[str, None, None]]


def receive(
    folder: Path, request: IO[bytes], judge: Judge, *, seconds: float, max_size: int, hidden: Collection[str] = ()
) -> Generator[bytes, None, None]:
    """Yield git's answer to the body of a request to push into the repository at `folder`: chunks, as they come.

    The repository itself is only read. Branches that are `hidden` are as if they were not there.
    `judge` is asked, in the caller's thread, once git has found nothing wrong.
    """
    settings = {**_SETTINGS, "receive.maxInputSize": str(max_size)}
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    told = push_request(request).told
    with _scratch(folder, hidden, told) as scratch, _pipe() as question, _pipe() as answer:
        asking = {"PUSH_QUESTION": f"/dev/fd/{question.write}", "PUSH_ANSWER": f"/dev/fd/{answer.read}"}
        pipes = (question.write, answer.read)
        git = Git(scratch, seconds, asking)
        with git.started(*options, "receive-pack", "--stateless-rpc", ".", stdin=request, pass_fds=pipes) as child:
            question.close_write()
            answer.close_read()
            yield from _Conversation(child.output.fileno(), question.read, answer.write, git, judge).run()


@contextmanager
def _scratch(folder: Path, hidden: Collection[str], told: Mapping[str, str]) -> Iterator[Path]:
    """Yield a temporary repository with the references of the one at `folder`, whose objects it reads, and the hook.

    The branch `git-annex` may have moved since the client was `told` of it: it is where the client takes it to be.
    """
    with workspace(folder) as scratch:
        references = Git(folder).lines("for-each-ref", "--format=%(objectname) %(refname)")
        there = {name: sha for sha, name in (line.decode().split(" ", 1) for line in references) if name not in hidden}
        if ANNEX in told:
            there.pop(ANNEX, "")
            there |= {ANNEX: told[ANNEX]} if _has_commit(folder, told[ANNEX]) else {}
        (scratch / PACKED_REFS).write_text(packed_refs(dict(sorted(there.items()))))
        hook = scratch / "hooks/pre-receive"
        hook.parent.mkdir()
        hook.write_text(_HOOK)
        hook.chmod(0o700)
        yield scratch


def _has_commit(folder: Path, sha: str) -> bool:
    return bool(_SHA.fullmatch(sha)) and Git(folder).succeeds("cat-file", "-e", f"{sha}^{{commit}}")


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
    """A conversation with git: what git says is passed on, and its hook is answered once."""

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
            verdict = [f" {error}", "refuse"]
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
        view = new_repository(self.git.folder / "view.git", objects_of=self.git.folder)
        with (view / "objects/info/alternates").open("a") as alternates:
            alternates.write(f"{quarantine}\n")
        return Push(commands, Git(view, self.git.seconds))

    def _tell(self, line: str) -> None:
        # The hook reads lines: a second line within this one could pass for an answer.
        line = line.replace("\n", " ")
        with suppress(BrokenPipeError):
            os.write(self.answer, f"{line}\n".encode(errors="backslashreplace"))

    def _said_meanwhile(self) -> Iterator[bytes]:
        """Yield what git has said by now, without waiting for more; raise BrokenPipeError if git is gone."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.output, selectors.EVENT_READ)
            while selector.select(timeout=0):
                chunk = os.read(self.output, READ_SIZE)
                if not chunk:
                    raise BrokenPipeError
                yield chunk
