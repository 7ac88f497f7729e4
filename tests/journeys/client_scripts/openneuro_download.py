"""URL FOLDER DATASET [TAG]: downloads a dataset with openneuro-py from the archive at that address, and verifies it."""

import sys
from urllib.parse import urlsplit

from openneuro import _download as client

url, folder, dataset, *tag = sys.argv[1:]
client._openneuro_host = urlsplit(url).hostname
client._openneuro_url_prefix = f"{url}/crn/"
client.gql_url = f"{url}/crn/graphql"
client.download(dataset=dataset, tag=tag[0] if tag else None, target_dir=folder, verify_hash=True, source="openneuro")
