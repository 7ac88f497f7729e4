"""What every place of use shares. Each environment variable read here is described in `docs/settings.md`."""

import os
from pathlib import Path
from typing import Any

import environ
from botocore.config import Config

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parents[2]

# --- The instance -----------------------------------------------------------------------------------------------------

ARCHIVE_URL: str = env.str("ARCHIVE_URL").rstrip("/")
ARCHIVE_VERSION = "0.1.0"
ARCHIVE_INSTANCE_NAME: str = env.str("ARCHIVE_INSTANCE_NAME", "DANDI")
ARCHIVE_INSTANCE_IDENTIFIER: str = env.str("ARCHIVE_INSTANCE_IDENTIFIER", "RRID:ABC_123456")
ARCHIVE_DOI_PREFIX: str = env.str("ARCHIVE_DOI_PREFIX", "10.80507")
ARCHIVE_JUPYTERHUB_URL: str = env.str("ARCHIVE_JUPYTERHUB_URL", "https://hub.dandiarchive.org/")

# Where clients find the `live` process; empty where there is none.
ARCHIVE_LIVE_URL: str = env.str("ARCHIVE_LIVE_URL", "").rstrip("/")

# dandischema builds its models from these the moment it is imported, and reads them nowhere else.
os.environ["DANDI_INSTANCE_NAME"] = ARCHIVE_INSTANCE_NAME
os.environ["DANDI_INSTANCE_IDENTIFIER"] = ARCHIVE_INSTANCE_IDENTIFIER
os.environ["DANDI_INSTANCE_URL"] = ARCHIVE_URL
os.environ["DANDI_DOI_PREFIX"] = ARCHIVE_DOI_PREFIX

# --- Django -----------------------------------------------------------------------------------------------------------

SECRET_KEY: str = env.str("SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
ROOT_URLCONF = "dandiapi.urls"
WSGI_APPLICATION = "dandiapi.wsgi.application"
AUTH_USER_MODEL = "archive.User"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SITE_ID = 1
TIME_ZONE = "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"

INSTALLED_APPS = [
    "archive",
    "dandiapi",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "corsheaders",
    "drf_spectacular",
    "rest_framework",
    "storages",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "dandiapi.middleware.RequestUsernameMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "dandiapi.middleware.UnavailableServiceMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "dandiapi.middleware.ContentSecurityPolicyMiddleware",
    "dandiapi.middleware.OptionalSlashMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "dandiapi.web.errors.ErrorPageMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "dandiapi" / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "dandiapi.web.context.instance",
            ],
        },
    },
]

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "dandiapi" / "web" / "static"]

# --- Postgres ---------------------------------------------------------------------------------------------------------

DATABASES: dict[str, Any] = {"default": env.db_url("DATABASE_URL")}
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    "pool": {"min_size": 1, "max_size": env.int("DATABASE_POOL_SIZE", 8), "timeout": 10},
    "options": "-c statement_timeout=60s -c idle_in_transaction_session_timeout=60s -c lock_timeout=20s",
}

# --- Valkey: broker, cache --------------------------------------------------------------------------------------------

REDIS_URL: str = env.str("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {"socket_timeout": 2, "socket_connect_timeout": 1},
    }
}

CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    # A nudge that fails is found again by the sweep; a request must not wait for it.
    "retry_policy": {"timeout": 1.0},
    "visibility_timeout": 24 * 3600,
}
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_DEFAULT_QUEUE = "quick"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False

# --- S3 ---------------------------------------------------------------------------------------------------------------

S3_ENDPOINT_URL: str | None = env.str("S3_ENDPOINT_URL", None)
STORAGES: dict[str, Any] = {
    "default": {
        "BACKEND": "storages.backends.s3.S3Storage",
        "OPTIONS": {
            "bucket_name": env.str("S3_BUCKET", "archive"),
            "endpoint_url": S3_ENDPOINT_URL,
            "region_name": env.str("AWS_REGION", "us-east-1"),
            "access_key": env.str("AWS_ACCESS_KEY_ID"),
            "secret_key": env.str("AWS_SECRET_ACCESS_KEY"),
            "client_config": Config(
                signature_version="s3v4",
                s3={"addressing_style": "path" if S3_ENDPOINT_URL else "virtual"},
                connect_timeout=2,
                read_timeout=20,
                retries={"mode": "standard", "total_max_attempts": 2},
                max_pool_connections=32,
                # A signed URL must not ask clients for checksums they know nothing of.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        },
    },
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
# Where clients reach the object store, when that differs from where this server does.
S3_PUBLIC_ENDPOINT_URL: str | None = env.str("S3_PUBLIC_ENDPOINT_URL", S3_ENDPOINT_URL)

# --- Accounts ---------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "dandiapi.auth.AccountAdapter"
# New people wait for an administrator unless this is set.
ACCOUNTS_APPROVED_AT_SIGNUP: bool = env.bool("ACCOUNTS_APPROVED_AT_SIGNUP", False)
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", "archive@localhost")

# --- The faces --------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "dandiapi.auth.TokenAuthentication",
        "dandiapi.auth.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["dandiapi.auth.ApprovedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["dandiapi.rest.render.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["dandiapi.rest.render.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "dandiapi.errors.rest_exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Archive API",
    "DESCRIPTION": "Datasets, their versions and assets, in the dialect of the DANDI archive.",
    "VERSION": ARCHIVE_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/",
}
CORS_ALLOW_ALL_ORIGINS = False
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOWED_ORIGIN_REGEXES: list[str] = env.list("CORS_ALLOWED_ORIGIN_REGEXES", default=[])
CORS_ALLOW_HEADERS = (
    "accept",
    "authorization",
    "baggage",
    "content-type",
    "if-match",
    "if-none-match",
    "sentry-trace",
    "user-agent",
    "x-csrftoken",
    "x-requested-with",
)

# How many proxies of ours a request comes through: so many entries of X-Forwarded-For are believed.
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", 1)
LIVE_STREAMS_PER_CLIENT: int = env.int("LIVE_STREAMS_PER_CLIENT", 10)
LIVE_HEARTBEAT_SECONDS: float = env.float("LIVE_HEARTBEAT_SECONDS", 15.0)

CORS_EXPOSE_HEADERS = (
    "etag",
    "location",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
)

# --- Logging ----------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        # Every task that comes and goes, otherwise.
        "celery": {"level": env.str("CELERY_LOG_LEVEL", "WARNING")},
        # Every 404, otherwise.
        "django.request": {"level": "ERROR"},
    },
}
