"""The entry point of the request workers."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dandiapi.settings.production")

application = get_wsgi_application()

# What has been loaded stays; collecting garbage among it would stop a request for 0.15 s now and then.
gc.collect()
gc.freeze()
