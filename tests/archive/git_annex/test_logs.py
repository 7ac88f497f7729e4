"""The logs on the branch `git-annex`, as git-annex writes them."""

from datetime import UTC, datetime
from uuid import UUID

from archive.git_annex.keys import AnnexKey
from archive.git_annex.logs import (
    WEB_UUID,
    location_log,
    location_log_path,
    remote_log,
    renewed_log,
    url_log,
    url_log_path,
    uuid_log,
)

ANNEX_UUID = UUID("2d449a10-03f8-4bd7-8437-3e17691f4b95")
MOMENT = datetime(2025, 11, 21, 12, 0, 0, 250_000, tzinfo=UTC)
STAMP = "1763726400.250000s"


def test_location_log_has_the_archive_alone_of_what_is_not_public() -> None:
    assert location_log([ANNEX_UUID], MOMENT, is_public=False) == f"{STAMP} 1 {ANNEX_UUID}\n".encode()


def test_location_log_has_the_web_too_of_what_is_public() -> None:
    lines = f"{STAMP} 1 {ANNEX_UUID}\n{STAMP} 1 {WEB_UUID}\n"
    assert location_log([ANNEX_UUID], MOMENT, is_public=True) == lines.encode()


def test_url_log_has_an_address() -> None:
    assert url_log("https://example.org/a", MOMENT) == f"{STAMP} 1 https://example.org/a\n".encode()


def test_uuid_log_has_a_name() -> None:
    assert uuid_log(ANNEX_UUID, "the archive", MOMENT) == f"{ANNEX_UUID} the archive timestamp={STAMP}\n".encode()


def test_remote_log_has_words() -> None:
    words = {"type": "external", "name": "My archive"}
    assert remote_log(ANNEX_UUID, words, MOMENT) == (
        f"{ANNEX_UUID} name=My&32;archive type=external timestamp={STAMP}\n".encode()
    )


def test_logs_of_a_key_lie_beside_one_another() -> None:
    key = AnnexKey("MD5", 4, "0" * 32)
    assert location_log_path(key) == f"{key.lower_folders}/{key}.log"
    assert url_log_path(key) == f"{key.lower_folders}/{key}.log.web"


def test_newer_lines_take_the_place_of_those_about_the_same() -> None:
    log = f"1s 1 {ANNEX_UUID}\n2s 1 other\n".encode()
    newer = location_log([ANNEX_UUID], MOMENT, is_public=False)
    assert renewed_log(log, newer) == b"2s 1 other\n" + newer
    assert renewed_log(b"", newer) == newer


def test_log_whose_last_line_is_not_ended_is_no_part_of_the_next() -> None:
    newer = location_log([ANNEX_UUID], MOMENT, is_public=False)
    assert renewed_log(b"2s 1 other", newer) == b"2s 1 other\n" + newer
