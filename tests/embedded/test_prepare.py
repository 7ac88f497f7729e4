"""What Django does before an embedded archive answers its first request."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from embedded import prepare


@pytest.fixture
def collected(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The commands that were called to collect the static files, each of which takes a while."""
    settings.STATIC_ROOT = tmp_path / "static"
    calls: list[str] = []

    def slowly(command: str, **_: Any) -> None:
        time.sleep(0.1)
        calls.append(command)

    monkeypatch.setattr(prepare, "call_command", slowly)
    return calls


def test_static_files_are_collected_once_however_many_archives_start_together(collected: list[str]) -> None:
    with ThreadPoolExecutor(4) as archives:
        list(archives.map(lambda _: prepare.collect_static_files(), range(4)))
    assert collected == ["collectstatic"]


def test_static_files_are_collected_again_when_one_has_changed(
    collected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare.collect_static_files()
    monkeypatch.setattr(prepare, "_fingerprint_of_static_files", lambda: "another")
    prepare.collect_static_files()
    assert collected == ["collectstatic"] * 2
