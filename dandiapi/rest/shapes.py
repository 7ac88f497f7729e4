"""What things look like on the wire (contract appendix A). Plain data from rows; no queries but for what is asked."""

from collections.abc import Iterable
from typing import Any

from archive.accounts.models import User
from archive.accounts.policy import Actor
from archive.assets.models import Asset
from archive.assets.queries import AssetDocuments, Child
from archive.audit.queries import AssetEvent
from archive.blobs.models import Blob, blob_key
from archive.datasets.models import Dataset, Version
from archive.publishing.queries import VersionDetails
from archive.storage.queries import public_url


def user(person: User) -> dict[str, Any]:
    """Somebody, as `users/me` and the search show them."""
    return {
        "username": person.username,
        "name": person.display_name,
        "admin": person.is_superuser,
        "status": person.status,
    }


def owner(person: User, actor: Actor) -> dict[str, Any]:
    """An owner of a dataset; the e-mail address is for those who are signed in."""
    return {
        "username": person.username,
        "name": person.display_name,
        "email": person.email if actor.is_authenticated else None,
    }


def version_row(version: Version) -> dict[str, Any]:
    """A version in a list of datasets."""
    return {
        "version": version.version,
        "name": version.name,
        "asset_count": version.file_count,
        "size": version.size,
        "status": version.status,
        "created": version.created,
        "modified": version.modified,
    }


def version_brief(version: Version, active_uploads: int) -> dict[str, Any]:
    """A version in a dataset's detail."""
    return version_row(version) | {
        "active_uploads": active_uploads if version.is_draft else 0,
        "release_notes": version.release_notes,
    }


def dataset_row(dataset: Dataset, draft: Version, published: Version | None, *, is_starred: bool) -> dict[str, Any]:
    """A dataset in a list."""
    return _dataset(dataset, contact_person=(published or draft).contact_person, is_starred=is_starred) | {
        "most_recent_published_version": version_row(published) if published else None,
        "draft_version": version_row(draft),
    }


def dataset_detail(
    dataset: Dataset, draft: Version, published: Version | None, *, is_starred: bool, active_uploads: int
) -> dict[str, Any]:
    """A dataset on its own."""
    return _dataset(dataset, contact_person=(published or draft).contact_person, is_starred=is_starred) | {
        "most_recent_published_version": version_brief(published, 0) if published else None,
        "draft_version": version_brief(draft, active_uploads),
    }


def _dataset(dataset: Dataset, *, contact_person: str, is_starred: bool) -> dict[str, Any]:
    return {
        "identifier": dataset.identifier,
        "created": dataset.created,
        "modified": dataset.modified,
        "contact_person": contact_person,
        "embargo_status": dataset.access,
        "star_count": dataset.star_count,
        "is_starred": is_starred,
    }


def version_item(version: Version, *, is_starred: bool, active_uploads: int) -> dict[str, Any]:
    """A version in the list of a dataset's versions."""
    dataset = _dataset(version.dataset, contact_person=version.contact_person, is_starred=is_starred)
    return version_brief(version, active_uploads) | {"dandiset": dataset}


def version_info(details: VersionDetails, *, is_starred: bool) -> dict[str, Any]:
    """All about a version."""
    version = details.version
    return version_item(version, is_starred=is_starred, active_uploads=details.active_uploads) | {
        "asset_validation_errors": details.asset_problems,
        "version_validation_errors": version.problems,
        "metadata": version.metadata,
        "contact_person": version.contact_person,
        "doi_state": version.doi_state,
        "doi_reason": version.doi_reason,
    }


def asset_row(asset: Asset) -> dict[str, Any]:
    """An asset in a list, without its metadata."""
    return {
        "asset_id": asset.asset_id,
        "blob": asset.blob_id,
        "zarr": None,
        "path": asset.path,
        "size": asset.size,
        "created": asset.created,
        "modified": asset.modified,
    }


def asset(row: Asset, documents: AssetDocuments) -> dict[str, Any]:
    """An asset with its metadata."""
    return asset_row(row) | {"metadata": documents.document(row)}


def children(entries: Iterable[Child], version: Version) -> Iterable[dict[str, Any]]:
    """What is in a folder."""
    for entry in entries:
        file = None
        if entry.asset_id and entry.blob_id:
            file = {"asset_id": entry.asset_id, "url": public_url(blob_key(entry.blob_id))}
        yield {
            "path": entry.path,
            "version": version.pk,
            "aggregate_files": entry.file_count,
            "aggregate_size": entry.size,
            "asset": file,
        }


def blob(row: Blob) -> dict[str, Any]:
    """A blob."""
    return {"blob_id": row.pk, "etag": row.etag, "sha256": row.sha256, "size": row.size}


def webdav_folder(path: str, file_count: int, size: int) -> dict[str, Any]:
    """A folder, to DANDI's WebDAV server."""
    return {"type": "folder", "resource": {"path": path, "total_assets": file_count, "total_size": size}}


def webdav_asset(row: Asset, documents: AssetDocuments | None) -> dict[str, Any]:
    """A file, to the same; with its metadata if there are documents to take it from."""
    return {"type": "asset", "resource": asset(row, documents) if documents else asset_row(row)}


def asset_event(event: AssetEvent) -> dict[str, Any]:
    """What was done with an asset."""
    return {
        "id": event.change.pk,
        "dandiset_id": event.change.dataset_id,
        "timestamp": event.change.recorded,
        "record_type": event.kind,
        "details": event.details,
    }
