"""A stream that merges the output of several processes, each line behind the name of its process."""

import os
import threading
from collections import deque
from typing import IO, TextIO

COLOURS = (36, 33, 32, 35, 34, 96, 93, 92)
LAST_LINES = 12


class Output:
    """A stream of whole lines from any thread, with a prefix of fixed width; coloured on a terminal."""

    def __init__(self, stream: TextIO, width: int = 8) -> None:
        self._stream = stream
        self._width = width
        self._coloured = stream.isatty() and not os.environ.get("NO_COLOR")
        self._colours: dict[str, int] = {}
        self._lock = threading.Lock()
        self._last: dict[str, deque[str]] = {}

    def write(self, name: str, line: str) -> None:
        """Write `line` as said by `name`."""
        with self._lock:
            self._last.setdefault(name, deque(maxlen=LAST_LINES)).append(line)
            self._print(f"{self._prefix(name)}{line}\n")

    def write_plain(self, text: str) -> None:
        """Write `text` as it is, on lines of its own."""
        with self._lock:
            self._print(f"{text}\n")

    def last_words(self, name: str) -> str:
        """Return the last few lines that `name` said."""
        return "\n".join(self._last.get(name, ()))

    def follow(self, name: str, stream: IO[str]) -> threading.Thread:
        """Start to write all that comes from `stream`, until it ends."""
        thread = threading.Thread(target=self._pump, args=(name, stream), daemon=True)
        thread.start()
        return thread

    def _pump(self, name: str, stream: IO[str]) -> None:
        with stream:
            for line in stream:
                self.write(name, line.rstrip("\n"))

    def _prefix(self, name: str) -> str:
        text = f"{name:<{self._width}} | "
        if not self._coloured:
            return text
        colour = self._colours.setdefault(name, COLOURS[len(self._colours) % len(COLOURS)])
        return f"\033[{colour}m{text}\033[0m"

    def _print(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            # The terminal is gone or the pipe's reader left; the processes must still be read, or they would block.
            return
