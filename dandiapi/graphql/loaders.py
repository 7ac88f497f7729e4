"""Loaders: what is asked of each item of a list is loaded for all of them at once."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Loader(Generic[K, V]):
    """A loader of values by keys, for the time of one request.

    It loads all keys that it has been told to expect when the first of them is asked for, so that a list of any length
    costs as many queries as one item.
    """

    def __init__(self, load: Callable[[Collection[K]], Mapping[K, V]]) -> None:
        self._load = load
        self._expected: set[K] = set()
        self._values: dict[K, V | None] = {}

    def expect(self, keys: Iterable[K]) -> None:
        """Note keys that will probably be asked for."""
        self._expected.update(key for key in keys if key not in self._values)

    def get(self, key: K, *, among: Iterable[K] = ()) -> V | None:
        """Return the value of a key, None if there is none; a key that was not expected is loaded `among` others."""
        if key not in self._values:
            if key not in self._expected:
                self.expect(among)
            wanted = self._expected | {key}
            self._expected = set()
            found = self._load(wanted)
            self._values.update((each, found.get(each)) for each in wanted)
        return self._values[key]

    def forget(self) -> None:
        """Load everything anew from here on: something has changed."""
        self._expected |= self._values.keys()
        self._values = {}
