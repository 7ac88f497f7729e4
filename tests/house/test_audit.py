"""`make audit`, and so `make check`: what uv's audit says of our packages is heeded, and its silence is told."""

import subprocess
from pathlib import Path

import pytest

from tests.house.sources import PROJECT


def audit(folder: Path, status: int) -> subprocess.CompletedProcess[str]:
    """`make audit`, with a uv that ends with that status."""
    uv = folder / "uv"
    uv.write_text(f'#!/bin/sh\necho "uv $*"\nexit {status}\n')
    uv.chmod(0o755)
    return subprocess.run(["make", "-s", "audit", f"UV={uv}"], capture_output=True, text=True, check=False, cwd=PROJECT)


@pytest.mark.parametrize(("status", "passes", "audited"), [(0, True, True), (1, False, True), (2, True, False)])
def test_audit_passes_unless_an_advisory_is_about_a_package(
    tmp_path: Path, status: int, passes: bool, audited: bool
) -> None:
    made = audit(tmp_path, status)
    assert made.stdout.startswith("uv audit --frozen")
    assert ((made.returncode == 0), "not audited" not in made.stdout) == (passes, audited)


def test_check_audits() -> None:
    recipe = subprocess.run(["make", "-n", "check"], capture_output=True, text=True, check=True, cwd=PROJECT)
    assert " audit --frozen" in recipe.stdout
