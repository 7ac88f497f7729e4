"""What things look like on the wire (docs/dialects/dandi.md#shapes). Plain data from rows, without queries."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from archive.accounts.models import ReviewerLink, User
from archive.accounts.queries import Member
from archive.assets.models import Asset
from archive.assets.queries import AssetDocuments, Child
from archive.audit.queries import AssetEvent
from archive.blobs.models import Blob, Upload, blob_key
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import Latest
from archive.publishing.queries import VersionDetails
from archive.storage.queries import public_url
from archive.zarr.models import ZarrArchive, ZarrEntry
from archive.zarr.queries import ZarrView, content_url


def user(person: User) -> dict[str, Any]:
    """Somebody, as `users/me` and the search show them."""
    return {
        "username": person.public_name,
        "name": person.display_name,
        "admin": person.is_superuser,
        "status": person.status,
    }


def member(person: Member) -> dict[str, Any]:
    """Somebody with a role in a dataset, or invited to one."""
    return {"username": person.username, "name": person.name, "email": person.email}


def reviewer_link(link: ReviewerLink) -> dict[str, Any]:
    """A reviewer link, without its secret, which nobody knows any more."""
    return {
        "id": link.pk,
        "label": link.label,
        "hint": link.hint,
        "created": link.created,
        "created_by": link.creator.username,
        "expires": link.expires,
        "revoked": link.revoked,
        "last_used": link.last_used,
    }


def upload(row: Upload) -> dict[str, Any]:
    """An upload that is under way."""
    return {
        "created": row.created,
        "blob": public_url(row.key),
        "upload_id": row.pk,
        "etag": row.etag,
        "size": row.size,
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


def dataset_row(dataset: Dataset, latest: Latest) -> dict[str, Any]:
    """A dataset in a list."""
    draft, published, is_starred = latest
    return _dataset(dataset, contact_person=(published or draft).contact_person, is_starred=is_starred) | {
        "most_recent_published_version": version_row(published) if published else None,
        "draft_version": version_row(draft),
    }


def dataset_detail(dataset: Dataset, latest: Latest, *, active_uploads: int) -> dict[str, Any]:
    """A dataset on its own."""
    draft, published, is_starred = latest
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


def version_info(details: VersionDetails) -> dict[str, Any]:
    """All about a version."""
    version = details.version
    return version_item(version, is_starred=details.is_starred, active_uploads=details.active_uploads) | {
        "asset_validation_errors": details.asset_problems,
        "version_validation_errors": version.problems,
        "metadata": version.metadata,
        "contact_person": version.contact_person,
        "doi_state": version.doi_state,
        "doi_reason": version.doi_reason,
    }


def asset_row(asset: Asset, *, of_version: bool = False) -> dict[str, Any]:
    """An asset in a list, without its metadata; `of_version` if a published version was asked for it."""
    return {
        "asset_id": asset.asset_id,
        "blob": asset.blob_id,
        "zarr": _zarr_id(asset, of_version=of_version),
        "path": asset.path,
        "size": asset.size,
        "created": asset.created,
        "modified": asset.modified,
    }


def _zarr_id(asset: Asset, *, of_version: bool) -> UUID | None:
    """The archive where it is a draft's, to be worked on; else the revision: clients ask for files by this id only."""
    if asset.zarr_id and (of_version or asset.retired is not None):
        return asset.content_id
    return asset.zarr_id


def asset(row: Asset, documents: AssetDocuments, *, of_version: bool = False) -> dict[str, Any]:
    """An asset with its metadata."""
    return asset_row(row, of_version=of_version) | {"metadata": documents.document(row)}


def children(entries: Iterable[Child], version: Version) -> Iterable[dict[str, Any]]:
    """What is in a folder."""
    for entry in entries:
        file = None
        if entry.asset_id and entry.blob_id:
            file = {"asset_id": entry.asset_id, "url": public_url(blob_key(entry.blob_id))}
        if entry.asset_id and entry.zarr_id:
            file = {"asset_id": entry.asset_id, "url": content_url(entry.zarr_id)}
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


def zarr(view: ZarrView) -> dict[str, Any]:
    """A Zarr archive; a revision looks like an archive that is complete."""
    row = view.revision or view.zarr
    return {
        "name": view.zarr.name,
        "dandiset": f"{view.zarr.dataset_id:06}",
        "zarr_id": row.pk,
        "status": ZarrArchive.Status.COMPLETE if view.revision else view.zarr.status,
        "checksum": row.checksum,
        "file_count": row.file_count,
        "size": row.size,
        "missing": [] if view.revision else view.zarr.missing,
    }


def zarr_file(entry: ZarrEntry) -> dict[str, Any]:
    """A file in a Zarr archive, as S3 would list it."""
    return {"Key": entry.path, "LastModified": entry.modified, "ETag": entry.md5, "Size": entry.size}


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
