"""The citation of a version."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings


def citation(metadata: Mapping[str, Any], *, year: int) -> str:
    """Return how to cite the version with this (computed) metadata."""
    name = metadata["name"].rstrip(".")
    url = f"https://doi.org/{metadata['doi']}" if "doi" in metadata else metadata["url"]
    source = f"(Version {metadata['version']}) [Data set]. {settings.ARCHIVE_INSTANCE_NAME} Archive. {url}"
    authors = "; ".join(_cited_names(metadata.get("contributor")))
    return f"{authors} ({year}) {name} {source}" if authors else f"{name} ({year}). {source}"


def _cited_names(contributors: object) -> list[str]:
    # Metadata need not be valid to be stored, so their shape is unknown.
    if not isinstance(contributors, list):
        return []
    people = [person for person in contributors if isinstance(person, dict) and person.get("includeInCitation")]
    return [person["name"] for person in people if isinstance(person.get("name"), str)]
