"""NAME [INSTANCE]: creates a dandiset; prints its identifier."""

import json
import os
import sys

from dandi.dandiapi import DandiAPIClient

instance = sys.argv[2] if len(sys.argv) > 2 else os.environ["ARCHIVE_API_URL"]
with DandiAPIClient.for_dandi_instance(instance, authenticate=True) as client:
    dandiset = client.create_dandiset(sys.argv[1], {"schemaKey": "Dandiset"})
    print(json.dumps(dandiset.identifier))
