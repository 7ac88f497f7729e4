"""DANDISET VERSION PATH: opens a Zarr asset by its content URL, as analyses do, and prints its sum of pixels."""

import json
import os
import sys

import zarr
from dandi.dandiapi import DandiAPIClient

with DandiAPIClient(os.environ["ARCHIVE_API_URL"]) as client:
    asset = client.get_dandiset(sys.argv[1], sys.argv[2]).get_asset_by_path(sys.argv[3])
    url = asset.get_content_url(regex="/content/$")
    image = zarr.open_group(url.rstrip("/"), mode="r", zarr_format=2)["0"]
    print(json.dumps(int(image[:].astype("int64").sum())))
