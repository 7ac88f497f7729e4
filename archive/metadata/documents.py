"""The computed form of metadata: what its owner submitted, and over it what the archive knows better.

Plain data in, plain data out. What is computed is taken off again by the strip functions, so that
`strip(computed(submitted)) == strip(submitted)`: sending back what was read changes nothing. Which fields these are,
docs/dialects/dandi.md#version-metadata and docs/dialects/dandi.md#asset-metadata say.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from functools import lru_cache
from mimetypes import MimeTypes
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings

from archive.addresses import asset_content, version_page
from archive.errors import InvalidError
from archive.identifiers.names import dandiset_identifier, doi_name, version_name
from archive.metadata.citation import citation
from archive.metadata.queries import schema_info
from archive.paths import name_of

ZARR_FORMAT = "application/x-zarr"

_COMPUTED_FIELDS = frozenset({"@context", "datePublished", "id", "identifier", "publishedBy"})
_COMPUTED_ASSET_FIELDS = _COMPUTED_FIELDS | {"access", "contentSize", "contentUrl", "digest", "path"}
_COMPUTED_VERSION_FIELDS = _COMPUTED_FIELDS | {
    "assetsSummary",
    "citation",
    "dateCreated",
    "doi",
    "manifestLocation",
    "name",
    "releaseNotes",
    "repository",
    "url",
    "version",
}
# The fields that tell who the people of a version, or of an asset, are.
_FIELDS_OF_PEOPLE = frozenset(
    {
        "acknowledgement",
        "contactPoint",
        "contributor",
        "ethicsApproval",
        "relatedResource",
        "sameAs",
        "wasAssociatedWith",
    }
)
# What an owner says of a file that is about its bytes, and so not true of others.
_OF_BYTES = frozenset({"blobDateModified", "dateModified", "encodingFormat"})
# The tables of Python alone: what the machine knows besides must not matter.
_TYPES = MimeTypes()
_TYPES.add_type("application/x-nwb", ".nwb")
_COMPUTED_ACCESS_FIELDS = frozenset({"schemaKey", "status", "embargoedUntil"})


@dataclass(frozen=True, kw_only=True)
class VersionFacts:
    """The facts that the computed metadata of a version are made of.

    `access` is OPEN, EMBARGOED or UNEMBARGOING; `summary` an assetsSummary, or None while there is none; `now` the
    moment whose year the citation gives.
    """

    number: int
    version: str
    name: str
    submitted: Mapping[str, Any]
    created: datetime
    access: str
    manifest_urls: Sequence[str]
    now: datetime
    embargoed_until: date | None = None
    summary: Mapping[str, Any] | None = None
    doi: str | None = None


@dataclass(frozen=True, kw_only=True)
class AssetFacts:
    """The facts that the computed metadata of an asset are made of.

    `url` is where the bytes lie in the object store. `digest` is what `blob_digest` or `zarr_digest` gives.
    `published_by` is the activity that published it, the same for all assets of one publication, or None.
    """

    asset_id: UUID
    path: str
    submitted: Mapping[str, Any]
    size: int
    digest: Mapping[str, str | None]
    url: str
    access: str
    embargoed_until: date | None = None
    is_zarr: bool = False
    published_by: Mapping[str, Any] | None = None


# --- Versions ---------------------------------------------------------------------------------------------------------


def default_dandiset_metadata(*, first_name: str, last_name: str, email: str) -> dict[str, Any]:
    """Return the metadata of a new dataset where its creator gives none: the creator is its contact."""
    return {
        "schemaKey": "Dandiset",
        "schemaVersion": schema_info().current,
        "contributor": [
            {
                "schemaKey": "Person",
                "name": f"{last_name}, {first_name}",
                "email": email,
                "roleName": ["dcite:ContactPerson"],
                "affiliation": [],
                "includeInCitation": True,
            }
        ],
    }


def funder(name: str, award_number: str) -> dict[str, Any]:
    """Return the contributor that stands for the funding of an embargoed dataset."""
    return {
        "schemaKey": "Organization",
        "name": name,
        "awardNumber": award_number,
        "roleName": ["dcite:Funder"],
    }


def strip_version_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a version without what is computed: the part that its owners write."""
    submitted = {key: value for key, value in metadata.items() if key not in _COMPUTED_VERSION_FIELDS}
    access = [_strip_access(submitted), *_further_access(submitted)]
    submitted.pop("access", None)
    # An access item with computed fields only says nothing.
    return submitted if access == [{}] else {**submitted, "access": access}


def migrated_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return a dataset's metadata in the current version of the schema.

    InvalidError, saying why, if they cannot be put into them by a program.
    """
    # Takes a second: only a process that migrates should pay for it.
    from dandischema.metadata import migrate

    try:
        migrated: dict[str, Any] = migrate(dict(metadata), to_version=schema_info().current, skip_validation=True)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidError(f"The metadata cannot be migrated: {error}") from error
    return migrated


def version_metadata(facts: VersionFacts) -> dict[str, Any]:
    """Return the full metadata of a version, as every reader sees it."""
    identifier = f"{settings.ARCHIVE_INSTANCE_NAME}:{dandiset_identifier(facts.number)}"
    metadata = {
        **strip_version_metadata(facts.submitted),
        "@context": context_url(facts.submitted),
        "manifestLocation": list(facts.manifest_urls),
        "name": facts.name,
        "identifier": identifier,
        "version": facts.version,
        "id": f"{identifier}/{facts.version}",
        "repository": settings.ARCHIVE_URL,
        "url": version_page(facts.number, facts.version),
        "dateCreated": facts.created.isoformat(),
        "access": [
            _strip_access(facts.submitted) | access_requirements(facts.access, facts.embargoed_until),
            *_further_access(facts.submitted),
        ],
        "assetsSummary": dict(facts.summary or empty_summary()),
        **({"doi": facts.doi} if facts.doi else {}),
    }
    return {**metadata, "citation": citation(metadata, year=facts.now.year)}


def published_version_metadata(
    facts: VersionFacts, *, published_by: Mapping[str, Any], release_notes: str = ""
) -> dict[str, Any]:
    """Return the full metadata of a version that `published_by`, from `publish_activity`, publishes."""
    return {
        **version_metadata(facts),
        **_publication(published_by),
        **({"releaseNotes": release_notes} if release_notes else {}),
    }


def candidate_version_metadata(facts: VersionFacts, *, holds_bytes: bool) -> dict[str, Any]:
    """Return the metadata a draft would have were it published at `facts.now`, with placeholders where needed.

    This is what a draft is validated as (docs/dialects/dandi.md#validation). The summary counts one file of one byte if
    the draft `holds_bytes`, nothing otherwise; the DOI is nobody's.
    """
    summary = {**empty_summary(), "numberOfBytes": int(holds_bytes), "numberOfFiles": int(holds_bytes)}
    candidate = replace(
        facts,
        version=version_name(facts.now),
        summary=summary,
        doi=doi_name(123456, "0.123456.1234"),
        access=access_once_published(facts.access),
    )
    return published_version_metadata(candidate, published_by=publish_activity(facts.now))


def without_people(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a version or an asset as a blinded reviewer reads them: without whose they are.

    What was a list of people is an empty one, for readers who expect a list; the citation names nobody.
    """
    blinded: dict[str, Any] = _without_people(metadata)
    if "citation" in metadata:
        blinded["citation"] = citation(blinded, year=datetime.now(UTC).year)
    return blinded


def _without_people(value: Any) -> Any:
    """Return the value without the fields of people, at whatever depth: metadata need not be valid to be stored."""
    if isinstance(value, list):
        return [_without_people(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    told = {key: _without_people(item) for key, item in value.items() if key not in _FIELDS_OF_PEOPLE}
    return {**told, **{key: [] for key in _FIELDS_OF_PEOPLE if isinstance(value.get(key), list)}}


def empty_summary() -> dict[str, Any]:
    """Return the assetsSummary of a version without assets."""
    return {"schemaKey": "AssetsSummary", "numberOfBytes": 0, "numberOfFiles": 0}


def _strip_access(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the owner says about access, without what the archive decides."""
    first = next(iter(_list(metadata.get("access"))), None)
    if not isinstance(first, dict):
        return {}
    return {key: value for key, value in first.items() if key not in _COMPUTED_ACCESS_FIELDS}


def _further_access(metadata: Mapping[str, Any]) -> list[Any]:
    return _list(metadata.get("access"))[1:]


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


# --- Assets -----------------------------------------------------------------------------------------------------------


def file_metadata(path: str, said: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the metadata of new bytes at a path: what can be told, and of what was `said` what is not about bytes."""
    kept = {key: value for key, value in (said or {}).items() if key not in _OF_BYTES}
    return {
        "schemaKey": "Asset",
        "schemaVersion": schema_info().current,
        **kept,
        "encodingFormat": _media_type(path),
        "blobDateModified": datetime.now(UTC).isoformat(),
    }


def _media_type(path: str) -> str:
    media_type, encoding = _TYPES.guess_type(name_of(path), strict=False)
    if encoding:
        return f"application/{encoding}" if encoding in {"gzip", "zstd"} else f"application/x-{encoding}"
    return media_type or "application/octet-stream"


def strip_asset_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of an asset without what is computed: the part that its owners write."""
    return {key: value for key, value in metadata.items() if key not in _COMPUTED_ASSET_FIELDS}


def asset_metadata(facts: AssetFacts) -> dict[str, Any]:
    """Return the full metadata of an asset, as every reader sees it.

    A page of assets calls this a thousand times, so values are shared with `facts` rather than copied.
    """
    asset_id = str(facts.asset_id)
    embargoed_until = facts.embargoed_until if facts.access != "OPEN" else None
    return {
        **facts.submitted,
        **({"encodingFormat": ZARR_FORMAT} if facts.is_zarr else {}),
        **(_publication(facts.published_by) if facts.published_by else {}),
        "@context": context_url(facts.submitted),
        "id": f"dandiasset:{asset_id}",
        "identifier": asset_id,
        "path": facts.path,
        "access": [access_requirements(facts.access, embargoed_until)],
        # The dandi client takes the first that is not below its API for the one in the object store.
        "contentUrl": [asset_content(facts.asset_id), facts.url],
        "contentSize": facts.size,
        "digest": facts.digest,
    }


def candidate_asset_metadata(facts: AssetFacts, *, now: datetime) -> dict[str, Any]:
    """Return the metadata an asset would have were it published now: what it is validated as."""
    return asset_metadata(
        replace(facts, access=access_once_published(facts.access), published_by=_publication_of_candidates(now))
    )


@lru_cache(1)
def _publication_of_candidates(now: datetime) -> dict[str, Any]:
    """Return a `publishedBy` that says nothing, the same for all candidates of a moment: it takes a while to make."""
    return publish_activity(now)


def blob_digest(*, etag: str, sha256: str | None) -> dict[str, str | None]:
    """Return the `digest` of a file; its SHA-256 is not known at first."""
    digest: dict[str, str | None] = {"dandi:dandi-etag": etag}
    return {**digest, "dandi:sha2-256": sha256} if sha256 else digest


def zarr_digest(checksum: str | None) -> dict[str, str | None]:
    """Return the `digest` of a Zarr archive; None until its checksum is known."""
    return {"dandi:dandi-zarr-checksum": checksum}


# --- Both -------------------------------------------------------------------------------------------------------------


def with_schema_version(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return `metadata` with the schemaVersion of this server, unless they name one.

    Which they name is not looked at: what is wrong with metadata is said by validation, and keeps nobody from saving.
    """
    return {"schemaVersion": schema_info().current, **metadata}


def context_url(metadata: Mapping[str, Any]) -> str:
    """Return the address of the JSON-LD context of metadata, by its `schemaVersion`."""
    named = metadata.get("schemaVersion")
    version = named if named and isinstance(named, str) else schema_info().current
    return f"https://raw.githubusercontent.com/dandi/schema/master/releases/{version}/context.json"


def access_requirements(access: str, embargoed_until: date | None) -> dict[str, Any]:
    """Return the `access` item for OPEN, EMBARGOED or UNEMBARGOING, which is still embargoed."""
    requirements = {
        "schemaKey": "AccessRequirements",
        "status": "dandi:OpenAccess" if access == "OPEN" else "dandi:EmbargoedAccess",
    }
    return {**requirements, "embargoedUntil": embargoed_until.isoformat()} if embargoed_until else requirements


def access_once_published(access: str) -> str:
    """Return the access that metadata are validated with: `OPEN` for what is private, since it is open once published.

    Any other access, an embargo's too, stays as it is.
    """
    return "OPEN" if access == "PRIVATE" else access


def publish_activity(moment: datetime) -> dict[str, Any]:
    """Return the `publishedBy` of all that one publication publishes (docs/dialects/dandi.md#publishing).

    It gets new identifiers at each call, so it is made once per publication, kept, and shared.
    """
    return {
        "id": f"urn:uuid:{uuid4()}",
        "schemaKey": "PublishActivity",
        "name": "DANDI publish",
        "startDate": moment.isoformat(),
        "endDate": moment.isoformat(),
        "wasAssociatedWith": [
            {
                "id": f"urn:uuid:{uuid4()}",
                "schemaKey": "Software",
                "identifier": settings.ARCHIVE_INSTANCE_IDENTIFIER,
                "name": f"{settings.ARCHIVE_INSTANCE_NAME} API",
                "version": settings.ARCHIVE_VERSION,
            }
        ],
    }


def _publication(published_by: Mapping[str, Any]) -> dict[str, Any]:
    return {"publishedBy": published_by, "datePublished": published_by["endDate"]}
