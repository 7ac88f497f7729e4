"""The facts about a version that its page shows, read from its metadata.

Metadata need not be valid to be stored, so nothing here is sure about the shape of it: what cannot be read is left out,
and so is what would make a page that nobody can read.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dandiapi.web.text import web_address

# How many items are shown of a list, of a list in a list, and how many characters of a text.
ITEMS_SHOWN = 200
INNER_ITEMS_SHOWN = 20
CHARACTERS_SHOWN = 1000

ORCID = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]")
SPDX = "spdx:"

# The parts of the summary that are shown: numbers, and lists.
COUNTS = {"numberOfSubjects": "Subjects", "numberOfSamples": "Samples", "numberOfCells": "Cells"}
FINDINGS = {
    "species": "Species",
    "approach": "Approaches",
    "measurementTechnique": "Techniques",
    "variableMeasured": "Measured",
    "dataStandard": "Standards",
}


@dataclass(frozen=True)
class Link:
    """A text that may lead somewhere."""

    text: str
    url: str = ""


@dataclass(frozen=True)
class Contributor:
    """A person or organization that has a part in a dataset."""

    name: str
    url: str
    roles: list[str]
    affiliations: list[str]
    award: str
    email: str
    is_cited: bool

    @property
    def has_orcid(self) -> bool:
        return self.url.startswith("https://orcid.org/")

    @property
    def is_contact(self) -> bool:
        return "Contact person" in self.roles


@dataclass(frozen=True)
class Finding:
    """A fact that the summary states about the files."""

    label: str
    values: list[Link]


@dataclass(frozen=True)
class About:
    """The facts about a version that a page shows."""

    contributors: list[Contributor]
    licenses: list[Link]
    keywords: list[str]
    related: list[Link]
    findings: list[Finding]
    citation: str
    is_cut: bool

    @property
    def authors(self) -> list[Contributor]:
        return [one for one in self.contributors if one.is_cited]

    @property
    def contacts(self) -> list[Contributor]:
        return [one for one in self.contributors if one.is_contact]


def about(metadata: Mapping[str, Any]) -> About:
    """Return the facts that the page of a version shows, from its metadata."""
    return About(
        contributors=[_contributor(one) for one in _mappings(metadata.get("contributor")) if _text(one.get("name"))],
        licenses=[_license(name) for name in _texts(metadata.get("license"))],
        keywords=_texts(metadata.get("keywords")),
        related=[_related(one) for one in _mappings(metadata.get("relatedResource")) if _text(one.get("url"))],
        findings=list(_findings(metadata.get("assetsSummary"))),
        citation=_text(metadata.get("citation")),
        is_cut=any(isinstance(value, list) and len(value) > ITEMS_SHOWN for value in metadata.values()),
    )


def _contributor(one: Mapping[str, Any]) -> Contributor:
    return Contributor(
        name=_text(one["name"]),
        url=_identity(_text(one.get("identifier"))) or web_address(one.get("url")),
        roles=[_words(role) for role in _texts(one.get("roleName"), INNER_ITEMS_SHOWN)],
        affiliations=[
            _text(place.get("name"))
            for place in _mappings(one.get("affiliation"), INNER_ITEMS_SHOWN)
            if place.get("name")
        ],
        award=_text(one.get("awardNumber")),
        email=_text(one.get("email")),
        is_cited=one.get("includeInCitation") is True,
    )


def _identity(identifier: str) -> str:
    return f"https://orcid.org/{identifier}" if ORCID.fullmatch(identifier) else web_address(identifier)


def _license(name: str) -> Link:
    known = name.removeprefix(SPDX)
    return Link(known, f"https://spdx.org/licenses/{known}.html" if known != name else web_address(name))


def _related(one: Mapping[str, Any]) -> Link:
    url = _text(one["url"])
    return Link(_text(one.get("name")) or url, web_address(url))


def _findings(summary: object) -> Iterator[Finding]:
    if not isinstance(summary, dict):
        return
    for key, label in COUNTS.items():
        if isinstance(summary.get(key), int):
            yield Finding(label, [Link(str(summary[key]))])
    for key, label in FINDINGS.items():
        if values := list(_values(summary.get(key))):
            yield Finding(label, values)


def _values(found: object) -> Iterator[Link]:
    for text in _texts(found):
        yield Link(text)
    for one in _mappings(found):
        if name := _text(one.get("name")):
            yield Link(name, web_address(one.get("identifier")))


def _words(role: str) -> str:
    """Return `dcite:ContactPerson` as "Contact person"."""
    name = role.rpartition(":")[2]
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _mappings(value: object, most: int = ITEMS_SHOWN) -> list[dict[str, Any]]:
    return [item for item in value[:most] if isinstance(item, dict)] if isinstance(value, list) else []


def _texts(value: object, most: int = ITEMS_SHOWN) -> list[str]:
    return [_text(item) for item in value[:most] if item and isinstance(item, str)] if isinstance(value, list) else []


def _text(value: object) -> str:
    return value[:CHARACTERS_SHOWN] if isinstance(value, str) else ""
