"""What everybody is told by every query and service of the domain, of a dataset that is hidden from most.

A face need not remember to ask whether somebody may see something: what they may not, it is not given. Whatever takes
an `actor` is called here by everybody; that nothing of it is left out, `tests/house/test_asked.py` sees to.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import fields, is_dataclass
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Model, QuerySet

from archive.accounts.policy import Actor
from archive.datasets import services as datasets_services
from archive.datasets.services import set_star
from archive.embargo.services import release
from archive.errors import ArchiveError, ForbiddenError
from archive.publishing import services as publishing_services
from archive.snapshots.queries import clone_state, count_version_commits, page_of_version_commits
from archive.snapshots.services import find_repository
from tests.archive.accounts.asked import OF_THE_ARCHIVE, READS, WRITES, Call
from tests.archive.accounts.hidden import (
    CONTENT,
    EDITOR,
    MANAGERS,
    PEOPLE,
    REVIEWERS,
    STRANGERS,
    Hidden,
    stored_objects,
)
from tests.worker import MadeOnce

pytestmark = pytest.mark.django_db

# --- What is told -----------------------------------------------------------------------------------------------------


def told(value: Any, around: tuple[Model, ...] = ()) -> str:
    """All the text in a value: of rows, what was read of them, and of those that they came with."""
    if isinstance(value, Model):
        known = {name: held for name, held in vars(value).items() if name != "_state"}
        return "" if value in around else told([known, value._state.fields_cache], (*around, value))
    if isinstance(value, Mapping):
        return told([*value.keys(), *value.values()], around)
    if isinstance(value, list | tuple | set | QuerySet | Iterator):
        return "\n".join(told(each, around) for each in value)
    if is_dataclass(value):
        return told([getattr(value, field.name) for field in fields(value)], around)
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return str(value)


def outcome(call: Call, hidden: Hidden, actor: Actor) -> str:
    """What a call tells the actor, be it by refusing."""
    try:
        found = call(hidden, actor)
        if isinstance(found, AbstractContextManager):
            with found as content:
                return told(content)
        return told(found)
    except ArchiveError as error:
        return told([error.message, error.field, error.data])


def answer(call: Call, hidden: Hidden, actor: Actor) -> str:
    """The same, of which nothing stays."""
    with transaction.atomic():
        text = outcome(call, hidden, actor)
        transaction.set_rollback(True)
    return text


FORBIDDEN = dict.fromkeys(STRANGERS, PEOPLE + CONTENT) | dict.fromkeys(REVIEWERS, PEOPLE)


def leaks(call: Call, hidden: Hidden) -> list[tuple[str, str]]:
    """Who is told what they must not be told."""
    return leaking({name: answer(call, hidden, hidden.actors[name]) for name in FORBIDDEN})


def leaking(answers: Mapping[str, str]) -> list[tuple[str, str]]:
    """What there is in answers of what must not be in them."""
    return [(name, mark) for name, marks in FORBIDDEN.items() for mark in marks if mark in answers[name]]


def attempt(call: Call, hidden: Hidden, actor: Actor) -> tuple[str, dict[str, Any]]:
    """What a call tells the actor, and how the dataset is after it. Nothing stays."""
    with transaction.atomic():
        text, state = outcome(call, hidden, actor), hidden.state()
        transaction.set_rollback(True)
    return text, state


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.removeprefix('archive.')}.{function.__name__}"


def _each(table: Mapping[Callable[..., Any], Call]) -> Any:
    return pytest.mark.parametrize("call", table.values(), ids=map(_name, table))


@pytest.fixture(scope="module", autouse=True)
def hidden(made_once: MadeOnce[Hidden]) -> Hidden:
    return made_once(Hidden)


@_each(READS)
def test_query_tells_nobody_what_they_may_not_know(hidden: Hidden, call: Call) -> None:
    assert leaks(call, hidden) == []


@_each(WRITES)
def test_service_tells_and_changes_nothing_for_who_may_not_change_the_dataset(hidden: Hidden, call: Call) -> None:
    before, objects = hidden.state(), stored_objects()
    others = {name: actor for name, actor in hidden.actors.items() if name not in (*MANAGERS, EDITOR)}
    attempts = {name: attempt(call, hidden, actor) for name, actor in others.items()}
    assert [name for name, (_, after) in attempts.items() if after != before] == []
    assert leaking({name: text for name, (text, _) in attempts.items()}) == []
    assert stored_objects() == objects


GRANTING = (
    datasets_services.set_owners,
    datasets_services.set_editors,
    datasets_services.set_viewers,
    datasets_services.create_reviewer_link,
    datasets_services.revoke_reviewer_link,
    datasets_services.delete_dataset,
    datasets_services.delete_version,
    publishing_services.set_version_access,
    release,
)


@pytest.mark.parametrize("function", GRANTING)
def test_editor_grants_nothing(hidden: Hidden, function: Callable[..., Any]) -> None:
    before = hidden.state()
    with pytest.raises(ForbiddenError):
        WRITES[function](hidden, hidden.actors[EDITOR])
    assert hidden.state() == before


def test_stranger_cannot_star_what_they_cannot_see(hidden: Hidden) -> None:
    for name in STRANGERS:
        with pytest.raises(ArchiveError):
            WRITES[set_star](hidden, hidden.actors[name])


@pytest.mark.parametrize("function", [clone_state, page_of_version_commits, count_version_commits, find_repository])
def test_reviewer_is_refused_commits(hidden: Hidden, function: Callable[..., Any]) -> None:
    for name in REVIEWERS:
        assert answer(READS[function], hidden, hidden.actors[name]).startswith("Commits name people")


@_each(OF_THE_ARCHIVE)
def test_archive_is_closed_to_who_is_not_signed_in(hidden: Hidden, call: Call) -> None:
    for name in ("anonymous", "outsider's link", "reviewer"):
        with pytest.raises(ArchiveError):
            call(hidden, hidden.actors[name])


@pytest.mark.parametrize("marks", [PEOPLE, CONTENT], ids=["people", "content"])
def test_owner_is_told_what_others_are_not(hidden: Hidden, marks: tuple[str, ...]) -> None:
    owner = hidden.actors["owner"]
    answers = {_name(function): answer(call, hidden, owner) for function, call in READS.items()}
    telling = [name for name, text in answers.items() if any(mark in text for mark in marks)]
    assert len(telling) >= 12, telling


@pytest.mark.parametrize(
    "forgotten",
    [
        "archive.datasets.queries.is_blinded",
        "archive.assets.queries.is_blinded",
        "archive.accounts.queries.may",
        "archive.datasets.queries.require",
    ],
)
def test_leak_is_noticed_when_something_is_forgotten(
    hidden: Hidden, monkeypatch: pytest.MonkeyPatch, forgotten: str
) -> None:
    allowed = {"is_blinded": False, "may": True}.get(forgotten.rpartition(".")[2])
    monkeypatch.setattr(forgotten, lambda *_, **__: allowed)
    assert any(leaks(call, hidden) for call in READS.values())
