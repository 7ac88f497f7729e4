"""Metadata as clients submit it, with nothing in it to complain of."""

from typing import Any

from archive.metadata.queries import schema_info


def valid_dandiset_metadata() -> dict[str, Any]:
    """What a new dataset's owner adds to the defaults to make it publishable."""
    return {
        "schemaKey": "Dandiset",
        "schemaVersion": schema_info().current,
        "description": "What a mouse saw.",
        "license": ["spdx:CC-BY-4.0"],
        "contributor": [
            {
                "schemaKey": "Person",
                "name": "Doe, Jane",
                "email": "jane@example.org",
                "roleName": ["dcite:ContactPerson", "dcite:Author"],
                "affiliation": [],
                "includeInCitation": True,
            }
        ],
    }


def valid_asset_metadata(path: str, **fields: Any) -> dict[str, Any]:
    """What a client says about a file at `path`; `fields` are added."""
    return {
        "schemaKey": "Asset",
        "schemaVersion": schema_info().current,
        "encodingFormat": "application/x-nwb",
        "path": path,
        **fields,
    }
