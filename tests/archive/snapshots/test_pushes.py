"""What a push does to the draft."""

import pytest

from archive.assets.queries import live_assets
from tests.archive.snapshots.pushing import MAIN, NONE, Place, Pusher

pytestmark = pytest.mark.django_db


def test_first_push_makes_the_draft(place: Place, pusher: Pusher) -> None:
    commit = pusher.commit({"README.md": b"# Mice\n", "sub-1": {"notes.txt": b"One.\n"}})
    answer = place.push(pusher.request((NONE, commit, MAIN)))
    assert answer.is_accepted, answer
    assert place.main == commit
    assert {a.path: a.size for a in live_assets(place.dataset)} == {"README.md": 7, "sub-1/notes.txt": 5}
    print(answer)
