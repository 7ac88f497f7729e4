"""FOLDER: calls the library as scripts do, with no more metadata than they have to say; prints what is there then.

FOLDER holds `table.tsv` and `image.zarr`.
"""

import json
import os
import sys
from pathlib import Path

from dandi.dandiapi import DandiAPIClient
from dandi.files import dandi_file

folder = Path(sys.argv[1])
with DandiAPIClient.for_dandi_instance(os.environ["ARCHIVE_API_URL"], authenticate=True) as client:
    draft = client.create_dandiset("Bare metadata", {})
    draft.set_raw_metadata({"name": "A new name", "description": "Numbers."})

    table = draft.upload_raw_asset(folder / "table.tsv", {"path": "raw/table.tsv"})
    draft.upload_raw_asset(folder / "table.tsv", {"path": "raw/table.tsv", "note": "again"}, replace_asset=table)
    *_, done = draft.iter_upload_raw_asset(folder / "table.tsv", {"path": "raw/other.tsv"})
    done["asset"].set_raw_metadata({"path": "raw/other.tsv", "note": "edited"})
    done["asset"].rename("raw/renamed.tsv")
    dandi_file(folder / "table.tsv", folder).upload(draft, {})

    image = draft.upload_raw_asset(folder / "image.zarr", {"path": "raw/image.zarr"})
    image.set_raw_metadata({"path": "raw/image.zarr", "note": "edited"})
    dandi_file(folder / "image.zarr", folder).upload(draft, {})

    notes = {asset.path: asset.get_raw_metadata().get("note") for asset in draft.get_assets(order="path")}
    print(json.dumps({"identifier": draft.identifier, "metadata": draft.get_raw_metadata(), "notes": notes}))
