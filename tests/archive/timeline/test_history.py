"""The history of a dataset: numbered without gaps, in order, written once (docs/architecture.md#a-change)."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction
from kombu.exceptions import OperationalError

from archive.accounts.policy import SYSTEM
from archive.timeline import tasks
from archive.timeline.models import Change
from archive.timeline.queries import changed, changes, position
from archive.timeline.services import append, hold, nudge
from tests.factories import acting, make_token, make_user
from tests.threads import threads
from tests.worker import Message

DATASET = 7
FOLLOW = "archive.timeline.tasks.follow_dataset_task"


def _append(dataset_id: int = DATASET) -> Change:
    return append(dataset_id, Change.Kind.UPDATE_METADATA, SYSTEM, {})


def _numbers(dataset_id: int = DATASET) -> list[int]:
    return list(changes(dataset_id).values_list("number", flat=True))


@pytest.mark.django_db
def test_append_numbers_each_dataset_from_1() -> None:
    assert [_append().number, _append().number, _append(8).number] == [1, 2, 1]
    assert (position(DATASET), position(8), position(9)) == (2, 1, 0)


@pytest.mark.django_db
def test_append_copies_who_made_the_change() -> None:
    user = make_user(first_name="Jane", last_name="Doe")
    token = make_token(user)
    change = append(DATASET, Change.Kind.PUBLISH, acting(user, token), {"version": "x"})
    user.first_name = "Joan"
    user.save()
    change.refresh_from_db()
    assert (change.user_id, change.token_id) == (user.pk, token.pk)
    assert (change.author_name, change.author_email) == ("Jane Doe", user.email)
    assert change.details == {"version": "x"}


@pytest.mark.django_db
def test_append_remembers_when_the_dataset_changed() -> None:
    _append()
    before = changed(DATASET)
    _append()
    assert changed(DATASET) > before > changed(8)


@pytest.mark.django_db
def test_append_that_is_rolled_back_leaves_no_gap() -> None:
    _append()
    with transaction.atomic():
        _append()
        transaction.set_rollback(True)
    _append()
    assert _numbers() == [1, 2]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "rewrite", [lambda: changes(DATASET).update(kind="x"), lambda: changes(DATASET).delete()], ids=["update", "delete"]
)
def test_history_refuses_to_be_rewritten(rewrite: Any) -> None:
    _append()
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        rewrite()
    assert _numbers() == [1]


@pytest.mark.django_db(transaction=True)
def test_append_waits_for_the_writer_before_it_so_that_numbers_show_in_order() -> None:
    _append()
    with threads() as start:
        with transaction.atomic():
            first = _append()
            second = start(_append)
            with pytest.raises(TimeoutError):
                second.result(timeout=0.3)
        assert (first.number, second.result().number) == (2, 3)


@pytest.mark.django_db(transaction=True)
def test_hold_keeps_other_writers_waiting() -> None:
    _append()
    with threads() as start:
        with transaction.atomic():
            hold(DATASET)
            other = start(_append)
            with pytest.raises(TimeoutError):
                other.result(timeout=0.3)
            assert position(DATASET) == 1
        assert other.result().number == 2


@pytest.mark.django_db(transaction=True)
def test_append_does_not_wait_for_writers_of_other_datasets() -> None:
    with threads() as start, transaction.atomic():
        _append()
        assert start(_append, 8).result(timeout=5).number == 1


# --- Nudges -----------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_append_nudges_what_follows_the_dataset_once_it_is_committed(
    published: list[Message], django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        _append()
        assert published == []
    assert [(message.task, message.arguments) for message in published] == [(FOLLOW, (DATASET,))]


def test_nudge_is_not_repeated_while_one_is_on_its_way(published: list[Message]) -> None:
    nudge(DATASET, "validation")
    nudge(DATASET, "validation")
    assert [message.arguments for message in published] == [(DATASET, "validation")]


@pytest.mark.django_db
def test_nudge_is_sent_again_once_the_one_before_has_been_taken(published: list[Message]) -> None:
    nudge(DATASET, "validation")
    tasks.advance_projection_task(DATASET, "validation")
    nudge(DATASET, "validation")
    assert [message.arguments for message in published].count((DATASET, "validation")) == 2


def test_nudge_is_let_go_while_the_broker_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def away(*_: Any, **__: Any) -> None:
        calls.append(1)
        raise OperationalError

    monkeypatch.setattr(tasks.follow_dataset_task, "apply_async", away)
    nudge(DATASET)
    assert calls == [1]


def test_nudge_is_let_go_while_the_cache_is_away(monkeypatch: pytest.MonkeyPatch, published: list[Message]) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise OSError

    monkeypatch.setattr(cache, "add", away)
    nudge(DATASET)
    assert published == []
