"""What production needs to be told before it starts, and what it takes for granted."""

import os
import subprocess
import sys

from tests.house.sources import PROJECT

MAIL = "smtp+tls://user:password@mail.example.org:587"


def production(expression: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What the settings of production, read in a process of their own, say when they are asked."""
    return subprocess.run(
        [sys.executable, "-c", f"from dandiapi.settings import production; print(production.{expression})"],
        capture_output=True,
        text=True,
        check=False,
        cwd=PROJECT,
        env={name: value for name, value in os.environ.items() if name != "EMAIL_URL"} | variables,
    )


def test_production_does_not_start_when_it_is_not_told_how_to_send_mail() -> None:
    started = production("EMAIL_HOST")
    assert started.returncode != 0
    assert "EMAIL_URL" in started.stderr


def test_production_sends_mail_as_it_is_told() -> None:
    assert production("EMAIL_HOST", EMAIL_URL=MAIL).stdout == "mail.example.org\n"


def test_special_remote_has_a_name_and_a_type() -> None:
    started = production("ANNEX_SPECIAL_REMOTE", EMAIL_URL=MAIL, ANNEX_SPECIAL_REMOTE="name=OpenNeuro")
    assert "ANNEX_SPECIAL_REMOTE needs a name and a type" in started.stderr


def test_production_believes_one_proxy() -> None:
    assert production("TRUSTED_PROXIES", EMAIL_URL=MAIL).stdout == "1\n"


def test_production_believes_as_many_proxies_as_it_is_told() -> None:
    told = {"EMAIL_URL": MAIL, "TRUSTED_PROXIES": "0"}
    assert production("TRUSTED_PROXIES, production.SECURE_PROXY_SSL_HEADER", **told).stdout == "0 None\n"
