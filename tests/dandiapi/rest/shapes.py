"""The keys of everything on the wire (docs/dialects/dandi.md#shapes)."""

DATASET = {"identifier", "created", "modified", "contact_person", "embargo_status", "star_count", "is_starred"}
DATASET_DETAIL = DATASET | {"most_recent_published_version", "draft_version"}
VERSION_ROW = {"version", "name", "asset_count", "size", "status", "created", "modified"}
VERSION = VERSION_ROW | {"active_uploads", "release_notes", "label"}
VERSION_ITEM = VERSION | {"dandiset"}
VERSION_INFO = VERSION_ITEM | {
    "asset_validation_errors",
    "version_validation_errors",
    "metadata",
    "contact_person",
    "doi_state",
    "doi_reason",
    "ordinal",
    "rules",
    "closed",
}
ASSET_ROW = {"asset_id", "blob", "zarr", "path", "size", "created", "modified"}
ASSET = ASSET_ROW | {"metadata"}
PATH = {"path", "version", "aggregate_files", "aggregate_size", "asset"}
PAGE = {"count", "next", "previous", "results"}
BLOB = {"blob_id", "etag", "sha256", "size"}

TIMESTAMP = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"

NOT_FOUND = {"detail": "Not found."}
NOT_PERMITTED = {"detail": "You do not have permission to perform this action."}
