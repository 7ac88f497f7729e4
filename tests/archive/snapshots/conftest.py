"""A cache of each test's own."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(autouse=True)
def snapshot_cache(settings: Any, tmp_path: Path) -> Path:
    settings.SNAPSHOT_CACHE = str(tmp_path / "cache")
    return tmp_path / "cache"
