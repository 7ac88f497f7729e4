"""The settings of repositories: how long git may take, where they are kept, what is text in them; and of validation."""

from pathlib import Path
from tempfile import gettempdir

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.Env()

# How long git may take, how many long answers there are at a time (fewer than threads), how long they may be silent.
GIT_SECONDS: int = env.int("GIT_SECONDS", 1800)
GIT_STREAMS: int = env.int("GIT_STREAMS", 8)
GIT_KEEP_ALIVE: float = env.float("GIT_KEEP_ALIVE", 1.5)

# Where each process finds repositories that were asked for before, and how large all of them together may be.
SNAPSHOT_CACHE: str = env.str("SNAPSHOT_CACHE", str(Path(gettempdir(), "archive-repositories")))
SNAPSHOT_CACHE_BYTES: int = env.int("SNAPSHOT_CACHE_BYTES", 10 * 2**30)
# Which files new repositories have in git itself: those with such a name that are no larger.
SNAPSHOT_TEXT_NAMES: list[str] = env.list(
    "SNAPSHOT_TEXT_NAMES",
    default=[
        ".bidsignore",
        ".gitattributes",
        ".gitignore",
        "CHANGES*",
        "CITATION*",
        "LICENSE*",
        "README*",
        "*.csv",
        "*.json",
        "*.md",
        "*.rst",
        "*.tsv",
        "*.txt",
        "*.yaml",
        "*.yml",
    ],
)
SNAPSHOT_TEXT_BYTES: int = env.int("SNAPSHOT_TEXT_BYTES", 2**20)
# The special remote that clones are told of, if any.
ANNEX_SPECIAL_REMOTE: dict[str, str] = env.dict("ANNEX_SPECIAL_REMOTE", default={})
if ANNEX_SPECIAL_REMOTE and not {"name", "type"} <= ANNEX_SPECIAL_REMOTE.keys():
    raise ImproperlyConfigured("ANNEX_SPECIAL_REMOTE needs a name and a type: name=…,type=….")
if ANNEX_SPECIAL_REMOTE.get("externaltype") == "openneuro":
    # See docs/dialects/openneuro.md#special-remote.
    ANNEX_SPECIAL_REMOTE.setdefault("description", "OpenNeuro")

# Where datasets are laid out for the BIDS validator, which program that is, and the time and memory that it may take.
BIDS_VALIDATION_CACHE: str = env.str("BIDS_VALIDATION_CACHE", str(Path(gettempdir(), "archive-bids")))
BIDS_VALIDATOR: str = env.str("BIDS_VALIDATOR", "")
BIDS_VALIDATION_SECONDS: int = env.int("BIDS_VALIDATION_SECONDS", 120)
BIDS_VALIDATION_BYTES: int = env.int("BIDS_VALIDATION_BYTES", 1500 * 2**20)
