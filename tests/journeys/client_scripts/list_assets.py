"""DANDISET [VERSION]: prints path -> asset id, listed two at a time so that the client asks for many pages at once."""

import json
import os
import sys

from dandi.dandiapi import DandiAPIClient

version = sys.argv[2] if len(sys.argv) > 2 else "draft"
with DandiAPIClient(os.environ["ARCHIVE_API_URL"]) as client:
    client.page_size = 2
    assets = client.get_dandiset(sys.argv[1], version).get_assets(order="path")
    print(json.dumps({asset.path: asset.identifier for asset in assets}))
