"""`python -m embedded.samples --api-url URL --token TOKEN`."""

import argparse
import sys

from embedded.processes import EmbeddedError

from .main import main

parser = argparse.ArgumentParser(description="Uploads the sample datasets, as far as they are missing.")
parser.add_argument("--api-url", required=True, help="for example http://127.0.0.1:8000/api")
parser.add_argument("--token", required=True, help="the API token of the user who is to own them")
arguments = parser.parse_args()
try:
    main(arguments.api_url, arguments.token)
except EmbeddedError as error:
    sys.exit(str(error))
