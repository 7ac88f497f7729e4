"""The entry point of the `live` process."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dandiapi.settings.production")
django.setup()

from dandiapi.live.application import Live  # noqa: E402 - it needs Django to be set up
from dandiapi.server.files import allow_files  # noqa: E402

allow_files()
application = Live()
