"""Every address of this server, found by walking its routes."""

from collections.abc import Iterator, Mapping

from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize

# What a part of an address is filled with that has no name of its own, or none that a test knows.
ANYTHING = "1"


def addresses(known: Mapping[str, str]) -> list[str]:
    """An address of each route; its parts are the `known` ones of their names, as far as there are any."""
    return sorted({address % _parts(names, known) for address, names in _templates(get_resolver())})


def _parts(names: list[str], known: Mapping[str, str]) -> dict[str, str]:
    return {name: known.get(name, ANYTHING) for name in names}


def _templates(resolver: URLResolver) -> Iterator[tuple[str, list[str]]]:
    """Each route below, as a template, and the names of its parts."""
    for entry in resolver.url_patterns:
        [(start, names), *_] = normalize(entry.pattern.regex.pattern)
        if isinstance(entry, URLPattern):
            yield start, names
            continue
        for rest, more in _templates(entry):
            yield start + rest, names + more
