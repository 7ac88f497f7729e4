"""Heroku and its like: HTTPS only, errors to Sentry."""

import sentry_sdk

from .base import *
from .base import env

# Heroku's router is one.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 1)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = 365 * 24 * 3600
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
SESSION_COOKIE_SECURE = True
CSRF_COOKIE_SECURE = True
OAUTH2_PROVIDER = {**OAUTH2_PROVIDER, "ALLOWED_REDIRECT_URI_SCHEMES": ["https"]}

# Mail holds links by which passwords are set anew, so it is never printed, and lost, for want of a setting.
EMAIL_CONFIG = env.email_url("EMAIL_URL")
vars().update(EMAIL_CONFIG)

RATE_LIMIT_ANONYMOUS = env.int("RATE_LIMIT_ANONYMOUS", 3_000)
RATE_LIMIT_SIGNED_IN = env.int("RATE_LIMIT_SIGNED_IN", 30_000)

if dsn := env.str("SENTRY_DSN", ""):
    sentry_sdk.init(
        dsn=dsn,
        environment=env.str("SENTRY_ENVIRONMENT", "production"),
        traces_sample_rate=0.01,
        send_default_pii=False,
    )
