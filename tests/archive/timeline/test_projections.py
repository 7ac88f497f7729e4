"""Projections follow the timeline, one worker at a time (docs/architecture.md#what-follows-a-change)."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from archive.accounts.policy import SYSTEM
from archive.timeline.errors import NotYetError
from archive.timeline.models import Change, Projection, Timeline
from archive.timeline.queries import projections_behind
from archive.timeline.services import append
from archive.timeline.tasks import finish_projection_task, follow_dataset_task
from archive.timeline.work import leases, projections
from archive.timeline.work.projections import Span, advance_projection, projection
from archive.timeline.work.schedule import BULK, backoff
from tests.worker import Message, Worker

DATASET = 7
NAME = "echo"
STEP = timedelta(seconds=2)

pytestmark = pytest.mark.django_db


class Killed(BaseException):
    """What no handler catches, as it would not catch the end of its process."""


@pytest.fixture(autouse=True)
def _no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projections, "PROJECTIONS", {})


def _follow(advance: Callable[[Span], None], *, quiet: timedelta = timedelta(0)) -> None:
    projection(NAME, quiet=quiet)(advance)


def _change(dataset_id: int = DATASET) -> int:
    return append(dataset_id, Change.Kind.UPDATE_METADATA, SYSTEM, {}).number


def _row() -> Projection:
    return Projection.objects.get(dataset_id=DATASET, name=NAME)


def _let_lease_run_out() -> None:
    Projection.objects.update(leased_until=timezone.now() - STEP)


def test_projection_is_given_the_span_from_its_cursor_to_the_newest_change() -> None:
    spans: list[tuple[int, int, int]] = []
    _follow(lambda span: spans.append((span.dataset_id, span.since, span.target)))
    _change()
    _change()
    advance_projection(DATASET, NAME)
    _change()
    advance_projection(DATASET, NAME)
    assert spans == [(DATASET, 0, 2), (DATASET, 2, 3)]


def test_projection_shows_that_it_follows() -> None:
    _follow(lambda span: None)
    _change()
    assert advance_projection(DATASET, NAME)
    row = _row()
    assert (row.state, row.reason, row.cursor, row.attempts) == ("following", "", 1, 0)
    assert (row.lease, row.leased_until, row.next_attempt) == (None, None, None)
    assert row.advanced


def test_projection_looks_again_when_a_change_comes_while_it_is_at_work() -> None:
    def advance(span: Span) -> None:
        spans.append((span.since, span.target))
        if span.target == 1:
            _change()
            # The nudge finds the lease taken.
            assert advance_projection(DATASET, NAME) is False

    spans: list[tuple[int, int]] = []
    _follow(advance)
    _change()
    advance_projection(DATASET, NAME)
    assert spans == [(0, 1), (1, 2)]
    assert projections_behind([NAME]) == []


def test_projection_leaves_a_change_that_comes_meanwhile_to_its_own_nudge() -> None:
    def advance(span: Span) -> None:
        targets.append(span.target)
        if span.target == 1:
            _change()

    targets: list[int] = []
    _follow(advance)
    _change()
    advance_projection(DATASET, NAME)
    assert targets == [1]
    assert projections_behind([NAME]) == [(DATASET, NAME)]


def test_projection_ends_its_run_when_nudges_do_not_end() -> None:
    def advance(span: Span) -> None:
        _change()
        advance_projection(DATASET, NAME)

    _follow(advance)
    _change()
    advance_projection(DATASET, NAME)
    assert _row().cursor == projections.MAX_ROUNDS
    assert projections_behind([NAME]) == [(DATASET, NAME)]


def test_projection_keeps_its_error_and_backs_off() -> None:
    def advance(span: Span) -> None:
        raise LookupError("no such thing")

    _follow(advance)
    _change()
    before = timezone.now()
    for _ in range(3):
        assert advance_projection(DATASET, NAME)
    row = _row()
    assert (row.state, row.reason, row.cursor, row.attempts) == ("failing", "LookupError: no such thing", 0, 3)
    assert row.next_attempt
    assert timedelta(seconds=4) <= row.next_attempt - before < timedelta(seconds=9)
    assert projections_behind([NAME]) == []
    assert projections_behind([NAME], now=row.next_attempt) == [(DATASET, NAME)]


def test_projection_forgets_its_errors_when_it_has_caught_up() -> None:
    def advance(span: Span) -> None:
        errors.pop()

    errors: list[None] = []
    _follow(advance)
    _change()
    advance_projection(DATASET, NAME)
    errors.append(None)
    advance_projection(DATASET, NAME)
    row = _row()
    assert (row.state, row.reason, row.cursor, row.attempts) == ("following", "", 1, 0)


def test_projection_waits_with_a_reason_and_no_blame() -> None:
    def advance(span: Span) -> None:
        raise NotYetError("It has not rained.", retry_after=100)

    _follow(advance)
    _change()
    before = timezone.now()
    assert advance_projection(DATASET, NAME)
    row = _row()
    assert (row.state, row.reason, row.cursor, row.attempts) == ("waiting", "It has not rained.", 0, 0)
    assert row.next_attempt
    assert timedelta(seconds=99) < row.next_attempt - before < timedelta(seconds=110)
    assert projections_behind([NAME]) == []
    assert projections_behind([NAME], now=row.next_attempt) == [(DATASET, NAME)]


def test_projection_that_waits_is_advanced_by_a_nudge() -> None:
    def advance(span: Span) -> None:
        if not rain:
            raise NotYetError("It has not rained.")

    rain: list[str] = []
    _follow(advance)
    _change()
    advance_projection(DATASET, NAME)
    rain.append("drop")
    advance_projection(DATASET, NAME)
    assert _row().cursor == 1


def test_projection_looks_again_when_what_it_waits_for_comes_while_it_is_at_work() -> None:
    def advance(span: Span) -> None:
        if not rain:
            rain.append("drop")
            advance_projection(DATASET, NAME)
            raise NotYetError("It has not rained.")

    rain: list[str] = []
    _follow(advance)
    _change()
    advance_projection(DATASET, NAME)
    assert (_row().state, _row().cursor) == ("following", 1)


def test_projection_with_a_quiet_time_waits_until_the_dataset_is_left_alone() -> None:
    spans: list[int] = []
    _follow(lambda span: spans.append(span.target), quiet=timedelta(seconds=60))
    _change()
    advance_projection(DATASET, NAME)
    assert (_row().state, _row().reason, spans) == ("waiting", "The dataset is being changed.", [])
    Timeline.objects.update(changed=timezone.now() - timedelta(seconds=61))
    advance_projection(DATASET, NAME)
    assert (_row().state, spans) == ("following", [1])


# --- Leases -----------------------------------------------------------------------------------------------------------


def test_projection_has_one_worker_at_a_time() -> None:
    def advance(span: Span) -> None:
        if not others:
            others.append((advance_projection(DATASET, NAME), projections_behind([NAME])))

    others: list[tuple[bool, list[tuple[int, str]]]] = []
    _follow(advance)
    _change()
    advance_projection(DATASET, NAME)
    assert others == [(False, [])]


def test_projection_of_a_dead_worker_is_left_alone_while_its_lease_lasts() -> None:
    def advance(span: Span) -> None:
        raise Killed

    _follow(advance)
    _change()
    with pytest.raises(Killed):
        advance_projection(DATASET, NAME)
    assert projections_behind([NAME]) == []
    assert advance_projection(DATASET, NAME) is False


def test_projection_of_a_dead_worker_is_taken_over_when_its_lease_runs_out() -> None:
    def advance(span: Span) -> None:
        spans.append(span.since)
        if len(spans) == 1:
            raise Killed

    spans: list[int] = []
    _follow(advance)
    _change()
    with pytest.raises(Killed):
        advance_projection(DATASET, NAME)
    _let_lease_run_out()
    assert projections_behind([NAME]) == [(DATASET, NAME)]
    assert advance_projection(DATASET, NAME)
    assert (spans, _row().cursor, _row().lease) == ([0, 0], 1, None)


def test_projection_stops_its_first_worker_when_another_has_taken_over() -> None:
    def advance(span: Span) -> None:
        calls.append("begin")
        if len(calls) == 1:
            _let_lease_run_out()
            _change()
            advance_projection(DATASET, NAME)
            span.heartbeat.beat_now()
            calls.append("not stopped")

    calls: list[str] = []
    _follow(advance)
    _change()
    advance_projection(DATASET, NAME)
    assert calls == ["begin", "begin"]
    assert (_row().cursor, _row().state, _row().lease) == (2, "following", None)


def test_projection_is_not_touched_by_the_outcome_of_a_worker_that_lost_it() -> None:
    def advance(span: Span) -> None:
        Projection.objects.update(lease="00000000-0000-0000-0000-000000000001")
        raise LookupError

    _follow(advance)
    _change()
    advance_projection(DATASET, NAME)
    assert (_row().state, _row().reason, _row().attempts) == ("following", "", 0)
    assert _row().lease


def test_heartbeat_renews_the_lease_when_it_is_time_to(monkeypatch: pytest.MonkeyPatch) -> None:
    def advance(span: Span) -> None:
        _let_lease_run_out()
        span.heartbeat.beat()
        ends.append(_row().leased_until)
        monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 0.0)
        span.heartbeat.beat()
        ends.append(_row().leased_until)

    ends: list[datetime | None] = []
    _follow(advance)
    _change()
    now = timezone.now()
    advance_projection(DATASET, NAME)
    first, second = ends
    assert first
    assert second
    assert first < now < second


def test_projection_leaves_the_quick_queue_when_its_turn_is_over(
    monkeypatch: pytest.MonkeyPatch, published: list[Message]
) -> None:
    def advance(span: Span) -> None:
        span.heartbeat.beat()
        spans.append((span.since, span.target))

    spans: list[tuple[int, int]] = []
    _follow(advance)
    _change()
    published.clear()
    monkeypatch.setattr(projections, "SLICE_SECONDS", 0.0)
    follow_dataset_task(DATASET)
    assert published == [Message("archive.timeline.tasks.finish_projection_task", (DATASET, NAME), "bulk")]
    row = _row()
    assert (row.state, row.reason, row.cursor, row.lease, row.attempts) == (
        "waiting",
        projections.SLICE_OVER,
        0,
        None,
        0,
    )
    assert projections_behind([NAME]) == [(DATASET, NAME)]
    finish_projection_task(DATASET, NAME)
    assert spans == [(0, 1)]
    assert (_row().state, _row().reason, _row().cursor) == ("following", "", 1)


def test_projection_of_the_bulk_queue_has_no_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projections, "SLICE_SECONDS", 0.0)
    projection(NAME, queue=BULK)(lambda span: span.heartbeat.beat())
    _change()
    follow_dataset_task(DATASET)
    assert _row().state == "following"


def test_projections_that_read_the_results_follow_after_a_turn_that_was_over(
    monkeypatch: pytest.MonkeyPatch, worker: Worker
) -> None:
    _follow(lambda span: span.heartbeat.beat())
    projection("reader", after=NAME)(lambda span: spans.append((span.since, span.target)))
    spans: list[tuple[int, int]] = []
    _change()
    monkeypatch.setattr(projections, "SLICE_SECONDS", 0.0)
    worker.run()
    assert spans[0] == (0, 1)


def test_backoff_doubles_up_to_ten_minutes() -> None:
    seconds = [backoff(attempts).total_seconds() for attempts in [0, 1, 2, 3, 9, 10, 1000]]
    assert seconds == [1, 2, 4, 8, 512, 600, 600]


def test_projections_behind_are_those_of_every_dataset_that_has_changed_since() -> None:
    _follow(lambda span: None)
    _change(1)
    _change(2)
    _change(3)
    advance_projection(2, NAME)
    assert sorted(projections_behind([NAME, "other"])) == [
        (1, NAME),
        (1, "other"),
        (2, "other"),
        (3, NAME),
        (3, "other"),
    ]


# --- All that follows a dataset ---------------------------------------------------------------------------------------


def test_following_a_dataset_advances_what_waits_for_nothing_and_then_what_reads_its_results() -> None:
    advanced: list[str] = []
    projection("later", after="first")(lambda span: advanced.append("later"))
    projection("quiet", quiet=STEP)(lambda span: advanced.append("quiet"))
    projection("first")(lambda span: advanced.append("first"))
    projection("second")(lambda span: advanced.append("second"))
    _change()
    follow_dataset_task(DATASET)
    assert advanced == ["first", "later", "second"]


def test_following_a_dataset_leaves_alone_what_has_nothing_to_do() -> None:
    advanced: list[int] = []
    _follow(lambda span: advanced.append(span.target))
    _change()
    follow_dataset_task(DATASET)
    follow_dataset_task(DATASET)
    assert advanced == [1]


def test_following_a_dataset_tries_again_what_waits() -> None:
    attempts: list[int] = []

    def wait(span: Span) -> None:
        attempts.append(span.target)
        raise NotYetError("It has not rained.")

    _follow(wait)
    _change()
    follow_dataset_task(DATASET)
    follow_dataset_task(DATASET)
    assert attempts == [1, 1]


def test_following_a_dataset_goes_on_after_a_projection_that_fails() -> None:
    advanced: list[str] = []

    def fail(span: Span) -> None:
        raise LookupError

    projection("broken")(fail)
    projection("sound")(lambda span: advanced.append("sound"))
    _change()
    follow_dataset_task(DATASET)
    assert advanced == ["sound"]
