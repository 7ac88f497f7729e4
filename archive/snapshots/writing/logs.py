"""The logs that a commit of `git-annex` brings, in the words of the stream of an import."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO

from archive.git_annex import fast_import as stream
from archive.git_annex.files import FILE
from archive.git_annex.logs import location_log_path, renewed_log, url_log, url_log_path
from archive.snapshots.keeping.git import Git
from archive.snapshots.writing.delta import CHUNK, Placed


@dataclass
class Logs:
    """The logs of files, collected in `file`: what people have pushed there before stays in them."""

    file: IO[bytes]
    recorded: datetime
    # The location log of all files, and the mark by which the stream knows it.
    location: bytes
    mark: int
    git: Git
    # The commit of `git-annex` that people have pushed into; "" if nobody has.
    pushed_into: str
    _waiting: list[Placed] = field(default_factory=list)

    def add(self, placed: Placed) -> None:
        """Add what there is to say of an annexed file."""
        self._waiting.append(placed)
        if len(self._waiting) == CHUNK:
            self.flush()

    def flush(self) -> None:
        """Write what was added into the file."""
        there = self._there()
        for placed in self._waiting:
            path = location_log_path(placed.key)
            renewed = renewed_log(there.get(path, b""), self.location)
            is_alone = renewed == self.location
            marked = stream.marked_file(FILE, path, self.mark)
            self.file.write(marked if is_alone else stream.file(FILE, path, renewed))
            if placed.url:
                path = url_log_path(placed.key)
                log = renewed_log(there.get(path, b""), url_log(placed.url, self.recorded))
                self.file.write(stream.file(FILE, path, log))
        self._waiting.clear()

    def _there(self) -> dict[str, bytes]:
        """Return the logs that there are already of what was added, by their paths."""
        if not self.pushed_into:
            return {}
        paths = [path for placed in self._waiting for path in _paths(placed)]
        found = self.git.infos(f"{self.pushed_into}:{path}" for path in paths)
        ids = {path: info.name for path, info in zip(paths, found, strict=True) if info.kind == "blob"}
        contents = dict(self.git.contents(set(ids.values())))
        return {path: contents[each] for path, each in ids.items()}


def _paths(placed: Placed) -> Iterator[str]:
    yield location_log_path(placed.key)
    if placed.url:
        yield url_log_path(placed.key)
