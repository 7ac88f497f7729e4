"""Limits of documents, above what any real client sends, looked at before anything else is done with a document.

Fragments count wherever they are spread, since that is what they cost. Introspection has a depth of its own: tools ask
deeper there, but what they can ask for again and again is bounded.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from archive.errors import InvalidError

MAX_BODY = 10 * 2**20
MAX_TEXT = 64 * 2**10
# Of names, signs and values in the text.
MAX_TOKENS = 5_000
MAX_DEPTH = 12
MAX_FIELDS = 600
MAX_ALIASES = 30
MAX_INTROSPECTION_DEPTH = 16
# The lists of the introspection by which it leads back to types.
_LEADING_BACK = frozenset({"fields", "inputFields", "interfaces", "possibleTypes", "types"})
MAX_LEADING_BACK = 3


def check_text(text: str) -> None:
    """Raise InvalidError if the text of a document is longer than is taken."""
    if len(text) > MAX_TEXT:
        raise InvalidError(f"A document has at most {MAX_TEXT} characters.")


def check_document(document: DocumentNode) -> None:
    """Raise InvalidError, naming the limit, if an operation of the document asks for more than is answered."""
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode):
            _Measure(fragments).take(node.selection_set, _Place())


@dataclass(frozen=True)
class _Place:
    """A place in an operation: how deep it is, and how it was come to."""

    depth: int = 0
    within: tuple[str, ...] = ()
    led_back: int = 0
    is_introspection: bool = False

    def below(self, name: str) -> "_Place":
        """Return the place below a field of that name."""
        is_introspection = self.is_introspection or name in {"__schema", "__type"}
        led_back = self.led_back + (is_introspection and name in _LEADING_BACK)
        return _Place(self.depth + 1, self.within, led_back, is_introspection)

    def in_fragment(self, name: str) -> "_Place":
        """Return the same place, reached through a fragment."""
        return _Place(self.depth, (*self.within, name), self.led_back, self.is_introspection)


class _Measure:
    """A count of what an operation asks for, given up as soon as it is too much."""

    def __init__(self, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._fragments = fragments
        self._counts: Counter[str] = Counter()

    def take(self, selections: SelectionSetNode, place: _Place) -> None:
        """Count everything in and below some selections; raise InvalidError once it is too much."""
        waiting = [(selections, place)]
        while waiting:
            waiting.extend(self._below(*waiting.pop()))

    def _below(self, selections: SelectionSetNode, place: _Place) -> Iterator[tuple[SelectionSetNode, _Place]]:
        for node in selections.selections:
            if isinstance(node, FieldNode):
                self._count_field(node)
                if node.selection_set:
                    yield node.selection_set, _checked(place.below(node.name.value))
            elif isinstance(node, FragmentSpreadNode):
                yield from self._spread(node.name.value, place)
            elif isinstance(node, InlineFragmentNode):
                yield node.selection_set, place

    def _spread(self, name: str, place: _Place) -> Iterator[tuple[SelectionSetNode, _Place]]:
        self._count("fragments", MAX_FIELDS)
        # Validation tells of fragments that are missing, or lead back to themselves.
        if name in self._fragments and name not in place.within:
            yield self._fragments[name].selection_set, place.in_fragment(name)

    def _count_field(self, node: FieldNode) -> None:
        self._count("fields", MAX_FIELDS)
        if node.alias:
            self._count("aliases", MAX_ALIASES)

    def _count(self, what: str, limit: int) -> None:
        self._counts[what] += 1
        if self._counts[what] > limit:
            raise InvalidError(f"An operation has at most {limit} {what}, those of fragments included.")


def _checked(place: _Place) -> _Place:
    limit = MAX_INTROSPECTION_DEPTH if place.is_introspection else MAX_DEPTH
    # The innermost fields are one deeper than the selections that hold them.
    if place.depth >= limit:
        raise InvalidError(f"An operation is at most {limit} fields deep.")
    if place.led_back > MAX_LEADING_BACK:
        raise InvalidError(f"Introspection goes through lists of types and fields at most {MAX_LEADING_BACK} times.")
    return place
