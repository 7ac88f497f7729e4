"""The addresses of this face that metadata and messages name."""

from uuid import UUID

from django.conf import settings

from archive import addresses


@addresses.draft_assets.register
def draft_assets(number: int) -> str:
    """Return where the assets of a draft are listed."""
    return f"{settings.ARCHIVE_URL}/api/dandisets/{number:06}/versions/draft/assets/"


@addresses.asset_content.register
def asset_content(asset_id: UUID) -> str:
    """Return where the content of an asset is read."""
    return f"{settings.ARCHIVE_URL}/api/assets/{asset_id}/download/"


@addresses.zarr_content.register
def zarr_content(zarr_id: UUID) -> str:
    """Return the address below which the files of a Zarr archive, or of a revision, are read by their paths."""
    return f"{settings.ARCHIVE_URL}/api/zarr/{zarr_id}/content/"


@addresses.zarr_files.register
def zarr_files(zarr_id: UUID) -> str:
    """Return where the files of a Zarr archive, or of a revision, are listed."""
    return f"{settings.ARCHIVE_URL}/api/zarr/{zarr_id}/files/"
