"""Everything Django has to do before the first request, in one process: starting Django is what takes the time."""

import fcntl
import hashlib
import io
from pathlib import Path

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command, get_commands

from .account import EMAIL, Account, keep_account, known_account, new_password
from .home import Home

# Where DANDI's web app is served under development.
WEB_APP_ADDRESS = "http://localhost:8085/"


def main() -> None:
    """Bring database, bucket, static files and the first account up to date; raise what their commands raise."""
    django.setup()
    call_command("migrate", interactive=False)
    call_command("prepare_bucket")
    call_command("register_web_app", redirect_uri=[WEB_APP_ADDRESS], verbosity=0)
    collect_static_files()
    make_account(Home.from_environment())


def collect_static_files() -> None:
    """Collect the static files if one of them has changed since the last time.

    All archives that run from this folder share them: of several that start at once, one collects and the others wait.
    """
    root = Path(settings.STATIC_ROOT)
    root.mkdir(parents=True, exist_ok=True)
    stamp = Path(root, ".collected")
    fingerprint = _fingerprint_of_static_files()
    with Path(root, ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if stamp.exists() and stamp.read_text() == fingerprint:
            return
        call_command("collectstatic", interactive=False, verbosity=1)
        stamp.write_text(fingerprint)


def make_account(home: Home) -> None:
    """Make the account for a first look, at the first start only."""
    if known_account(home) or "create_demo_account" not in get_commands():
        return
    password = new_password()
    token = io.StringIO()
    call_command("create_demo_account", EMAIL, password, stdout=token)
    keep_account(home, Account(email=EMAIL, password=password, token=token.getvalue().strip()))


def _fingerprint_of_static_files() -> str:
    described = sorted(
        f"{path} {status.st_size} {status.st_mtime_ns}"
        for finder in get_finders()
        for path, storage in finder.list(ignore_patterns=None)
        for status in [Path(storage.path(path)).stat()]
    )
    return hashlib.sha256("\n".join(described).encode()).hexdigest()


if __name__ == "__main__":
    main()
