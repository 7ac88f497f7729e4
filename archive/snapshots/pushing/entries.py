"""The faults of the entries of a pushed tree, told to the pusher path by path."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from archive.errors import InvalidError
from archive.git_annex.files import MODES, SUBMODULE
from archive.paths import check_path, printable

MAX_FAULTS_SHOWN = 20


@dataclass
class Faults:
    """The faults of a push: the first few, and how many there are."""

    shown: list[str] = field(default_factory=list)
    count: int = 0

    def add(self, path: str | bytes, fault: str) -> None:
        """Add a fault of the entry at `path`."""
        self.count += 1
        if len(self.shown) < MAX_FAULTS_SHOWN:
            self.shown.append(f"{printable(path)}: {fault}")

    def lines(self) -> Iterator[str]:
        """Yield the lines to print for the pusher."""
        yield from self.shown
        if more := self.count - len(self.shown):
            yield f"... and {more} more."


def checked_path(raw: bytes) -> str:
    """Return the path of an entry as the archive keeps it; raise InvalidError, saying what is wrong with it, if not."""
    try:
        path = raw.decode()
    except UnicodeDecodeError:
        raise InvalidError("its name is not UTF-8") from None
    return check_path(path)


def mode_fault(mode: str) -> str | None:
    """Return what is wrong with an entry of that mode, if anything is."""
    if mode == SUBMODULE:
        return "it is a submodule; a dataset has none, so add its files, or leave it out"
    if mode not in MODES:
        return f"its mode {mode} is none of {', '.join(sorted(MODES))}"
    return None
