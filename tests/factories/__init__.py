"""Things in the states that tests start from, each made through the services that make them in earnest."""

from tests.factories.accounts import (
    acting,
    make_admin,
    make_nameless_user,
    make_staff,
    make_token,
    make_unapproved_user,
    make_user,
)
from tests.factories.assets import make_asset, new_asset
from tests.factories.blobs import attachable_row, make_blob, make_blob_row, put_parts
from tests.factories.datasets import (
    make_dataset,
    make_editor,
    make_embargoed_dataset,
    make_releasing_dataset,
    make_reviewer_link,
    make_viewer,
    owner_of,
    start_release,
)
from tests.factories.metadata import valid_asset_metadata, valid_dandiset_metadata
from tests.factories.publishing import make_published_version, make_valid_dataset
from tests.factories.zarr import make_zarr, make_zarr_asset, upload_zarr

__all__ = [
    "acting",
    "attachable_row",
    "make_admin",
    "make_asset",
    "make_blob",
    "make_blob_row",
    "make_dataset",
    "make_editor",
    "make_embargoed_dataset",
    "make_nameless_user",
    "make_published_version",
    "make_releasing_dataset",
    "make_reviewer_link",
    "make_staff",
    "make_token",
    "make_unapproved_user",
    "make_user",
    "make_valid_dataset",
    "make_viewer",
    "make_zarr",
    "make_zarr_asset",
    "new_asset",
    "owner_of",
    "put_parts",
    "start_release",
    "upload_zarr",
    "valid_asset_metadata",
    "valid_dandiset_metadata",
]
