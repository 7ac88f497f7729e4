"""DANDISET METADATA: sets the metadata (JSON), waits until the draft is valid, publishes; prints the version."""

import json
import os
import sys

from dandi.dandiapi import DandiAPIClient

with DandiAPIClient.for_dandi_instance(os.environ["ARCHIVE_API_URL"], authenticate=True) as client:
    draft = client.get_dandiset(sys.argv[1], "draft")
    draft.set_raw_metadata(draft.get_raw_metadata() | json.loads(sys.argv[2]))
    draft.wait_until_valid()
    published = draft.publish()
    # The client's own model of a dandiset: what was published must satisfy it.
    published.get_metadata()
    print(json.dumps(published.version_id))
