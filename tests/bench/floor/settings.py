"""The archive's settings, but with one address, and of the middleware only what allauth does not start without."""

from dandiapi.settings.development import *

ROOT_URLCONF = "tests.bench.floor.urls"
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]
