"""Requests to push that are damaged, not allowed or too slow: each is refused, and leaves no trace."""

import random
from collections.abc import Generator
from pathlib import Path
from time import sleep
from typing import Any

import pytest

from archive.errors import InvalidError, NotFoundError
from archive.snapshots.pushing import judging
from archive.snapshots.pushing.receiving import Judge, Push, receive
from tests.archive.snapshots.pushing.pusher import (
    GOOD,
    MAIN,
    MAX_PACK,
    NONE,
    Answer,
    Place,
    Pusher,
    answer_of,
    new_repository,
    refused,
    run_git,
    spooled,
    traces,
)
from tests.factories import (
    acting,
    make_releasing_dataset,
    make_user,
)

pytestmark = pytest.mark.django_db


# --- Packs ------------------------------------------------------------------------------------------------------------


def test_damaged_pack_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    commit = pusher.commit({**GOOD, "b.txt": b"x"}, main)
    pack = pusher.pack()
    damaged = pack[:40] + bytes([pack[40] ^ 0xFF]) + pack[41:]
    assert "unpack unpack-objects abnormal exit" in refused(place, pusher.request((main, commit, MAIN), pack=damaged))


def test_pack_that_is_cut_off_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    commit = pusher.commit({**GOOD, "b.txt": b"x"}, main)
    said = refused(place, pusher.request((main, commit, MAIN), pack=pusher.pack()[:-30]))
    assert "early EOF" in said


def test_pack_that_is_none_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    commit = pusher.commit({**GOOD, "b.txt": b"x"}, main)
    assert "unpack" in refused(place, pusher.request((main, commit, MAIN), pack=b"What a mouse saw."))


def test_commit_without_its_files_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    commit = pusher.commit({**GOOD, "b.txt": b"x"}, main)
    alone = run_git(pusher.folder, "pack-objects", "--stdout", "--quiet", stdin=commit.encode() + b"\n")
    said = refused(place, pusher.request((main, commit, MAIN), pack=alone))
    assert "object of unexpected type" in said


def test_pack_that_is_too_large_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    commit = pusher.commit({**GOOD, "b.bin": random.Random(1).randbytes(MAX_PACK)}, main)
    assert "pack exceeds maximum allowed size" in refused(place, pusher.request((main, commit, MAIN)))


# --- Pushers and datasets ---------------------------------------------------------------------------------------------


def test_push_is_refused_while_the_dataset_is_being_released(tmp_path: Path, pusher: Pusher) -> None:
    dataset = make_releasing_dataset()
    place = Place(dataset, new_repository(tmp_path / "released.git"))
    said = refused(place, pusher.request((NONE, pusher.commit(GOOD), MAIN)))
    assert "Nothing of the dataset can be changed while it is being released." in said


def test_push_by_who_does_not_own_the_dataset_is_refused(place: Place, pusher: Pusher, main: str) -> None:
    commit = pusher.commit({**GOOD, "b.txt": b"x"}, main)
    assert "ng refs/heads/main" in refused(place, pusher.request((main, commit, MAIN)), acting(make_user()))


def test_push_is_refused_in_words_even_if_the_error_has_none(
    place: Place, pusher: Pusher, main: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise NotFoundError

    monkeypatch.setattr(judging, "require_not_releasing", fail)
    commit = pusher.commit({**GOOD, "b.txt": b"x"}, main)
    assert "Not found." in refused(place, pusher.request((main, commit, MAIN)))


def test_fault_of_ours_is_not_told_in_detail(
    place: Place, pusher: Pusher, main: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError("/secret/place: no space")

    monkeypatch.setattr(judging, "change_assets", fail)
    monkeypatch.setattr(judging, "keep_contents", fail)
    commit = pusher.commit({**GOOD, "b.txt": b"x"}, main)
    said = refused(place, pusher.request((main, commit, MAIN)))
    assert "The archive could not take this push. Nothing was changed; please try again later." in said
    assert "secret" not in said


# --- Time, and words --------------------------------------------------------------------------------------------------


def judged(place: Place, request: bytes, judge: Judge, *, seconds: float = 60) -> Answer:
    """What becomes of a push that somebody else judges."""
    with spooled(request) as body:
        return answer_of(b"".join(receive(place.folder, body, judge, seconds=seconds, max_size=MAX_PACK)))


def test_git_is_ended_when_its_time_is_over_and_the_judge_with_it(place: Place, pusher: Pusher, main: str) -> None:
    judgements = []

    def slow(push: Push) -> Generator[str, None, None]:
        sleep(1.5)
        yield "Still looking."
        judgements.append("accepted")

    commit = pusher.commit({**GOOD, "b.txt": b"x"}, main)
    before = traces(place)
    answer = judged(place, pusher.request((main, commit, MAIN)), slow, seconds=1)
    assert (answer.report, judgements) == ([], [])
    assert traces(place) == before


def test_line_that_breaks_is_no_answer_to_the_hook(place: Place, pusher: Pusher, main: str) -> None:
    def tricked(push: Push) -> Generator[str, None, None]:
        yield "a\naccept"
        raise InvalidError("b\naccept")

    commit = pusher.commit({**GOOD, "b.txt": b"x"}, main)
    answer = judged(place, pusher.request((main, commit, MAIN)), tricked)
    assert not answer.is_accepted
    assert answer.remote.splitlines() == ["a accept", "b accept"]
