"""An address is an identity once it is proven: what is granted to it waits until then, and for nobody else."""

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.conf import LazySettings

from archive.accounts.models import Grant, User
from archive.accounts.services import create_token
from archive.accounts.work import MAIL_JOB
from archive.datasets.models import Dataset
from archive.timeline.models import Change, Job
from tests.dandiapi.git.caller import Caller
from tests.dandiapi.rest.api import Api
from tests.dandiapi.web.browser import Browser
from tests.factories import make_embargoed_dataset, make_user
from tests.worker import Worker

pytestmark = pytest.mark.django_db

ADDRESS = "colleague@university.edu"
PASSWORD = "correct horse battery"
STATUSES = [User.Status.APPROVED, User.Status.PENDING, User.Status.INCOMPLETE]


@pytest.fixture
def owner() -> Api:
    return Api(make_user())


@pytest.fixture
def secret(owner: Api) -> Dataset:
    return make_embargoed_dataset(owner.user)


def signed_up(address: str = ADDRESS, status: User.Status = User.Status.APPROVED) -> Browser:
    """Somebody who has signed up with an address, and proven nothing."""
    browser = Browser()
    browser.send("/accounts/signup/", email=address, password1=PASSWORD, password2=PASSWORD)
    User.objects.filter(email=address).update(status=status, first_name="Cora", last_name="League")
    return browser


def account(address: str = ADDRESS) -> User:
    return User.objects.get(email=address)


def invite(owner: Api, dataset: Dataset, address: str = ADDRESS, *, role: str = "viewers") -> Any:
    people = [address] if role == "viewers" else [owner.user.username, address]  # type: ignore[union-attr]
    route = {"viewers": "viewers", "owners": "users"}[role]
    return owner.put(f"dandisets/{dataset.identifier}/{route}/", [{"username": name} for name in people])


def link_in(mails: list[Any], pattern: str) -> str:
    """The newest address on this archive that a mail has, which looks so."""
    return next(found[0] for mail in reversed(mails) if (found := re.search(pattern, mail.body)))


def prove(browser: Browser, mails: list[Any]) -> Any:
    """Follow the link in the mail to the address, and press the button."""
    return browser.send(link_in(mails, r"/accounts/confirm-email/\S+"))


def reads(user: User, dataset: Dataset) -> bool:
    return bool(Api(user).get(f"dandisets/{dataset.identifier}/").status_code == 200)


# --- Squatters --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("role", ["viewers", "owners"])
def test_squatter_reads_nothing_that_is_granted_to_the_address(
    owner: Api, secret: Dataset, status: User.Status, role: str
) -> None:
    browser = signed_up(status=status)
    assert invite(owner, secret, role=role).status_code == 200
    squatter = account()
    assert not reads(squatter, secret)
    assert browser.open(f"/dandiset/{secret.identifier}").status_code == 404
    assert Caller(squatter).get(f"/git/{secret.identifier}/info/refs?service=git-upload-pack").status_code == 404
    assert Api(squatter).get("dandisets/?embargoed=true").json()["count"] == 0


def test_squatter_who_signs_in_again_is_still_none(owner: Api, secret: Dataset) -> None:
    browser = signed_up()
    invite(owner, secret)
    browser.send("/accounts/logout/")
    browser.send("/accounts/login/", login=ADDRESS, password=PASSWORD)
    assert not reads(account(), secret)


def test_squatter_keeps_nothing_when_the_owner_of_the_address_takes_the_account(
    owner: Api, secret: Dataset, mailoutbox: list[Any]
) -> None:
    squatting = signed_up()
    _, token = create_token(user=account(), name="squatter's")
    invite(owner, secret)
    colleague = Browser()
    colleague.send("/accounts/password/reset/", email=ADDRESS)
    form = colleague.open(link_in(mailoutbox, r"/accounts/password/reset/key/\S+"))["Location"]
    colleague.send(form, password1="another horse battery", password2="another horse battery")
    colleague.send("/accounts/login/", login=ADDRESS, password="another horse battery")
    prove(colleague, mailoutbox)
    assert colleague.open(f"/dandiset/{secret.identifier}").status_code == 200
    assert Api(secret=token).get(f"dandisets/{secret.identifier}/").status_code == 401
    assert squatting.open(f"/dandiset/{secret.identifier}").status_code == 404


def test_link_that_somebody_else_follows_proves_nothing(owner: Api, secret: Dataset, mailoutbox: list[Any]) -> None:
    signed_up()
    invite(owner, secret)
    prove(Browser(), mailoutbox)
    assert not EmailAddress.objects.get(email=ADDRESS).verified
    assert not reads(account(), secret)


def test_squatter_with_an_address_that_is_too_long_for_a_username_gets_none_of_their_choice(
    owner: Api, secret: Dataset
) -> None:
    address = f"octocat@{'.'.join(['a' * 60] * 3)}.org"
    signed_up(address)
    assert invite(owner, secret, "octocat").status_code == 400
    assert not reads(account(address), secret)


def test_squatter_with_an_address_that_still_names_another_account_gets_no_username_of_their_choice(
    owner: Api, secret: Dataset
) -> None:
    address = "octocat@example.org"
    signed_up(address)
    EmailAddress.objects.update(email="moved@example.org")
    User.objects.filter(email=address).update(email="moved@example.org")
    signed_up(address)
    assert invite(owner, secret, "octocat").status_code == 400
    assert not reads(account(address), secret)


# --- Invitations ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "granted"), [("viewers", Grant.Role.VIEWER), ("owners", Grant.Role.OWNER)])
def test_invitation_takes_effect_once_the_address_is_proven(
    owner: Api, secret: Dataset, mailoutbox: list[Any], role: str, granted: Grant.Role
) -> None:
    browser = signed_up()
    invite(owner, secret, role=role)
    prove(browser, mailoutbox)
    assert reads(account(), secret)
    assert Grant.objects.get(user=account()).role == granted
    assert Change.objects.latest("pk").details == {
        f"added_{role}": [{"username": ADDRESS, "email": ADDRESS, "name": "Cora League"}]
    }


def test_invitation_waits_for_somebody_who_has_no_account_yet(
    owner: Api, secret: Dataset, mailoutbox: list[Any], worker: Worker
) -> None:
    assert invite(owner, secret).status_code == 200
    worker.run()
    [mail] = mailoutbox
    assert (mail.to, secret.identifier in mail.body) == ([ADDRESS], True)
    prove(signed_up(), mailoutbox)
    assert reads(account(), secret)


def test_invitation_is_listed_for_owners_and_survives_a_round_trip(owner: Api, secret: Dataset) -> None:
    address = f"dandisets/{secret.identifier}/viewers/"
    expected = [{"username": ADDRESS, "name": f"{ADDRESS} (invited)", "email": ADDRESS}]
    assert invite(owner, secret).json() == expected
    assert owner.get(address).json() == expected
    before = Change.objects.count()
    assert owner.put(address, owner.get(address).json()).json() == expected
    assert Change.objects.count() == before


def test_invitation_to_own_is_told_to_owners_alone(owner: Api) -> None:
    signed_up()
    dataset = Dataset.objects.get(pk=int(owner.post("dandisets/", NEW).json()["identifier"]))
    assert ADDRESS in str(invite(owner, dataset, role="owners").json())
    for reader in (Api(), Api(make_user())):
        assert ADDRESS not in str(reader.get(f"dandisets/{dataset.identifier}/users/").json())


def test_invitation_that_is_withdrawn_takes_no_effect(owner: Api, secret: Dataset, mailoutbox: list[Any]) -> None:
    browser = signed_up()
    invite(owner, secret)
    owner.put(f"dandisets/{secret.identifier}/viewers/", [])
    prove(browser, mailoutbox)
    assert not reads(account(), secret)


def test_invitations_are_no_more_than_a_day_has_withdrawn_or_not(owner: Api, secret: Dataset) -> None:
    viewers = f"dandisets/{secret.identifier}/viewers/"
    strangers = [[{"username": f"{group}{number}@example.org"} for number in range(50)] for group in "abc"]
    answers = [owner.put(viewers, people) for people in strangers]
    assert [answer.status_code for answer in answers] == [200, 200, 400]
    assert "tomorrow" in answers[-1].json()[0]
    assert owner.put(viewers, []).status_code == 200
    assert Job.objects.filter(kind=MAIL_JOB).count() == 100


def test_owner_is_not_replaced_by_an_invitation(owner: Api, secret: Dataset) -> None:
    signed_up()
    response = owner.put(f"dandisets/{secret.identifier}/users/", [{"username": ADDRESS}])
    assert (response.status_code, response.json()) == (400, ["Cannot remove all draft owners"])


def test_creator_goes_on_owning_what_they_made_before_they_prove_an_address(owner: Api) -> None:
    signed_up()
    creator = Api(account())
    dataset = creator.post("dandisets/", NEW).json()["identifier"]
    assert owner.user
    people = [*creator.get(f"dandisets/{dataset}/users/").json(), {"username": owner.user.username}]
    response = creator.put(f"dandisets/{dataset}/users/", people)
    assert sorted(person["username"] for person in response.json()) == sorted([ADDRESS, owner.user.username])


def test_proven_address_is_a_name_beside_the_username(owner: Api, secret: Dataset) -> None:
    person = make_user()
    EmailAddress.objects.create(user=person, email="second@example.org", verified=True)
    assert [row["username"] for row in invite(owner, secret, "Second@example.org").json()] == [person.username]


# --- Approval ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("trusted", "status"), [([".edu"], User.Status.APPROVED), ([".gov"], User.Status.PENDING)])
def test_who_waits_is_approved_once_an_address_of_a_trusted_kind_is_proven(
    mailoutbox: list[Any], settings: LazySettings, trusted: list[str], status: User.Status
) -> None:
    settings.ACCOUNTS_TRUSTED_ADDRESSES = trusted
    prove(signed_up(status=User.Status.PENDING), mailoutbox)
    assert account().status == status


NEW = {"name": "Mouse vision", "metadata": {}}
