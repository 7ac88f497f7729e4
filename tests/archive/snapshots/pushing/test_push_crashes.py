"""A process that is killed while it receives a push: the push was made or it was not, and can be made again."""

import os
from itertools import count
from pathlib import Path

import pytest

from archive.assets.queries import live_assets
from archive.datasets.models import Dataset
from archive.snapshots.services import receiving, repository_of
from tests.archive.crashes.dying import die_at_step
from tests.archive.snapshots.pushing.pusher import MAIN, NONE, Answer, Pusher, answer_of, new_repository, spooled
from tests.archive.snapshots.state import refs_of, tree_of
from tests.factories import make_dataset, owner_of
from tests.worker import Worker

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(600)]

STRIDE = {"1": 1}.get(os.environ.get("ARCHIVE_LONG_TESTS", ""), 6)
FILES = {"README.md": b"# Mice\n", "notes.txt": b"One.\n", "other.txt": b"Two.\n"}


def push(dataset: Dataset, request: bytes) -> Answer:
    with spooled(request) as body, receiving(actor=owner_of(dataset), dataset=dataset, request=body) as chunks:
        return answer_of(b"".join(chunks))


def paths(dataset: Dataset) -> set[str]:
    return set(live_assets(dataset).values_list("path", flat=True))


def test_push_is_made_or_not_and_can_be_made_again_whatever_step_it_is_killed_at(
    worker: Worker, tmp_path: Path
) -> None:
    pusher = Pusher(new_repository(tmp_path / "own.git"))
    commit = pusher.commit(FILES)
    request = pusher.request((NONE, commit, MAIN))
    outcomes = set()
    for number in count(0, STRIDE):
        dataset = make_dataset()
        first = refs_of(dataset)[MAIN]
        worker.run()
        steps = die_at_step(number, lambda dataset=dataset: push(dataset, request))
        outcome = (paths(dataset), repository_of(dataset).main)
        assert outcome in ((set(), first), (set(FILES), commit)), steps
        is_made = outcome[1] == commit
        outcomes.add(is_made)
        again = push(dataset, request)
        # Who pushes what is there already is told that the branch has moved: they fetch, and see it.
        assert again.is_accepted == (not is_made), (steps, again)
        worker.run()
        assert refs_of(dataset)[MAIN] == commit
        assert {path: file.content for path, file in tree_of(dataset).items()} == FILES
        assert paths(dataset) == set(FILES)
        if len(steps) < number:
            break
    assert outcomes == {False, True}
