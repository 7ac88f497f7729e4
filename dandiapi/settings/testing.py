"""`make test`: the embedded services, cheap password hashes, mail kept in memory."""

from .base import *

ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
SOCIALACCOUNT_PROVIDERS = {"github": {"APPS": [{"client_id": "this-archive", "secret": "shared with GitHub"}]}}
INSTALLED_APPS += ["allauth.socialaccount.providers.github"]
SOCIALACCOUNT_ONLY = False
CORS_ALLOWED_ORIGINS = ["https://app.example.org"]
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
# Static files as they lie in the tree: a clean clone has not collected any.
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True
