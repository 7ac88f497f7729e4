"""Accounts, as administrators make, block and remove them by OpenNeuro's dialect."""

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from archive.accounts.models import Grant, User
from archive.accounts.services import create_token
from archive.datasets.services import remove_person, set_star
from archive.errors import ForbiddenError
from tests.dandiapi.graphql.asking import Asker
from tests.factories import acting, make_admin, make_dataset, make_editor, make_user, owner_of

pytestmark = pytest.mark.django_db

BACKEND = "django.contrib.auth.backends.ModelBackend"

ADMIN = "mutation($id: ID!, $is: Boolean!) { setAdmin(id: $id, admin: $is) { id admin } }"
BLOCK = "mutation($id: ID!, $is: Boolean!) { setBlocked(id: $id, blocked: $is) { id blocked } }"
REMOVE = "mutation($id: ID!) { removeUser(id: $id) }"


@pytest.fixture
def admin() -> Asker:
    return Asker.of(make_admin())


def id_of(user: User) -> str:
    return str(user.uuid)


def test_administrator_makes_administrators_and_unmakes_them(admin: Asker) -> None:
    user = make_user()
    for value in (True, False):
        assert admin.ask(ADMIN, id=id_of(user), **{"is": value})["setAdmin"] == {"id": id_of(user), "admin": value}
        user.refresh_from_db()
        assert (user.is_superuser, user.is_staff) == (value, value)


def test_blocked_account_is_let_in_by_nothing(admin: Asker) -> None:
    user = make_user()
    user.set_password("a long password")
    user.save()
    asker, client = Asker.of(user), Client()
    client.force_login(user, backend=BACKEND)
    assert client.get("/api/users/me/").status_code == 200
    assert admin.ask(BLOCK, id=id_of(user), **{"is": True})["setBlocked"]["blocked"] is True
    assert asker.refusal("mutation { createDataset(affirmedDefaced: true) { id } }") == (
        "You must be logged in to create a dataset."
    )
    assert client.get("/api/users/me/").status_code == 401
    assert admin.ask(BLOCK, id=id_of(user), **{"is": False})["setBlocked"]["blocked"] is False
    assert asker.ask("mutation { createDataset(affirmedDefaced: true) { id } }")


@pytest.mark.parametrize("document", [ADMIN, BLOCK, REMOVE])
def test_nobody_takes_their_own_powers_away(document: str) -> None:
    user = make_admin()
    said = Asker.of(user).refusal(document, id=id_of(user), **({"is": False} if "$is" in document else {}))
    assert said == "This is your own account: ask another administrator."
    user.refresh_from_db()
    assert user.is_superuser
    assert user.is_active


@pytest.mark.parametrize("document", [BLOCK, REMOVE])
def test_administrator_loses_their_powers_before_their_account(admin: Asker, document: str) -> None:
    other = make_admin()
    said = admin.refusal(document, id=id_of(other), **({"is": True} if "$is" in document else {}))
    assert said == "They are of the staff: take their permissions away first."


@pytest.mark.parametrize("name", ["7", "", "00000000-0000-0000-0000-000000000000"])
@pytest.mark.parametrize("document", [ADMIN, BLOCK, REMOVE])
def test_account_that_is_not_there_is_refused(admin: Asker, document: str, name: str) -> None:
    said = admin.refusal(document, id=name, **({"is": True} if "$is" in document else {}))
    assert said == "id: Nobody has that id, which is a UUID."


def test_blocked_account_is_made_no_administrator(admin: Asker) -> None:
    user = make_user()
    admin.ask(BLOCK, id=id_of(user), **{"is": True})
    assert "The account is blocked" in admin.refusal(ADMIN, id=id_of(user), **{"is": True})


def test_removed_account_is_nobodys(admin: Asker) -> None:
    dataset = make_dataset()
    editor = make_editor(dataset)
    set_star(actor=acting(editor), dataset=dataset, starred=True)
    create_token(user=editor, name="laptop")
    EmailAddress.objects.get_or_create(user=editor, email=editor.email, verified=True)
    assert admin.ask(REMOVE, id=id_of(editor)) == {"removeUser": True}
    editor.refresh_from_db()
    dataset.refresh_from_db()
    assert (editor.is_active, editor.email, editor.first_name, editor.last_name) == (False, "", "", "")
    assert not Grant.objects.filter(user=editor).exists()
    assert not editor.tokens.exists()
    assert not EmailAddress.objects.filter(user=editor).exists()
    assert dataset.star_count == 0


def test_removed_account_is_removed_for_good(admin: Asker) -> None:
    user = make_user()
    admin.ask(REMOVE, id=id_of(user))
    for document, given in ((BLOCK, {"is": False}), (ADMIN, {"is": True}), (REMOVE, {})):
        assert admin.refusal(document, id=id_of(user), **given) == "id: Nobody has that id, which is a UUID."


def test_account_that_becomes_an_administrators_meanwhile_is_not_removed(admin: Asker) -> None:
    user = make_user()
    User.objects.filter(pk=user.pk).update(is_superuser=True)
    with pytest.raises(ForbiddenError, match="They are of the staff"):
        remove_person(actor=acting(make_admin()), user=user)
    user.refresh_from_db()
    assert user.is_active


def test_only_owner_of_a_dataset_is_not_removed(admin: Asker) -> None:
    dataset = make_dataset()
    owner = owner_of(dataset).user
    assert owner
    said = admin.refusal(REMOVE, id=id_of(owner))
    assert said == f"They are the only owner of {dataset.identifier}. Give these to somebody else first."
    owner.refresh_from_db()
    assert owner.is_active
    assert Grant.objects.filter(user=owner, dataset=dataset).exists()
