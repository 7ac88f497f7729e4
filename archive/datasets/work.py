"""Composing a version's metadata: what its owner said, and what the archive knows."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from archive.datasets.models import Version
from archive.validation.metadata import VersionFacts, version_metadata


def version_facts(version: Version, submitted: dict[str, Any], **known: Any) -> VersionFacts:
    """What the metadata of a version is made of; `known` overrides what the row says, e.g. `summary`."""
    facts: dict[str, Any] = {
        "number": version.dataset_id,
        "version": version.version,
        "name": version.name,
        "submitted": submitted,
        "created": version.dataset.created,
        "access": version.dataset.access,
        "embargoed_until": version.dataset.embargo_end,
        "summary": version.metadata.get("assetsSummary"),
        "doi": version.doi,
        "manifest_urls": draft_manifest_urls(version.dataset_id),
        "now": timezone.now(),
    }
    return VersionFacts(**{**facts, **known})


def computed_metadata(version: Version, submitted: dict[str, Any]) -> dict[str, Any]:
    """The full metadata of a version (contract 2.2) from what was submitted."""
    return version_metadata(version_facts(version, submitted))


def draft_manifest_urls(number: int) -> list[str]:
    """Where the assets of a draft are listed: at the API, since they change."""
    return [f"{settings.ARCHIVE_URL}/api/dandisets/{number:06}/versions/draft/assets/"]
