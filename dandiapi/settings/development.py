"""`make run`: one machine, this machine; everything else as in production."""

from .base import *
from .base import env

DEBUG = env.bool("DEBUG", False)
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ACCOUNTS_APPROVED_AT_SIGNUP = True
SOCIALACCOUNT_ONLY = False
# Web apps under development are served by this machine, at whatever port.
CORS_ALLOWED_ORIGIN_REGEXES = [r"^http://(localhost|127\.0\.0\.1|\[::1\]):\d+$"]
