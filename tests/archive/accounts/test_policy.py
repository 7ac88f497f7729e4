"""The one table of who may do what, cell by cell (docs/dialects/dandi.md#access)."""

from collections.abc import Callable
from typing import NamedTuple

import pytest
from django.utils import timezone

from archive.accounts.models import Grant, ReviewerLink, Token, User
from archive.accounts.policy import (
    ANONYMOUS,
    SYSTEM,
    Action,
    Actor,
    attachable_rows,
    blinded_dataset,
    is_blinded,
    knowing,
    may,
    require,
    visible,
    visible_rows,
    with_listable_members,
)
from archive.assets.models import Asset
from archive.assets.services import remove_asset
from archive.datasets.models import Dataset
from archive.errors import ForbiddenError, NotFoundError, UnauthenticatedError
from tests.factories import (
    acting,
    make_admin,
    make_asset,
    make_blob_row,
    make_dataset,
    make_embargoed_dataset,
    make_releasing_dataset,
    make_reviewer_link,
    make_staff,
    make_token,
    make_unapproved_user,
    make_user,
    owner_of,
    start_release,
)
from tests.worker import MadeOnce, Worker

pytestmark = pytest.mark.django_db


def _owner(dataset: Dataset, user: User) -> User:
    Grant.objects.create(dataset=dataset, user=user)
    return user


def _viewer(dataset: Dataset, user: User) -> User:
    Grant.objects.create(dataset=dataset, user=user, role=Grant.Role.VIEWER)
    return user


def _editor(dataset: Dataset, user: User) -> User:
    Grant.objects.create(dataset=dataset, user=user, role=Grant.Role.EDITOR)
    return user


def _link(dataset: Dataset) -> ReviewerLink:
    return make_reviewer_link(dataset)[0]


def _with_token(user: User, scope: str) -> Actor:
    return acting(user, make_token(user, scope))


def _for(dataset: Dataset, user: User, purpose: str, scope: str = "write") -> Actor:
    """The user, by a token for that purpose in that dataset."""
    token = make_token(user, scope)
    token.purpose, token.dataset = purpose, dataset
    token.save()
    return acting(user, token)


def _everywhere(user: User, purpose: str, scope: str) -> Actor:
    """The user, by a token for that purpose in all datasets."""
    token = make_token(user, scope)
    token.purpose = purpose
    token.save()
    return acting(user, token)


def _elsewhere(dataset: Dataset, purpose: str) -> Actor:
    """An owner of the dataset and another, by a token for that purpose in the other."""
    other = make_embargoed_dataset()
    return _for(other, _owner(dataset, _owner(other, make_user())), purpose)


ACTORS: dict[str, Callable[[Dataset], Actor]] = {
    "anonymous": lambda dataset: ANONYMOUS,
    "unapproved": lambda dataset: acting(make_unapproved_user()),
    "unapproved owner": lambda dataset: acting(_owner(dataset, make_unapproved_user())),
    "rejected": lambda dataset: acting(make_unapproved_user(User.Status.REJECTED)),
    "stranger": lambda dataset: acting(make_user()),
    "owner": lambda dataset: acting(_owner(dataset, make_user())),
    "editor": lambda dataset: acting(_editor(dataset, make_user())),
    "viewer": lambda dataset: acting(_viewer(dataset, make_user())),
    "unapproved viewer": lambda dataset: acting(_viewer(dataset, make_unapproved_user())),
    "viewer, writing token": lambda dataset: _with_token(_viewer(dataset, make_user()), "write"),
    "viewer of another": lambda dataset: acting(_viewer(make_embargoed_dataset(), make_user())),
    "reviewer": lambda dataset: Actor(link=_link(dataset)),
    "reviewer of another": lambda dataset: Actor(link=_link(make_embargoed_dataset())),
    "stranger, reviewing": lambda dataset: Actor(make_user(), link=_link(dataset)),
    "owner, reviewing": lambda dataset: Actor(_owner(dataset, make_user()), link=_link(dataset)),
    "staff": lambda dataset: acting(make_staff()),
    "admin": lambda dataset: acting(make_admin()),
    "owner, writing token": lambda dataset: _with_token(_owner(dataset, make_user()), "write"),
    "owner, reading token": lambda dataset: _with_token(_owner(dataset, make_user()), "read"),
    "staff, reading token": lambda dataset: _with_token(make_staff(), "read"),
    "admin, reading token": lambda dataset: _with_token(make_admin(), "read"),
    "system": lambda dataset: SYSTEM,
    "owner, to upload": lambda dataset: _for(dataset, _owner(dataset, make_user()), "upload"),
    "owner, to push": lambda dataset: _for(dataset, _owner(dataset, make_user()), "repository"),
    "owner, to fetch": lambda dataset: _for(dataset, _owner(dataset, make_user()), "repository", "read"),
    "viewer, to push": lambda dataset: _for(dataset, _viewer(dataset, make_user()), "repository"),
    "stranger, to push": lambda dataset: _for(dataset, make_user(), "repository"),
    "admin, to push": lambda dataset: _for(dataset, make_admin(), "repository"),
    "admin, to report": lambda dataset: _everywhere(make_admin(), "worker", "write"),
    "admin, to report of it": lambda dataset: _for(dataset, make_admin(), "worker"),
    "admin, to report elsewhere": lambda dataset: _for(make_embargoed_dataset(), make_admin(), "worker"),
    "admin, to index": lambda dataset: _everywhere(make_admin(), "indexer", "read"),
    "owner, to upload elsewhere": lambda dataset: _elsewhere(dataset, "upload"),
    "owner, to push elsewhere": lambda dataset: _elsewhere(dataset, "repository"),
    "admin, to push elsewhere": lambda dataset: _for(make_embargoed_dataset(), make_admin(), "repository"),
}

# Those who come with a token for one purpose in this dataset, which is good for nothing else.
FETCHERS = {"owner, to push", "owner, to fetch", "viewer, to push", "admin, to push"}
PUSHERS = {"owner, to push", "admin, to push"}
REPORTERS = {"admin, to report", "admin, to report of it"}
EVERYBODY = {name for name in ACTORS if ", to " not in name}
OWNERS = {"owner", "owner, writing token", "owner, reviewing", "admin", "system"}
EDITORS = OWNERS | {"editor"}
VIEWERS = {"editor", "viewer", "unapproved viewer", "viewer, writing token"}
REVIEWERS = {"reviewer", "stranger, reviewing"}
APPROVED = EDITORS | {
    "stranger",
    "stranger, reviewing",
    "viewer",
    "viewer, writing token",
    "viewer of another",
    "staff",
}
OWNERS_TO_READ = OWNERS | {"unapproved owner", "owner, reading token", "admin, reading token"}
READERS = APPROVED | {"owner, reading token", "staff, reading token", "admin, reading token"}

# Who may, when the dataset is embargoed and they are as they are called.
TABLE: dict[Action, set[str]] = {
    Action.READ: OWNERS_TO_READ | VIEWERS | REVIEWERS | FETCHERS | REPORTERS | {"owner, to upload", "admin, to index"},
    Action.CREATE_DATASET: APPROVED,
    Action.CHOOSE_IDENTIFIER: {"admin", "system"},
    Action.READ_CLOSED: OWNERS_TO_READ | VIEWERS | REVIEWERS | FETCHERS | REPORTERS | {"admin, to index"},
    Action.CHANGE_DRAFT: EDITORS | PUSHERS,
    Action.CHANGE_OWNERS: OWNERS,
    Action.LIST_EDITORS: OWNERS_TO_READ,
    Action.CHANGE_EDITORS: OWNERS,
    Action.LIST_VIEWERS: OWNERS_TO_READ,
    Action.CHANGE_VIEWERS: OWNERS,
    Action.LIST_REVIEWER_LINKS: OWNERS_TO_READ,
    Action.CHANGE_REVIEWER_LINKS: OWNERS,
    Action.LIST_UPLOADS: OWNERS_TO_READ | {"editor"},
    Action.RELEASE: OWNERS,
    Action.PUBLISH: EDITORS,
    Action.CHANGE_VERSION_ACCESS: OWNERS,
    Action.DELETE_DATASET: OWNERS,
    Action.DELETE_VERSION: {"admin", "system"},
    Action.DELETE_PRIVATE_VERSION: OWNERS,
    Action.STAR: APPROVED,
    Action.SEARCH_USERS: READERS,
    Action.LIST_USERS: {"staff", "staff, reading token", "admin", "admin, reading token", "system"},
    Action.REVIEW_USERS: {"staff", "admin", "system"},
    Action.MANAGE_TOKENS: APPROVED,
    Action.FOLLOW_WORK: EDITORS | {"unapproved owner", "owner, reading token", "admin, reading token"},
    Action.STEER_WORK: EDITORS,
    Action.KNOW_PEOPLE: OWNERS_TO_READ | VIEWERS | FETCHERS | REPORTERS,
    Action.REPORT_WORK: REPORTERS | {"system"},
    Action.APPOINT: {"admin", "system"},
    Action.MAINTAIN: {"admin", "system"},
    Action.UPLOAD: EDITORS | PUSHERS | {"owner, to upload"},
    Action.USE_ACCOUNT: EVERYBODY - {"anonymous", "reviewer", "reviewer of another"},
    Action.READ_AS_APPROVED: READERS,
    Action.WRITE_AS_APPROVED: APPROVED,
    Action.READ_WITH_CREDENTIAL: READERS | {"reviewer", "reviewer of another"},
    Action.OVERSEE: {"staff", "staff, reading token", "admin", "admin, reading token", "system"},
}


# What everybody may do with a dataset that is open.
OF_READERS = (Action.READ, Action.KNOW_PEOPLE)
MAKERS = [make_dataset, make_embargoed_dataset, make_releasing_dataset]


def make_asset_row(dataset: Dataset) -> Asset:
    """An asset, in whatever state the dataset is."""
    now = timezone.now()
    user = owner_of(dataset).user
    assert user
    blob = make_blob_row(user)
    metadata = {"schemaVersion": "0.8.0"}
    return Asset.objects.create(
        dataset=dataset, path="a", blob=blob, size=1, metadata=metadata, introduced=1, created=now, modified=now
    )


def test_table_knows_every_action() -> None:
    assert set(TABLE) == set(Action)


class Case(NamedTuple):
    """A dataset, and everybody who may want something of it."""

    dataset: Dataset
    actors: dict[str, Actor]

    def allowed(self, action: Action) -> set[str]:
        return {name for name, actor in self.actors.items() if may(actor, action, self.dataset)}


Cases = dict[Callable[[], Dataset], Case]


def make_cases(worker: Worker) -> Cases:
    """Make a dataset of each kind, and everybody for each."""
    datasets = {make: make() for make in MAKERS}
    return {make: Case(dataset, _everybody(dataset)) for make, dataset in datasets.items()}


def _everybody(dataset: Dataset) -> dict[str, Actor]:
    return {name: actor(dataset) for name, actor in ACTORS.items()}


@pytest.fixture(scope="module", autouse=True)
def cases(made_once: MadeOnce[Cases]) -> Cases:
    return made_once(make_cases)


@pytest.mark.parametrize("action", Action)
def test_may_is_what_the_table_says_of_an_embargoed_dataset(cases: Cases, action: Action) -> None:
    assert cases[make_embargoed_dataset].allowed(action) == TABLE[action]


@pytest.mark.parametrize("action", [action for action in Action if action not in OF_READERS])
def test_may_is_what_the_table_says_of_an_open_dataset(cases: Cases, action: Action) -> None:
    assert cases[make_dataset].allowed(action) == TABLE[action]


@pytest.mark.parametrize("make", [make_dataset, make_releasing_dataset])
def test_released_dataset_may_be_read_by_everybody(cases: Cases, make: Callable[[], Dataset]) -> None:
    assert cases[make].allowed(Action.READ) == set(ACTORS)
    assert cases[make].allowed(Action.KNOW_PEOPLE) == set(ACTORS)


@pytest.mark.parametrize("name", ACTORS)
@pytest.mark.parametrize("make", MAKERS)
def test_visible_is_what_may_be_read(cases: Cases, name: str, make: Callable[[], Dataset]) -> None:
    dataset, actors = cases[make]
    asset = make_asset_row(dataset)
    actor = actors[name]
    readable = may(actor, Action.READ, dataset)
    assert Dataset.objects.filter(visible(actor), pk=dataset.pk).exists() is readable
    assert Grant.objects.filter(visible(actor, to="dataset__"), dataset=dataset).exists() is readable
    assert Asset.objects.filter(visible_rows(actor), pk=asset.pk).exists() is readable
    knows, leads = may(actor, Action.KNOW_PEOPLE, dataset), may(actor, Action.LIST_VIEWERS, dataset)
    assert Dataset.objects.filter(knowing(actor), pk=dataset.pk).exists() is knows
    assert Dataset.objects.filter(with_listable_members(actor), pk=dataset.pk).exists() is leads


@pytest.mark.parametrize("name", ACTORS)
def test_what_was_removed_before_the_release_is_for_those_who_could_read_it_then(name: str) -> None:
    dataset = make_embargoed_dataset()
    asset = make_asset(dataset)
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    actor = ACTORS[name](dataset)
    could_read_it = may(actor, Action.READ, dataset)
    start_release(dataset)
    assert Asset.objects.filter(visible_rows(actor), pk=asset.pk).exists() is could_read_it


@pytest.mark.parametrize("name", ACTORS)
def test_what_was_removed_from_an_open_dataset_stays_readable(name: str) -> None:
    dataset = make_dataset()
    asset = make_asset(dataset)
    remove_asset(actor=owner_of(dataset), dataset=dataset, asset_id=asset.asset_id)
    assert Asset.objects.filter(visible_rows(ACTORS[name](dataset)), pk=asset.pk).exists()


def test_only_owners_and_uploaders_decide_that_embargoed_bytes_go_elsewhere() -> None:
    dataset = make_embargoed_dataset()
    asset = make_asset(dataset)
    actors = _everybody(dataset)
    allowed = {name for name, actor in actors.items() if Asset.objects.filter(attachable_rows(actor), pk=asset.pk)}
    assert allowed == OWNERS_TO_READ | PUSHERS | {"owner, to fetch", "owner, to upload"}


@pytest.mark.parametrize(
    ("make", "blinded"), [(make_dataset, set()), (make_releasing_dataset, set()), (make_embargoed_dataset, REVIEWERS)]
)
def test_blinded_is_who_could_not_read_without_a_reviewer_link(
    cases: Cases, make: Callable[[], Dataset], blinded: set[str]
) -> None:
    dataset, actors = cases[make]
    assert {name for name, actor in actors.items() if is_blinded(actor, dataset)} == blinded


def test_blind_spot_is_the_dataset_that_is_read_blinded() -> None:
    dataset = make_embargoed_dataset()
    assert {name for name, actor in ACTORS.items() if blinded_dataset(actor(dataset)) == dataset.pk} == REVIEWERS
    start_release(dataset)
    assert {name for name, actor in ACTORS.items() if blinded_dataset(actor(dataset)) == dataset.pk} == set()


@pytest.mark.parametrize(
    "action", [Action.READ, Action.CHANGE_DRAFT, Action.CHANGE_OWNERS, Action.PUBLISH, Action.DELETE_DATASET]
)
def test_may_refuses_what_is_about_a_dataset_when_none_is_named(action: Action) -> None:
    assert not may(acting(make_user()), action)
    assert not may(ANONYMOUS, action)


def test_require_lets_pass_who_may() -> None:
    require(SYSTEM, Action.PUBLISH, make_dataset())


def test_require_asks_nobody_to_sign_in() -> None:
    with pytest.raises(UnauthenticatedError):
        require(ANONYMOUS, Action.PUBLISH, make_dataset())


def test_require_refuses_somebody_with_the_message() -> None:
    with pytest.raises(ForbiddenError, match=r"^Only theirs\.$"):
        require(acting(make_user()), Action.PUBLISH, make_dataset(), message="Only theirs.")


def test_require_tells_somebody_why_not() -> None:
    waiting, owner = make_unapproved_user(), make_user()
    dataset, read_only = make_dataset(owner), make_token(owner, scope=Token.Scope.READ)
    told = {}
    actors = {"waiting": acting(waiting), "reading": acting(owner, read_only), "other": acting(make_user())}
    for name, actor in actors.items():
        with pytest.raises(ForbiddenError) as refused:
            require(actor, Action.PUBLISH, dataset)
        told[name] = refused.value.message
    assert told == {
        "waiting": "Your account has not been approved yet.",
        "reading": "This token may only read.",
        "other": "Only the owners and editors of the dataset may do this.",
    }


@pytest.mark.parametrize("name", ["anonymous", "stranger"])
def test_require_tells_nobody_of_what_is_hidden(name: str) -> None:
    dataset = make_embargoed_dataset()
    with pytest.raises(NotFoundError):
        require(ACTORS[name](dataset), Action.READ, dataset, hidden=True)


def test_actor_is_named_as_the_history_keeps_it() -> None:
    user = make_user(first_name="Jane", last_name="Doe")
    token = make_token(user)
    actor = acting(user, token)
    assert (actor.name, actor.email, actor.user_id, actor.token_id) == ("Jane Doe", user.email, user.pk, token.pk)
    assert (SYSTEM.name, SYSTEM.email, SYSTEM.user_id, SYSTEM.token_id) == ("the archive", "", None, None)
    assert (ANONYMOUS.name, ANONYMOUS.user_id) == ("", None)
