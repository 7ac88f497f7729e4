"""The attributes of DOIs at DataCite, for a version and for a dataset as a whole. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any


def version_attributes(metadata: Mapping[str, Any], *, is_findable: bool, concept: str = "") -> dict[str, Any]:
    """Return the attributes of the DOI of a published version; `concept` is the DOI of the dataset as a whole."""
    # Takes a second: only a process that registers should pay for it.
    from dandischema.datacite import to_datacite

    attributes: dict[str, Any] = to_datacite(dict(metadata), publish=is_findable)["data"]["attributes"]
    return _related(attributes, "IsVersionOf", [concept] if concept else [])


def concept_attributes(
    metadata: Mapping[str, Any], *, doi: str, url: str, versions: Sequence[str], is_findable: bool
) -> dict[str, Any]:
    """Return the attributes of the DOI of a dataset: those of its newest version, without the version."""
    attributes = version_attributes(metadata, is_findable=is_findable)
    attributes.pop("version", None)
    attributes |= {
        "doi": doi,
        "url": url,
        "alternateIdentifiers": [{"alternateIdentifier": url, "alternateIdentifierType": "URL"}],
    }
    return _related(attributes, "HasVersion", versions)


def _related(attributes: dict[str, Any], relation: str, dois: Sequence[str]) -> dict[str, Any]:
    added = [{"relatedIdentifier": doi, "relatedIdentifierType": "DOI", "relationType": relation} for doi in dois]
    if added:
        attributes["relatedIdentifiers"] = [*attributes.get("relatedIdentifiers", []), *added]
    return attributes
