"""The admin: what it shows, and what it may not change."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from archive.accounts.models import Grant, Token, User
from archive.accounts.services import ensure_user
from archive.assets.models import Asset, Folder
from archive.datasets.models import Dataset, Version
from archive.timeline.models import Change, Job, Projection
from archive.timeline.queries import changes
from archive.zarr.models import ZarrArchive
from tests.dandiapi.rest.world import embargo
from tests.factories import (
    make_admin,
    make_dataset,
    make_published_version,
    make_staff,
    make_token,
    make_unapproved_user,
    make_user,
    make_valid_dataset,
    make_zarr,
)
from tests.factories.zarr import announce, put
from tests.worker import MadeOnce, Worker

MODELS = list(apps.get_app_config("archive").get_models())
CHANGED_BY_HAND = {User}
ADDED_BY_HAND = {Grant}
LISTED = ("changelist", "add")


def named(model: type[Model]) -> str:
    return model.__name__


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def administrator(db: None) -> Client:
    return signed_in(make_admin())


@pytest.fixture
def staff(db: None) -> Client:
    """Staff who may look at people and change them."""
    person = make_staff()
    person.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user"]))
    return signed_in(person)


def make_rows(worker: Worker) -> int:
    """Make a dataset with a row in nearly every table; its number."""
    dataset = make_valid_dataset(worker, paths=("a/b.nwb", "c.nwb"))
    make_published_version(worker, dataset)
    make_token(make_user())
    return dataset.number


@pytest.fixture(scope="module", autouse=True)
def number(made_once: MadeOnce[int]) -> int:
    return made_once(make_rows)


@pytest.fixture
def dataset(db: None, number: int) -> Dataset:
    """The dataset with a row in nearly every table."""
    return Dataset.objects.get(pk=number)


def page(model: type[Model], name: str, *args: Any) -> str:
    return reverse(f"admin:archive_{model._meta.model_name}_{name}", args=args)


def run(client: Client, model: type[Model], action: str, *rows: Model) -> None:
    fields = {"action": action, "_selected_action": [row.pk for row in rows]}
    assert client.post(page(model, "changelist"), fields).status_code == 302


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_model_is_shown(administrator: Client, dataset: Dataset, model: type[Model]) -> None:
    assert administrator.get(page(model, "changelist")).status_code == 200
    for row in model._default_manager.all()[:1]:
        assert administrator.get(page(model, "change", row.pk)).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_model_is_searched(administrator: Client, model: type[Model]) -> None:
    for search in ["1", "x", "0001", "-1", "9" * 30, "²"]:
        assert administrator.get(page(model, "changelist"), {"q": search}).status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=named)
def test_model_is_closed_to_others(db: None, model: type[Model]) -> None:
    for client, status in [(Client(), 302), (signed_in(make_user()), 302), (signed_in(make_staff()), 403)]:
        assert client.get(page(model, "changelist")).status_code == status


@pytest.mark.parametrize("model", sorted(set(MODELS) - ADDED_BY_HAND, key=named), ids=named)
def test_model_is_not_added_by_hand(administrator: Client, model: type[Model]) -> None:
    assert administrator.post(page(model, "add")).status_code == 403


@pytest.mark.parametrize("model", sorted(set(MODELS) - CHANGED_BY_HAND, key=named), ids=named)
def test_model_is_not_changed_by_hand(administrator: Client, dataset: Dataset, model: type[Model]) -> None:
    for row in model._default_manager.all()[:1]:
        assert administrator.post(page(model, "change", row.pk)).status_code == 403


@pytest.mark.parametrize("model", sorted(set(MODELS) - ADDED_BY_HAND, key=named), ids=named)
def test_model_is_not_deleted_by_hand(administrator: Client, dataset: Dataset, model: type[Model]) -> None:
    for row in model._default_manager.all()[:1]:
        assert administrator.post(page(model, "delete", row.pk), {"post": "yes"}).status_code == 403
        fields = {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"}
        administrator.post(page(model, "changelist"), fields)
        row.refresh_from_db()


def test_list_is_counted_only_so_far(administrator: Client, monkeypatch: pytest.MonkeyPatch, dataset: Dataset) -> None:
    monkeypatch.setattr("dandiapi.admin.base.COUNTED", 2)
    shown = administrator.get(page(Change, "changelist")).context["cl"]
    assert shown.result_count == 2


def test_search_finds_the_rows_of_one_dataset(administrator: Client, dataset: Dataset) -> None:
    other = make_dataset()
    shown = administrator.get(page(Change, "changelist"), {"q": other.identifier}).context["cl"]
    assert [change.dataset_id for change in shown.result_list] == [other.number]


# --- People -----------------------------------------------------------------------------------------------------------


def test_people_are_approved_and_told(staff: Client, worker: Worker, mailoutbox: list[Any]) -> None:
    people = [make_unapproved_user(), make_unapproved_user(User.Status.INCOMPLETE)]
    run(staff, User, "approve", *people)
    worker.run()
    assert {User.objects.get(pk=person.pk).status for person in people} == {User.Status.APPROVED}
    assert {mail.to[0] for mail in mailoutbox} == {person.email for person in people}


def test_people_lead_to_where_they_are_reviewed(staff: Client) -> None:
    person = make_unapproved_user()
    assert f'href="/dashboard/user/{person.username}/"' in staff.get(page(User, "changelist")).content.decode()


def test_people_are_filtered_by_status(staff: Client) -> None:
    waiting = make_unapproved_user()
    shown = staff.get(page(User, "changelist"), {"status__exact": "PENDING"}).context["cl"]
    assert list(shown.result_list) == [waiting]


def test_staff_cannot_give_powers(staff: Client) -> None:
    person = make_user()
    shown = staff.get(page(User, "change", person.pk)).context["adminform"].form.initial
    fields = {"username": person.username, "status": "APPROVED", "is_active": "on", "email": person.email}
    assert shown["first_name"] == person.first_name
    response = staff.post(page(User, "change", person.pk), {**fields, "is_superuser": "on", "is_staff": "on"})
    person.refresh_from_db()
    assert (response.status_code, person.is_superuser, person.is_staff) == (302, False, False)


@pytest.mark.parametrize("name", ["change", "password_change"])
def test_staff_cannot_take_over_an_administrator(staff: Client, name: str) -> None:
    target = make_admin()
    address = (
        reverse("admin:auth_user_password_change", args=[target.pk])
        if name == "password_change"
        else page(User, name, target.pk)
    )
    assert staff.post(address, {"username": "mine", "password1": "x" * 20, "password2": "x" * 20}).status_code == 403


def test_tokens_are_shown_without_their_digests(administrator: Client) -> None:
    token = make_token(make_user())
    for address in (page(Token, "changelist"), page(Token, "change", token.pk)):
        assert token.digest not in administrator.get(address).content.decode()


def test_tokens_are_revoked(administrator: Client) -> None:
    tokens = [make_token(make_user()) for _ in range(2)]
    run(administrator, Token, "revoke", *tokens)
    assert {*Token.objects.filter(revoked__isnull=False)} == {*tokens}


# --- Owners -----------------------------------------------------------------------------------------------------------


def test_owner_is_added_as_a_change_of_the_dataset(administrator: Client, dataset: Dataset) -> None:
    person = make_user()
    fields = {"dataset": dataset.number, "user": person.pk}
    assert administrator.post(page(Grant, "add"), fields).status_code == 302
    assert dataset.grants.filter(user=person).exists()
    last = changes(dataset.number).reverse()[0]
    assert (last.kind, last.author_name) == (Change.Kind.CHANGE_OWNERS, "Ada Min")


def test_owner_is_removed_as_a_change_of_the_dataset(administrator: Client, dataset: Dataset) -> None:
    person = make_user()
    administrator.post(page(Grant, "add"), {"dataset": dataset.number, "user": person.pk})
    grant = dataset.grants.get(user=person)
    assert administrator.post(page(Grant, "delete", grant.pk), {"post": "yes"}).status_code == 302
    assert not dataset.grants.filter(user=person).exists()
    assert changes(dataset.number).reverse()[0].details["removed_owners"][0]["username"] == person.username


def test_last_owner_stays(administrator: Client, dataset: Dataset) -> None:
    grant = dataset.grants.get()
    response = administrator.post(page(Grant, "delete", grant.pk), {"post": "yes"})
    assert (response.status_code, b"Cannot remove all draft owners" in response.content) == (400, True)
    assert dataset.grants.exists()


# --- Work -------------------------------------------------------------------------------------------------------------


def test_failing_projection_is_tried_again(administrator: Client, dataset: Dataset, worker: Worker) -> None:
    projection = Projection.objects.get(dataset_id=dataset.number, name="access")
    Projection.objects.filter(pk=projection.pk).update(next_attempt="2100-01-01T00:00Z", state="failing", cursor=0)
    run(administrator, Projection, "try_again", projection)
    worker.run()
    projection.refresh_from_db()
    assert (projection.state, projection.cursor > 0) == ("following", True)


def test_job_that_has_ended_is_not_tried_again(administrator: Client, dataset: Dataset) -> None:
    [ended] = Job.objects.filter(kind="publish")
    run(administrator, Job, "try_again", ended)
    assert Job.objects.get(pk=ended.pk).next_attempt == ended.next_attempt


def test_every_model_is_registered() -> None:
    assert [named(model) for model in MODELS if not admin.site.is_registered(model)] == []


def test_models_are_many_in_words_that_are_english() -> None:
    plurals = {str(model._meta.verbose_name_plural) for model in MODELS}
    assert [words for words in plurals if re.search(r"(ss|[^aeiou]ys)$", words)] == []


def test_admin_loads_nothing_from_elsewhere(administrator: Client) -> None:
    assert "default-src 'self'" in administrator.get("/admin/")["Content-Security-Policy"]


def test_demo_administrator_may_come_in(db: None) -> None:
    person = ensure_user(email="demo@example.org", is_admin=True)
    assert signed_in(person).get("/admin/").status_code == 200


# --- Zarr -------------------------------------------------------------------------------------------------------------


def test_archive_that_is_pending_is_ingested(administrator: Client, worker: Worker) -> None:
    zarr = make_zarr(make_dataset())
    announce(zarr, {"0/0": b"chunk"})
    put(zarr, b"chunk")
    run(administrator, ZarrArchive, "ingest", zarr)
    worker.run()
    zarr.refresh_from_db()
    assert (zarr.status, zarr.file_count) == (ZarrArchive.Status.COMPLETE, 1)


# --- What staff may not ---


def test_staff_do_not_take_over_what_somebody_owns(staff: Client, dataset: Dataset) -> None:
    owner = dataset.grants.get().user
    new = {"password1": "correct horse battery", "password2": "correct horse battery", "usable_password": "true"}
    assert staff.post(f"/admin/archive/user/{owner.pk}/password/", new).status_code == 403
    form = staff.get(page(User, "change", owner.pk)).content.decode()
    assert [name for name in ("email", "username", "password") if f'name="{name}"' in form] == []
    staff.post(page(User, "change", owner.pk), {"email": "mine@example.org", "username": "mine", "first_name": "New"})
    owner.refresh_from_db()
    assert (owner.email, owner.first_name, owner.check_password(new["password1"])) == (owner.username, "New", False)


def test_staff_sign_in_as_nobody_else_by_what_packages_keep(db: None) -> None:
    person = make_staff()
    person.user_permissions.set(Permission.objects.all())
    client = signed_in(person)
    assert client.get(page(User, "changelist")).status_code == 200
    others = [model for model in admin.site._registry if model._meta.app_label != "archive"]
    assert {SocialAccount, EmailAddress} <= {*others}
    pages = [
        reverse(f"admin:{model._meta.label_lower.replace('.', '_')}_{name}") for model in others for name in LISTED
    ]
    assert {address: client.get(address).status_code for address in pages} == dict.fromkeys(pages, 403)


def test_administrators_set_passwords(administrator: Client) -> None:
    person = make_user()
    new = {"password1": "correct horse battery", "password2": "correct horse battery", "usable_password": "true"}
    assert administrator.post(f"/admin/archive/user/{person.pk}/password/", new).status_code == 302
    person.refresh_from_db()
    assert person.check_password(new["password1"])


@pytest.mark.parametrize("model", [Asset, Change, Dataset, Folder, Version, ZarrArchive], ids=named)
def test_staff_see_nothing_of_what_they_may_not_read(dataset: Dataset, model: type[Model]) -> None:
    make_zarr(dataset)
    person = make_staff()
    person.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    row = model._default_manager.first()
    assert row
    looking = signed_in(person)
    assert looking.get(page(model, "change", row.pk)).status_code == 200
    embargo(dataset)
    assert looking.get(page(model, "change", row.pk)).status_code == 302
    assert "0 " in looking.get(page(model, "changelist")).content.decode().partition('class="paginator"')[2][:80]


# --- Signing in -------------------------------------------------------------------------------------------------------


def test_admin_takes_no_password(db: None) -> None:
    person = make_admin()
    person.set_password("correct horse")
    person.save()
    client = Client()
    client.post("/admin/login/", {"username": person.username, "password": "correct horse"})
    assert "sessionid" not in client.cookies


def test_admin_leads_to_the_one_sign_in_and_back(db: None) -> None:
    pages = Client().get("/admin/archive/user/?q=x", follow=True)
    assert pages.redirect_chain[-1][0] == "/accounts/login/?next=%2Fadmin%2Farchive%2Fuser%2F%3Fq%3Dx"


def test_admin_is_closed_to_those_who_are_signed_in_and_not_staff(db: None) -> None:
    assert signed_in(make_user()).get("/admin/", follow=True).status_code == 403


def test_admin_leads_staff_who_ask_for_its_sign_in_to_its_first_page(administrator: Client) -> None:
    assert administrator.get("/admin/login/")["Location"] == "/admin/"


def test_admin_leads_to_where_passwords_are_changed(administrator: Client) -> None:
    for answer in (administrator.get("/admin/password_change/"), administrator.post("/admin/password_change/", {})):
        assert (answer.status_code, answer["Location"]) == (302, "/accounts/password/change/")
