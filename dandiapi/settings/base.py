"""The settings that all environments share. `docs/settings.md` describes each environment variable read here."""

import os
from pathlib import Path
from typing import Any

import environ
from botocore.config import Config
from corsheaders.defaults import default_headers, default_methods

from .repositories import *

env = environ.Env()

BASE_DIR = Path(__file__).resolve().parents[2]

# --- The instance -----------------------------------------------------------------------------------------------------

ARCHIVE_URL: str = env.str("ARCHIVE_URL").rstrip("/")
ARCHIVE_VERSION = "0.1.0"
ARCHIVE_INSTANCE_NAME: str = env.str("ARCHIVE_INSTANCE_NAME", "DANDI")
ARCHIVE_INSTANCE_IDENTIFIER: str = env.str("ARCHIVE_INSTANCE_IDENTIFIER", "RRID:ABC_123456")
ARCHIVE_DOI_PREFIX: str = env.str("ARCHIVE_DOI_PREFIX", "10.80507")
ARCHIVE_JUPYTERHUB_URL: str = env.str("ARCHIVE_JUPYTERHUB_URL", "https://hub.dandiarchive.org/")

# The version of OpenNeuro's API that clients are told.
OPENNEURO_VERSION = "4.30.2"

# Where clients find the `live` process; empty where there is none.
ARCHIVE_LIVE_URL: str = env.str("ARCHIVE_LIVE_URL", "").rstrip("/")

# dandischema builds its models from these variables when it is imported.
os.environ["DANDI_INSTANCE_NAME"] = ARCHIVE_INSTANCE_NAME
os.environ["DANDI_INSTANCE_IDENTIFIER"] = ARCHIVE_INSTANCE_IDENTIFIER
os.environ["DANDI_INSTANCE_URL"] = ARCHIVE_URL
os.environ["DANDI_DOI_PREFIX"] = ARCHIVE_DOI_PREFIX

# --- Django -----------------------------------------------------------------------------------------------------------

SECRET_KEY: str = env.str("SECRET_KEY")
# The keys that sign web tokens: the first signs, and the others are good still. Without any, one made of SECRET_KEY.
WEB_TOKEN_KEYS: list[str] = env.list("WEB_TOKEN_KEYS", default=[])
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
    "dandiapi.apps.ArchiveAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "corsheaders",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "graphene_django",
    "oauth2_provider",
    "rest_framework",
    "storages",
]

MIDDLEWARE = [
    "dandiapi.middleware.BoundsMiddleware",
    "dandiapi.middleware.PatienceMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "dandiapi.middleware.RequestUsernameMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "dandiapi.middleware.UnavailableServiceMiddleware",
    "dandiapi.middleware.CompressionMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "dandiapi.middleware.ContentSecurityPolicyMiddleware",
    "dandiapi.middleware.OptionalSlashMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "dandiapi.middleware.RateLimitMiddleware",
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
            "builtins": ["dandiapi.web.filters"],
        },
    },
]

# Forms are short, and hold no files.
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 2**10
FILE_UPLOAD_HANDLERS = ["dandiapi.uploads.NoFiles"]

STATIC_URL = "static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "dandiapi" / "web" / "static"]

# --- Senders and readers ----------------------------------------------------------------------------------------------

# Clients are sent away that send or read more slowly than this for so long, or whose request takes so long in all.
REQUEST_MIN_RATE: float = env.float("REQUEST_MIN_RATE", 1024.0)
REQUEST_PATIENCE: float = env.float("REQUEST_PATIENCE", 30.0)
REQUEST_SECONDS: float = env.float("REQUEST_SECONDS", 1800.0)
# What is spooled of a request before a thread reads it, and how much of all requests together.
REQUEST_SPOOL_BYTES: int = env.int("REQUEST_SPOOL_BYTES", 32 * 2**20)
REQUEST_SPOOLS_BYTES: int = env.int("REQUEST_SPOOLS_BYTES", 2**30)

# --- Postgres ---------------------------------------------------------------------------------------------------------

# How long Postgres may take over one statement of a request that reads, and of anything else, before it gives up.
DATABASE_READ_SECONDS: int = env.int("DATABASE_READ_SECONDS", 10)
DATABASE_STATEMENT_SECONDS: int = env.int("DATABASE_STATEMENT_SECONDS", 60)

DATABASES: dict[str, Any] = {"default": env.db_url("DATABASE_URL")}
DATABASES["default"]["ENGINE"] = "dandiapi.postgres"
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"].get("OPTIONS", {}),
    # Statements of `archive/statements.py` are prepared once they have been sent so often over a connection.
    "prepare_threshold": 5,
    "options": (
        f"-c statement_timeout={DATABASE_STATEMENT_SECONDS}s -c idle_in_transaction_session_timeout=60s "
        "-c lock_timeout=20s"
    ),
}
if pool_size := env.int("DATABASE_POOL_SIZE", 8):
    # Threads of the web come and go, so their connections are kept for them.
    DATABASES["default"]["OPTIONS"]["pool"] = {
        "min_size": 1,
        "max_size": pool_size,
        "timeout": 10,
        # Attempts come further and further apart: with the default of 300 s, the pool recovers as long after the
        # return of Postgres as that was away. Once the pool has given up, the next request makes it try again.
        "reconnect_timeout": 5,
    }
else:
    # A process of the worker has one connection, which it keeps. After a restart of Postgres that is stale, so it is
    # checked before use.
    DATABASES["default"]["CONN_MAX_AGE"] = None
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

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
# Celery would open a new connection for every task; dandiapi/celery.py looks after the one that is kept.
CELERY_DB_REUSE_MAX = 2**62

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
                read_timeout=5,
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

# Whether uploads that were given up, and blobs that nothing uses, are collected every night.
GARBAGE_COLLECTION: bool = env.bool("GARBAGE_COLLECTION", False)

# --- DOIs: DataCite ---------------------------------------------------------------------------------------------------

# DOIs are registered where all of the first three are set.
DATACITE_URL: str = env.str("DATACITE_URL", "").rstrip("/")
DATACITE_USER: str = env.str("DATACITE_USER", "")
DATACITE_PASSWORD: str = env.str("DATACITE_PASSWORD", "")
DATACITE_PUBLISH: bool = env.bool("DATACITE_PUBLISH", False)
DATACITE_CONCEPT_DOIS: bool = env.bool("DATACITE_CONCEPT_DOIS", False)

# --- Accounts ---------------------------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "dandiapi.admin.permissions.NoPackagePermissions",
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
PASSWORD_HASHERS = ["dandiapi.passwords.OneAtATimeArgon2Hasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
# Whoever signs up is let in, and asked to prove the address: until then nothing that others give to it is theirs.
ACCOUNT_EMAIL_VERIFICATION = "optional"
ACCOUNT_LOGOUT_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "dandiapi.accounts.AccountAdapter"
# New people wait for an administrator unless this is set.
ACCOUNTS_APPROVED_AT_SIGNUP: bool = env.bool("ACCOUNTS_APPROVED_AT_SIGNUP", False)
# But for those whose verified address ends in one of these.
ACCOUNTS_TRUSTED_ADDRESSES: list[str] = env.list(
    "ACCOUNTS_TRUSTED_ADDRESSES",
    default=[
        ".edu",
        "@alleninstitute.org",
        "@nih.gov",
        "@janelia.hhmi.org",
        "@ccf.org",
        ".ac.uk",
        ".mcgill.ca",
        "@epfl.ch",
    ],
)
ADMIN_EMAIL: str = env.str("ADMIN_EMAIL", "")
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"

# The providers by which people sign in, if a client id is set. An address that they have verified is trusted.
PROVIDERS: dict[str, tuple[str, str]] = {
    "github": (env.str("GITHUB_CLIENT_ID", ""), env.str("GITHUB_CLIENT_SECRET", "")),
    "orcid": (env.str("ORCID_CLIENT_ID", ""), env.str("ORCID_CLIENT_SECRET", "")),
    "google": (env.str("GOOGLE_CLIENT_ID", ""), env.str("GOOGLE_CLIENT_SECRET", "")),
}
SOCIALACCOUNT_PROVIDERS: dict[str, dict[str, Any]] = {
    name: {"APPS": [{"client_id": client_id, "secret": secret}]}
    for name, (client_id, secret) in PROVIDERS.items()
    if client_id
}
INSTALLED_APPS += [f"allauth.socialaccount.providers.{name}" for name in SOCIALACCOUNT_PROVIDERS]
SOCIALACCOUNT_ADAPTER = "dandiapi.accounts.SocialAccountAdapter"
SOCIALACCOUNT_LOGIN_ON_GET = True
SOCIALACCOUNT_QUERY_EMAIL = True
# Where there are providers, passwords are off unless they are asked for.
SOCIALACCOUNT_ONLY: bool = not env.bool("ACCOUNTS_WITH_PASSWORDS", not SOCIALACCOUNT_PROVIDERS)

# Web apps of other origins that act for people; `dandiapi/oauth.py` says what is special.
OAUTH2_PROVIDER: dict[str, Any] = {
    "OAUTH2_VALIDATOR_CLASS": "dandiapi.oauth.Validator",
    "SCOPES": {"write": "Read and write"},
    "ACCESS_TOKEN_EXPIRE_SECONDS": 24 * 3600,
    "AUTHORIZATION_CODE_EXPIRE_SECONDS": 300,
    # After the access token that came along has expired.
    "REFRESH_TOKEN_EXPIRE_SECONDS": 30 * 24 * 3600,
    "REFRESH_TOKEN_GRACE_PERIOD_SECONDS": 30 * 24 * 3600,
    "REFRESH_TOKEN_REUSE_PROTECTION": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_IMPLICIT_GRANT": True,
    "COMPLIANT_BCP_RFC9700_PASSWORD_GRANT": True,
    "COMPLIANT_BCP_RFC9700_ACCESS_TOKEN_TRANSPORT": True,
}
SILENCED_SYSTEM_CHECKS = [
    # Tokens are kept as hashes, and cannot be sent again to a client that lost them; our validator makes new ones.
    "oauth2_provider.E001",
    # The web app would keep an `iss` in its address.
    "oauth2_provider.W005",
]
EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL: str = env.str("DEFAULT_FROM_EMAIL", "archive@localhost")

# --- Embargoes --------------------------------------------------------------------------------------------------------

# Whether what is embargoed is released after its last day, and how many days before that its owners are told.
EMBARGO_RELEASE_AT_END: bool = env.bool("EMBARGO_RELEASE_AT_END", True)
EMBARGO_NOTICE_DAYS: list[int] = env.list("EMBARGO_NOTICE_DAYS", cast=int, default=[30, 7, 1])

# --- Pushes -----------------------------------------------------------------------------------------------------------

# What a push may hold: bytes, files that are new, changed or gone, bytes of a file that is in git.
GIT_PUSH_MAX_BYTES: int = env.int("GIT_PUSH_MAX_BYTES", 2 * 2**30)
GIT_PUSH_MAX_FILES: int = env.int("GIT_PUSH_MAX_FILES", 200_000)
GIT_MAX_FILE_SIZE: int = env.int("GIT_MAX_FILE_SIZE", 10 * 2**20)
# How long it waits for the archive to write what came before it.
GIT_PUSH_PATIENCE: float = env.float("GIT_PUSH_PATIENCE", 20.0)

# --- The faces --------------------------------------------------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["dandiapi.auth.Credentials"],
    "DEFAULT_PERMISSION_CLASSES": ["dandiapi.auth.ApprovedOrReadOnly"],
    "DEFAULT_RENDERER_CLASSES": ["dandiapi.rest.render.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["dandiapi.rest.render.JSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "dandiapi.rest.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Archive API",
    "DESCRIPTION": "Datasets, their versions and assets, in the dialect of the DANDI archive.",
    "VERSION": ARCHIVE_VERSION,
    "SERVE_INCLUDE_SCHEMA": False,
    # The scripts of these pages are served from here: no other site learns who reads them, or could change them.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/",
    # From this version on, schemas are JSON Schemas, by which any validator can check an answer.
    "OAS_VERSION": "3.1.0",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "dandiapi.rest.openapi.document_common_answers",
        "dandiapi.rest.openapi.require_lists",
    ],
    "ENUM_NAME_OVERRIDES": {
        "VersionStatus": "archive.datasets.models.Version.Status",
        "AssetStatus": "archive.assets.models.Asset.Status",
        "JobState": "archive.timeline.models.Job.State",
        "ProjectionState": "archive.timeline.models.Projection.State",
    },
}
# All but pages. Any origin may read (`dandiapi/apps.py`), and the ones listed here may write.
# GraphQL answers preflights itself.
CORS_URLS_REGEX = r"^/(api(?!/graphql)|git-annex|oauth|server-info)\b"
CORS_PREFLIGHT_MAX_AGE = 86400
CORS_ALLOW_ALL_ORIGINS = False
CORS_ALLOWED_ORIGINS: list[str] = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_ALLOWED_ORIGIN_REGEXES: list[str] = env.list("CORS_ALLOWED_ORIGIN_REGEXES", default=[])
CORS_ALLOW_METHODS = (*default_methods, "HEAD")
# The headers of DANDI's web app, and those of programs that read.
CORS_ALLOW_HEADERS = (
    *(*default_headers, "baggage", "sentry-trace"),
    *("cache-control", "if-match", "if-modified-since", "if-none-match", "if-range", "if-unmodified-since"),
    *("pragma", "range"),
)
# The headers of answers that pages of other origins may read, here and at the bucket.
CORS_EXPOSE_HEADERS = (
    *("accept-ranges", "content-disposition", "content-length", "content-range"),
    *("etag", "location", "retry-after"),
)

# How many trusted proxies a request passes: so many entries of X-Forwarded-For are believed.
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", 0)
# Requests in a minute, refused ones too: of one address, and of one user. 0 is no limit.
RATE_LIMIT_ANONYMOUS: int = 0
RATE_LIMIT_SIGNED_IN: int = 0
LIVE_STREAMS_PER_CLIENT: int = env.int("LIVE_STREAMS_PER_CLIENT", 10)
LIVE_HEARTBEAT_SECONDS: float = env.float("LIVE_HEARTBEAT_SECONDS", 15.0)

# --- Logging ----------------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s: %(message)s"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        # At INFO, Celery logs every task.
        "celery": {"level": env.str("CELERY_LOG_LEVEL", "WARNING")},
        # At INFO, httpx logs every request to DataCite.
        "httpx": {"level": "WARNING"},
        # At WARNING, Django logs every 404.
        "django.request": {"level": "ERROR"},
    },
}
