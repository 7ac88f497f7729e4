"""The logs that say where content is, and what remotes are called (docs/dialects/git.md#the-branch-git-annex)."""

from datetime import datetime
from uuid import UUID

from archive.git_annex.keys import AnnexKey

# The web's UUID, the same in every repository.
WEB_UUID = UUID("00000000-0000-0000-0000-000000000001")
UUID_LOG = "uuid.log"


def location_log_path(key: AnnexKey) -> str:
    """Return where the location log of a key is; the key's other logs lie beside it."""
    return f"{key.lower_folders}/{key}.log"


def location_log(annex_uuid: UUID, recorded: datetime, *, is_public: bool) -> bytes:
    """Return the log of a key whose content is in the archive, and on the web if that `is_public`."""
    places = [annex_uuid, WEB_UUID] if is_public else [annex_uuid]
    return "".join(f"{_stamp(recorded)} 1 {place}\n" for place in places).encode()


def url_log_path(key: AnnexKey) -> str:
    """Return where the log of a key's addresses is."""
    return f"{location_log_path(key)}.web"


def url_log(url: str, recorded: datetime) -> bytes:
    """Return the log of a key whose content is at that address."""
    return f"{_stamp(recorded)} 1 {url}\n".encode()


def uuid_log(annex_uuid: UUID, description: str, recorded: datetime) -> bytes:
    """Return the log that says what the place with that UUID is called."""
    return f"{annex_uuid} {description} timestamp={_stamp(recorded)}\n".encode()


def _stamp(moment: datetime) -> str:
    return f"{moment.timestamp():.6f}s"
