"""The documents at the root of a BIDS dataset, as OpenNeuro's clients read them, and changes of their texts. Pure.

docs/dialects/openneuro.md#descriptions
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import orjson
import yaml

from archive.errors import InvalidError

DESCRIPTION = "dataset_description.json"
CHANGES = "CHANGES"
DATACITE = "datacite.yml"
README_NAMES = ("README.md", "README.rst", "README.txt", "README")
UNNAMED = "Unnamed Dataset"
BIDS_VERSION = "1.11.0"
# How deep YAML may be, and the tokens by which it goes deeper, and less deep.
MAX_DEPTH = 50
_OPENING = (
    yaml.FlowSequenceStartToken,
    yaml.FlowMappingStartToken,
    yaml.BlockSequenceStartToken,
    yaml.BlockMappingStartToken,
)
_CLOSING = (yaml.FlowSequenceEndToken, yaml.FlowMappingEndToken, yaml.BlockEndToken)
# Longer YAML takes longer to parse than a list of contributors is worth.
MAX_DATACITE = 2**16
MAX_CONTRIBUTORS = 1000
ORCID_SITE = "https://orcid.org/"
# The fields of a description that are lists, and those that are texts.
LISTS = frozenset({"Authors", "Funding", "ReferencesAndLinks", "EthicsApprovals"})
TEXTS = frozenset(
    {"Name", "BIDSVersion", "License", "Acknowledgements", "HowToAcknowledge", "DatasetDOI", "DatasetType"}
)
RESEARCHER = "Researcher"
ORCID = re.compile(r"\d{4}-\d{4}-\d{4}-\d{3}[\dX]")
# The first line of what changed in a version: its name, and perhaps the day.
HEADING = re.compile(r"\S+\s+\d{4}-\d{2}-\d{2}\b|v?\d+\.\d")


# --- Descriptions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Description:
    """The content of `dataset_description.json`, whatever is wrong with it."""

    name: str
    bids_version: str = BIDS_VERSION
    license: str | None = None
    authors: Sequence[str] = ()
    acknowledgements: str | None = None
    how_to_acknowledge: str | None = None
    funding: Sequence[str] = ()
    references_and_links: Sequence[str] = ()
    ethics_approvals: Sequence[str] = ()
    dataset_doi: str | None = None
    dataset_type: str = "raw"
    is_found: bool = True

    @property
    def senior_author(self) -> str | None:
        """Return the last of the authors."""
        return self.authors[-1] if self.authors else None

    @property
    def without_people(self) -> "Description":
        """Return the description as reviewers get it, who learn no names."""
        return replace(self, authors=(), acknowledgements=None, how_to_acknowledge=None)


def read_description(text: str | None, *, fallback: str) -> Description:
    """Return what a description says; of one that is missing or broken only a name, the `fallback`."""
    found = _object_in(text)
    if found is None:
        return Description(name=fallback, is_found=False)
    kind = found.get("DatasetType")
    return Description(
        name=_text(found.get("Name")) or UNNAMED,
        bids_version=_text(found.get("BIDSVersion")) or BIDS_VERSION,
        license=_text(found.get("License")),
        authors=_texts(found.get("Authors")),
        acknowledgements=_text(found.get("Acknowledgements")),
        how_to_acknowledge=_text(found.get("HowToAcknowledge")),
        funding=_texts(found.get("Funding")),
        references_and_links=_texts(found.get("ReferencesAndLinks")),
        ethics_approvals=_texts(found.get("EthicsApprovals")),
        dataset_doi=_text(found.get("DatasetDOI")),
        dataset_type=kind if isinstance(kind, str) else "raw",
    )


def _object_in(text: str | None) -> dict[str, Any] | None:
    try:
        found = orjson.loads(text or "")
    except orjson.JSONDecodeError:
        return None
    return found if isinstance(found, dict) else None


def _text(value: Any) -> str | None:
    """Return a value as text, which Postgres can keep: an object as JSON; None for none, and what is too deep."""
    if value is None:
        return None
    try:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return None
    return text.replace("\0", "")


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(each) or "" for each in value) if isinstance(value, list) else ()


def with_fields(text: str | None, fields: Mapping[str, Any]) -> str:
    """Return a description with these fields; InvalidError if there is one that is broken."""
    found = _object_in(text)
    if found is None and text is not None:
        raise InvalidError(f"{DESCRIPTION} is no JSON object. Upload one that is.")
    return json.dumps({**(found or {}), **fields}, indent=4, ensure_ascii=False) + "\n"


def with_doi_and_license(text: str | None, doi: str) -> str | None:
    """Return a description with the DOI of a version, and the license CC0 if it names none; None if it is broken."""
    found = _object_in(text)
    if found is None:
        return None
    return with_fields(text, {"License": found.get("License") or "CC0", "DatasetDOI": f"doi:{doi}"})


# --- README and CHANGES -----------------------------------------------------------------------------------------------


def readme_name(names: Mapping[str, Any]) -> str | None:
    """Return which of the files is the README, if one is."""
    return next((name for name in README_NAMES if name in names), None)


def with_changes(text: str, tag: str, day: date, changes: Sequence[str]) -> str:
    """Return CHANGES, in CPAN's style, with what changed in a version.

    It replaces what is said of that version, or else comes before the first version that is told of.
    """
    lines = text.splitlines()
    headings = [index for index, line in enumerate(lines) if HEADING.match(line) or _is_of(line, tag)]
    same = next((index for index in headings if _is_of(lines[index], tag)), None)
    start = same if same is not None else min(headings, default=len(lines))
    end = start if same is None else next((index for index in headings if index > start), len(lines))
    block = [f"{tag} {day:%Y-%m-%d}", *(f"  - {' '.join(change.split())}" for change in changes)]
    parts = ["\n".join(part).strip("\n") for part in (lines[:start], block, lines[end:])]
    return "\n\n".join(part for part in parts if part) + "\n"


def _is_of(line: str, tag: str) -> bool:
    return line.split(maxsplit=1)[:1] == [tag] and line.startswith(tag)


# --- Contributors -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Contributor:
    """A person who has contributed to a dataset, and their place among those who have."""

    name: str
    order: int
    contributor_type: str = RESEARCHER
    given_name: str | None = None
    family_name: str | None = None
    orcid: str | None = None


def read_contributors(datacite: str | None, authors: Sequence[str]) -> list[Contributor]:
    """Return the contributors that `datacite.yml` names; if it names none, the authors of the description."""
    named = [each for each in _listed_in(datacite) if isinstance(each, dict) and isinstance(each.get("name"), str)]
    found = [_contributor(each, place) for place, each in enumerate(named, 1)]
    return sorted(found, key=lambda each: each.order) or [
        Contributor(name, place) for place, name in enumerate(authors, 1)
    ]


def _listed_in(datacite: str | None) -> list[Any]:
    """Return the list of contributors in `datacite.yml`, if it is about a dataset."""
    attributes = _at(_read_yaml(datacite or ""), "data", "attributes")
    listed = _at(attributes, "contributors")
    is_of_dataset = _at(attributes, "types", "resourceTypeGeneral") == "Dataset"
    return listed if is_of_dataset and isinstance(listed, list) else []


def _read_yaml(text: str) -> Any:
    """Return what a text of YAML says; None if it is none, too long, or more than plain."""
    if not text or len(text) > MAX_DATACITE:
        return None
    try:
        return yaml.load(text, yaml.CSafeLoader) if _is_plain(text) else None
    except (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RecursionError):
        # A value that is not what its tag says fails in as many ways as there are tags.
        return None


def _is_plain(text: str) -> bool:
    """Return whether a text of YAML refers to no part of itself, and is not deep.

    A few hundred bytes of merged references fill any memory, and the parser in C goes as deep as its stack, and on.
    """
    depth = 0
    for token in yaml.scan(text, yaml.CSafeLoader):
        depth += isinstance(token, _OPENING) - isinstance(token, _CLOSING)
        if isinstance(token, yaml.AliasToken) or depth > MAX_DEPTH:
            return False
    return True


def _at(found: Any, *keys: str) -> Any:
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _contributor(found: dict[str, Any], place: int) -> Contributor:
    order, kind = found.get("order"), found.get("contributorType")
    return Contributor(
        name=found["name"],
        order=order if isinstance(order, int) else place,
        contributor_type=kind if isinstance(kind, str) else RESEARCHER,
        given_name=_text_or_none(found.get("givenName")),
        family_name=_text_or_none(found.get("familyName")),
        orcid=_orcid_in(found.get("nameIdentifiers")),
    )


def _text_or_none(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _orcid_in(identifiers: Any) -> str | None:
    listed = identifiers if isinstance(identifiers, list) else []
    texts = (_at(each, "nameIdentifier") for each in listed)
    found = (ORCID.search(text) for text in texts if isinstance(text, str))
    return next((match[0] for match in found if match), None)


def with_contributors(datacite: str | None, contributors: Sequence[Contributor]) -> str:
    """Return `datacite.yml` with exactly these contributors, in their order, who are its creators too.

    docs/dialects/openneuro.md#contributors

    What else it says stays, but for comments. Raises InvalidError if it cannot be read, or would be too long to be.
    """
    found = _read_yaml(datacite) if datacite and not _is_empty(datacite) else {}
    if not isinstance(found, dict):
        raise InvalidError(UNREADABLE)
    data = _mapping(found.get("data"))
    attributes = _mapping(data.get("attributes"))
    types = _mapping(attributes.get("types")) | {"resourceTypeGeneral": "Dataset"}
    changed = {**attributes, "types": types, **_people(contributors)}
    text = _written({**found, "data": {**data, "attributes": changed}})
    if len(text) > MAX_DATACITE:
        raise InvalidError(f"{DATACITE} would have more than {MAX_DATACITE} characters.", field="contributors")
    return text


UNREADABLE = f"{DATACITE} cannot be read. Upload one that is a plain mapping, or delete it."


def _is_empty(text: str) -> bool:
    """Return whether a text of YAML has nothing but comments."""
    return all(not line.strip() or line.lstrip().startswith("#") for line in text.splitlines())


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict | None):
        raise InvalidError(UNREADABLE)
    return value or {}


class _Plain(yaml.SafeDumper):
    """A writer of YAML that writes a value as often as it is there: what refers to another is not plain."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _written(found: Mapping[str, Any]) -> str:
    try:
        return yaml.dump(found, Dumper=_Plain, sort_keys=False, allow_unicode=True)
    except (yaml.YAMLError, TypeError, ValueError, RecursionError):
        # A number of thousands of digits is read, and not written.
        raise InvalidError(UNREADABLE) from None


def _people(contributors: Sequence[Contributor]) -> dict[str, Any]:
    """Return the people of a dataset: as contributors, who have an order and a type, and as creators, who have none."""
    listed = [_entry(each) for each in sorted(contributors, key=lambda each: each.order)]
    creators = [{name: value for name, value in each.items() if name != "contributorType"} for each in listed]
    return {"creators": creators, "contributors": [{**each, "order": place} for place, each in enumerate(listed, 1)]}


def _entry(contributor: Contributor) -> dict[str, Any]:
    """Return a contributor as DataCite tells of one, without what is not known."""
    orcid = {
        "nameIdentifier": f"{ORCID_SITE}{contributor.orcid}",
        "nameIdentifierScheme": "ORCID",
        "schemeUri": ORCID_SITE,
    }
    known = {
        "name": contributor.name,
        "nameType": "Personal",
        "givenName": contributor.given_name,
        "familyName": contributor.family_name,
        "contributorType": contributor.contributor_type,
        "nameIdentifiers": [orcid] if contributor.orcid else None,
    }
    return {name: value for name, value in known.items() if value}
