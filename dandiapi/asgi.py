"""The door of the `live` process."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dandiapi.settings.production")
django.setup()

from dandiapi.live.application import Live  # noqa: E402 - it needs Django to be set up

application = Live()
