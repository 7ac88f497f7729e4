"""NAME: creates an embargoed dandiset; prints its identifier."""

import json
import os
import sys

from dandi.dandiapi import DandiAPIClient

with DandiAPIClient.for_dandi_instance(os.environ["ARCHIVE_API_URL"], authenticate=True) as client:
    dandiset = client.create_dandiset(sys.argv[1], {"schemaKey": "Dandiset"}, embargo=True)
    print(json.dumps(dandiset.identifier))
