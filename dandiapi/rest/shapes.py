"""The answers, made from rows as the types of `outputs` (docs/dialects/dandi.md#shapes)."""

from collections.abc import Iterable
from uuid import UUID

from archive.accounts.models import ReviewerLink, User
from archive.accounts.queries import Member
from archive.assets.models import Asset, BriefAsset
from archive.assets.queries import AssetDocuments, Child
from archive.audit.queries import AssetEvent
from archive.blobs.models import Blob, Upload, blob_key
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import Latest, Totals
from archive.embargo.queries import Opening
from archive.publishing.queries import VersionDetails
from archive.storage.queries import public_url
from archive.timeline.models import Change
from archive.zarr.models import ZarrArchive, ZarrEntry
from archive.zarr.queries import ZarrView
from dandiapi.rest import outputs
from dandiapi.rest.addresses import zarr_content


def stats(totals: Totals) -> outputs.Stats:
    """Return how much there is that everybody may see."""
    return {
        "dandiset_count": totals.datasets,
        "published_dandiset_count": totals.published,
        "user_count": totals.users,
        "size": totals.size,
    }


def user(person: User) -> outputs.User:
    """Return a person, as `users/me` and the search show them."""
    return {
        "username": person.client_username,
        "name": person.display_name,
        "admin": person.is_superuser,
        "status": person.status,
    }


def member(person: Member) -> outputs.Owner:
    """Return a person with a role in a dataset, or invited to one."""
    return {"username": person.username, "name": person.name, "email": person.email}


def reviewer_link(link: ReviewerLink) -> outputs.ReviewerLink:
    """Return a reviewer link, without its secret, which nobody knows any more."""
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


def upload(row: Upload) -> outputs.ActiveUpload:
    """Return an upload that is under way."""
    return {
        "created": row.created,
        "blob": public_url(row.key),
        "upload_id": row.pk,
        "etag": row.etag,
        "size": row.size,
    }


def version_row(version: Version) -> outputs.VersionRow:
    """Return a version in a list of datasets."""
    return {
        "version": version.version,
        "name": version.name,
        "asset_count": version.file_count,
        "size": version.size,
        "status": version.status,
        "created": version.created,
        "modified": version.modified,
    }


def version_brief(version: Version, active_uploads: int) -> outputs.VersionBrief:
    """Return a version in a dataset's detail."""
    return {
        **version_row(version),
        "active_uploads": active_uploads if version.is_draft else 0,
        "release_notes": version.release_notes,
        "label": version.label,
    }


def dataset_row(dataset: Dataset, latest: Latest) -> outputs.DatasetRow:
    """Return a dataset in a list."""
    draft, published, is_starred = latest
    return {
        **_dataset(dataset, contact_person=(published or draft).contact_person, is_starred=is_starred),
        "most_recent_published_version": version_row(published) if published else None,
        "draft_version": version_row(draft),
    }


def dataset_detail(dataset: Dataset, latest: Latest, *, active_uploads: int) -> outputs.Dataset:
    """Return a dataset on its own."""
    draft, published, is_starred = latest
    return {
        **_dataset(dataset, contact_person=(published or draft).contact_person, is_starred=is_starred),
        "most_recent_published_version": version_brief(published, 0) if published else None,
        "draft_version": version_brief(draft, active_uploads),
    }


def _dataset(dataset: Dataset, *, contact_person: str, is_starred: bool) -> outputs.DatasetBase:
    return {
        "identifier": dataset.identifier,
        "created": dataset.created,
        "modified": dataset.modified,
        "contact_person": contact_person,
        "embargo_status": _embargo_status(dataset),
        "star_count": dataset.star_count,
        "is_starred": is_starred,
    }


def _embargo_status(dataset: Dataset) -> str:
    """Return how a dataset is closed, as DANDI has it, which knows of nothing private."""
    is_private = dataset.access == Dataset.Access.PRIVATE
    return Dataset.Access.EMBARGOED if is_private else dataset.access


def version_item(version: Version, *, is_starred: bool, active_uploads: int) -> outputs.VersionItem:
    """Return a version in the list of a dataset's versions."""
    return {
        **version_brief(version, active_uploads),
        "dandiset": _dataset(version.dataset, contact_person=version.contact_person, is_starred=is_starred),
    }


def version_info(details: VersionDetails) -> outputs.VersionInfo:
    """Return a version with its metadata and what is wrong with it."""
    version = details.version
    return {
        **version_item(version, is_starred=details.is_starred, active_uploads=details.active_uploads),
        "asset_validation_errors": [_asset_problem(each) for each in details.asset_problems],
        "version_validation_errors": version.problems,
        "metadata": version.metadata,
        "contact_person": version.contact_person,
        "doi_state": version.doi_state,
        "doi_reason": version.doi_reason,
        "ordinal": version.ordinal,
        "rules": version.rules,
        "closed": version.is_closed,
    }


def version_access(version: Version) -> outputs.VersionAccess:
    """Return whether a version is closed."""
    return {"version": version.version, "label": version.label, "closed": version.is_closed}


def batch_taken(change: Change) -> outputs.BatchTaken:
    """Return the change that a batch was."""
    told = change.details
    return {
        "change": change.number,
        "added": told["added"] - told["replaced"],
        "replaced": told["replaced"],
        "removed": told["removed"] - told["replaced"],
    }


def opening(release: Opening) -> outputs.Opening:
    """Return what a release would open."""
    return {
        "keeps_history": release.keeps_history,
        "versions": release.versions,
        "removed_paths": release.removed_paths,
        "people": release.people,
    }


def _asset_problem(problem: dict[str, str]) -> outputs.AssetProblem:
    return {"field": problem["field"], "message": problem["message"], "path": problem["path"]}


def asset_row(row: Asset | BriefAsset, *, of_version: bool = False) -> outputs.AssetRow:
    """Return an asset in a list, without its metadata."""
    return {
        "asset_id": row.asset_id,
        "blob": row.blob_id,
        "zarr": _zarr_id(row, of_version=of_version),
        "path": row.path,
        "size": row.size,
        "created": row.created,
        "modified": row.modified,
    }


def asset_row_with_metadata(row: Asset, documents: AssetDocuments, *, of_version: bool = False) -> outputs.AssetRow:
    """Return an asset in a list with its metadata."""
    return {**asset_row(row, of_version=of_version), "metadata": documents.document(row)}


def asset(row: Asset, documents: AssetDocuments, *, of_version: bool = False) -> outputs.Asset:
    """Return an asset with its metadata; `of_version` if a published version was asked for it."""
    return {**asset_row(row, of_version=of_version), "metadata": documents.document(row)}


def _zarr_id(asset: Asset | BriefAsset, *, of_version: bool) -> UUID | None:
    """Return the id by which clients ask for files: the archive's, if it can be worked on, else the revision's."""
    if asset.zarr_id and (of_version or asset.retired is not None):
        return asset.content_id
    return asset.zarr_id


def children(entries: Iterable[Child], version: Version) -> Iterable[outputs.Path]:
    """Return the files and folders in a folder."""
    for entry in entries:
        file: outputs.PathAsset | None = None
        if entry.asset_id and entry.blob_id:
            file = {"asset_id": entry.asset_id, "url": public_url(blob_key(entry.blob_id))}
        if entry.asset_id and entry.zarr_id:
            file = {"asset_id": entry.asset_id, "url": zarr_content(entry.zarr_id)}
        yield {
            "path": entry.path,
            "version": version.pk,
            "aggregate_files": entry.file_count,
            "aggregate_size": entry.size,
            "asset": file,
        }


def blob(row: Blob) -> outputs.Blob:
    """Return a blob."""
    return {"blob_id": row.pk, "etag": row.etag, "sha256": row.sha256, "size": row.size}


def zarr(view: ZarrView) -> outputs.Zarr:
    """Return a Zarr archive; a revision looks like an archive that is complete."""
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


def zarr_file(entry: ZarrEntry) -> outputs.ZarrFile:
    """Return a file in a Zarr archive, as S3 would list it."""
    return {"Key": entry.path, "LastModified": entry.modified, "ETag": entry.md5, "Size": entry.size or 0}


def webdav_folder(path: str, file_count: int, size: int) -> outputs.FolderAtPath:
    """Return a folder, as DANDI's WebDAV server reads it."""
    return {"type": "folder", "resource": {"path": path, "total_assets": file_count, "total_size": size}}


def webdav_asset(row: Asset, documents: AssetDocuments | None) -> outputs.AssetAtPath:
    """Return a file, as DANDI's WebDAV server reads it, with its metadata if there are documents to take it from."""
    return {"type": "asset", "resource": asset_row_with_metadata(row, documents) if documents else asset_row(row)}


def asset_event(event: AssetEvent) -> outputs.AssetEvent:
    """Return what was done with an asset."""
    return {
        "id": event.change.pk,
        "dandiset_id": event.change.dataset_id,
        "timestamp": event.change.recorded,
        "record_type": event.kind,
        "details": event.details,
    }
