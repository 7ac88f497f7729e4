"""The logs that say where content is, and what remotes are called (docs/dialects/git.md#the-branch-git-annex)."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from archive.git_annex.keys import AnnexKey

# The web's UUID, the same in every repository.
WEB_UUID = UUID("00000000-0000-0000-0000-000000000001")
UUID_LOG = "uuid.log"
REMOTE_LOG = "remote.log"


def location_log_path(key: AnnexKey) -> str:
    """Return where the location log of a key is; the key's other logs lie beside it."""
    return f"{key.lower_folders}/{key}.log"


def location_log(places: Sequence[UUID], recorded: datetime, *, is_public: bool) -> bytes:
    """Return the log of a key whose content is in these places, and on the web if that `is_public`."""
    known = [*places, WEB_UUID] if is_public else places
    return "".join(f"{_stamp(recorded)} 1 {place}\n" for place in known).encode()


def url_log_path(key: AnnexKey) -> str:
    """Return where the log of a key's addresses is."""
    return f"{location_log_path(key)}.web"


def url_log(url: str, recorded: datetime) -> bytes:
    """Return the log of a key whose content is at that address."""
    return f"{_stamp(recorded)} 1 {url}\n".encode()


def uuid_log(annex_uuid: UUID, description: str, recorded: datetime) -> bytes:
    """Return the log that says what the place with that UUID is called."""
    return f"{annex_uuid} {description} timestamp={_stamp(recorded)}\n".encode()


def remote_log(remote_uuid: UUID, configuration: Mapping[str, str], recorded: datetime) -> bytes:
    """Return the log that says how clones reach a special remote, by its `name`, `type` and so on."""
    words = "".join(f" {name}={value.replace(' ', '&32;')}" for name, value in sorted(configuration.items()))
    return f"{remote_uuid}{words} timestamp={_stamp(recorded)}\n".encode()


def is_location_log(path: bytes) -> bool:
    """Return whether the file at that path of `git-annex` says where the content of a key is."""
    return path.endswith(b".log") and b"/" in path


def is_url_log(path: bytes) -> bool:
    """Return whether the file at that path of `git-annex` says at which addresses the content of a key is."""
    return path.endswith(b".log.web")


def subject_of(line: bytes) -> bytes:
    """Return what a line of a location log or URL log is about: a place, or an address."""
    return line.rstrip(b"\n").split(b" ", 2)[-1]


def replaced_lines(log: bytes, is_replaced: Callable[[bytes], bool], by: Sequence[bytes]) -> bytes:
    """Return a log with these lines in the place of some; itself, if it has the same."""
    lines = log.splitlines(keepends=True)
    if [line for line in lines if is_replaced(line)] == list(by):
        return log
    return added_lines(b"".join(line for line in lines if not is_replaced(line)), b"".join(by))


def added_lines(log: bytes, lines: bytes) -> bytes:
    """Return a log with further lines, whether or not its last one is ended."""
    return log + lines if not log or log.endswith(b"\n") else log + b"\n" + lines


def united_lines(log: bytes, other: bytes) -> bytes:
    """Return a log with the lines of another that it has not."""
    there = {line.rstrip(b"\n") for line in log.splitlines(keepends=True)}
    more = [line for line in other.splitlines(keepends=True) if line.rstrip(b"\n") not in there]
    return added_lines(log, b"".join(more)) if more else log


def renewed_log(log: bytes, lines: bytes) -> bytes:
    """Return a location log or URL log with newer lines; what it says of other places or addresses stays."""
    subjects = {subject_of(line) for line in lines.splitlines()}
    return replaced_lines(log, lambda line: subject_of(line) in subjects, lines.splitlines(keepends=True))


def _stamp(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}s"
