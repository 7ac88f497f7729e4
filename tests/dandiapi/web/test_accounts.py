"""Signing up, in and out."""

import re

import pytest
from django.conf import LazySettings

from archive.accounts.models import User
from archive.accounts.queries import QUESTIONS
from archive.datasets.services import create_dataset
from tests.dandiapi.web.browser import Browser
from tests.factories import acting, make_admin, make_nameless_user, make_user

PASSWORD = "correct horse battery"


ASKED = "/account/about-you/"


def sign_up(browser: Browser) -> User:
    response = browser.send("/accounts/signup/", email="new@example.org", password1=PASSWORD, password2=PASSWORD)
    assert response["Location"] == f"{ASKED}?next=%2F"
    return User.objects.get(username="new@example.org")


@pytest.mark.parametrize(("at_once", "status"), [(True, User.Status.APPROVED), (False, User.Status.INCOMPLETE)])
def test_sign_up_makes_an_account(
    anonymous: Browser, settings: LazySettings, at_once: bool, status: User.Status
) -> None:
    settings.ACCOUNTS_APPROVED_AT_SIGNUP = at_once
    assert sign_up(anonymous).status == status


def test_sign_up_asks_for_the_name_that_datasets_will_tell(anonymous: Browser, settings: LazySettings) -> None:
    settings.ACCOUNTS_APPROVED_AT_SIGNUP = True
    sign_up(anonymous)
    assert re.findall(r'name="((?:First|Last) Name)"', anonymous.read(ASKED)) == ["First Name", "Last Name"]
    names = {"First Name": "Grace", "Last Name": "O’Brian"}
    assert anonymous.client.post(f"{ASKED}?next=/dandiset/my", names)["Location"] == "/dandiset/my"
    dataset = create_dataset(actor=acting(User.objects.get()), name="Moths", metadata={})
    assert dataset.versions.get().contact_person == "O'Brian, Grace"


def test_sign_up_asks_everything_where_people_wait_to_be_approved(anonymous: Browser, settings: LazySettings) -> None:
    settings.ACCOUNTS_APPROVED_AT_SIGNUP = False
    sign_up(anonymous)
    assert anonymous.client.post(ASKED, {question.text: "Something" for question in QUESTIONS})["Location"] == "/"
    assert User.objects.get().status == User.Status.PENDING


@pytest.mark.parametrize("name", ["Doe, PhD", "<b>", "Jane 🐭", " "])
def test_name_that_metadata_may_not_have_is_refused_with_words(anonymous: Browser, name: str) -> None:
    sign_up(anonymous)
    page = anonymous.client.post(ASKED, {question.text: name for question in QUESTIONS}).content.decode()
    assert "errorlist" in page
    assert not User.objects.get().has_full_name


def test_sign_in_asks_who_has_no_name_and_leads_on(anonymous: Browser) -> None:
    person = make_nameless_user()
    person.set_password(PASSWORD)
    person.save()
    response = anonymous.send("/accounts/login/", login=person.email, password=PASSWORD, next="/dandiset/my")
    assert response["Location"] == f"{ASKED}?next=%2Fdandiset%2Fmy"


def test_who_has_told_everything_is_asked_nothing(owner: Browser) -> None:
    assert owner.open(f"{ASKED}?next=/dandiset/my")["Location"] == "/dandiset/my"
    assert owner.open(f"{ASKED}?next=https://evil.example.org")["Location"] == "/"


def test_sign_in_and_out(anonymous: Browser) -> None:
    person = make_user()
    person.set_password(PASSWORD)
    person.save()
    assert anonymous.send("/accounts/login/", login=person.email, password=PASSWORD)["Location"] == "/"
    assert "Sign out" in anonymous.read("/")
    assert anonymous.send("/accounts/logout/")["Location"] == "/"
    assert "Sign out" not in anonymous.read("/")


def test_sign_in_leads_back_to_where_one_was_going(anonymous: Browser) -> None:
    person = make_user()
    person.set_password(PASSWORD)
    person.save()
    page = anonymous.client.get("/dandiset/my", follow=True).content.decode()
    assert '<input type="hidden" name="next" value="/dandiset/my">' in page


def test_wrong_password_is_refused(anonymous: Browser) -> None:
    page = anonymous.send("/accounts/login/", login="nobody@example.org", password="x").content.decode()
    assert "errorlist" in page


@pytest.mark.parametrize(
    ("page", "placeholders", "button"),
    [
        ("/accounts/login/", ["Email address", "Password"], "Sign In"),
        ("/accounts/signup/", ["Email address", "Password", "Password (again)"], "Sign Up"),
    ],
)
def test_forms_have_what_browsers_look_for(anonymous: Browser, page: str, placeholders: list[str], button: str) -> None:
    html = anonymous.read(page)
    assert re.findall(r'placeholder="([^"]+)"', html) == placeholders
    assert re.findall(r"<button[^>]*>\s*([^<]+?)\s*</button>", html) == [button]


def test_login_page_has_one_link_to_sign_up(anonymous: Browser) -> None:
    links = re.findall(r"<a [^>]*>\s*([^<]+?)\s*</a>", anonymous.read("/accounts/login/"))
    assert [link for link in links if link.lower() == "sign up"] == ["sign up"]


@pytest.mark.parametrize("page", ["/accounts/password/reset/", "/accounts/login/", "/accounts/signup/"])
def test_account_pages_look_like_all_others(anonymous: Browser, page: str) -> None:
    html = anonymous.read(page)
    assert ("archive.css" in html, 'class="narrow entrance"' in html) == (True, True)


@pytest.mark.parametrize("page", ["/accounts/email/", "/accounts/password/change/", "/accounts/logout/"])
def test_pages_of_ones_account_look_like_all_others(owner: Browser, page: str) -> None:
    owner.user.set_password(PASSWORD)
    owner.user.save()
    owner.client.force_login(owner.user, backend="django.contrib.auth.backends.ModelBackend")
    assert "archive.css" in owner.read(page)


def test_wrong_passwords_are_tried_only_so_often(anonymous: Browser) -> None:
    person = make_user()
    person.set_password(PASSWORD)
    person.save()
    for _ in range(5):
        anonymous.send("/accounts/login/", login=person.email, password="x")
    refused = anonymous.send("/accounts/login/", login=person.email, password=PASSWORD).content.decode()
    assert ("Too many failed login attempts" in refused, "Sign out" in anonymous.read("/")) == (True, False)


def test_sign_in_is_asked_for_only_so_often(anonymous: Browser) -> None:
    answers = [anonymous.send("/accounts/login/", login=f"{n}@x.org", password="x") for n in range(31)]
    assert (answers[0].status_code, answers[-1].status_code) == (200, 429)
    assert "archive.css" in answers[-1].content.decode()


def test_wrong_passwords_of_one_client_lock_nobody_else_out(anonymous: Browser, settings: LazySettings) -> None:
    settings.TRUSTED_PROXIES = 1
    person = make_user()
    person.set_password(PASSWORD)
    person.save()
    address = {"X-Forwarded-For": "192.0.2.1"}
    for number in range(31):
        anonymous.client.post("/accounts/login/", {"login": f"{number}@x.org", "password": "x"}, headers=address)
    there = {"login": person.email, "password": PASSWORD}
    assert anonymous.client.post("/accounts/login/", there, headers=address).status_code == 429
    other = {"X-Forwarded-For": "192.0.2.1, 192.0.2.2"}
    assert anonymous.client.post("/accounts/login/", there, headers=other).status_code == 302


def test_no_password_is_asked_for_or_taken_where_only_others_vouch_for_people(
    anonymous: Browser, settings: LazySettings
) -> None:
    settings.SOCIALACCOUNT_ONLY = True
    person = make_admin()
    person.set_password(PASSWORD)
    person.save()
    page = anonymous.read("/accounts/login/")
    assert ("password" in page, "/accounts/github/login/" in page) == (False, True)
    for door in ("/accounts/login/", "/admin/login/"):
        anonymous.send(door, login=person.email, username=person.username, password=PASSWORD)
        assert "Sign out" not in anonymous.read("/")


@pytest.mark.parametrize(
    "address",
    [f"{'x' * 50}@{'y' * 60}.{'z' * 35}.org", f"{'x' * 50}@{'y' * 60}.{'z' * 60}.{'a' * 60}.{'b' * 16}.org"],
    ids=len,
)
def test_address_that_is_too_long_for_a_username_still_signs_up(anonymous: Browser, address: str) -> None:
    response = anonymous.send("/accounts/signup/", email=address, password1=PASSWORD, password2=PASSWORD)
    assert response["Location"] == f"{ASKED}?next=%2F"
    person = User.objects.get(email=address)
    assert 0 < len(person.username) <= 150


def test_mail_server_that_is_away_is_said_to_be(anonymous: Browser, settings: LazySettings) -> None:
    settings.EMAIL_BACKEND = "tests.archive.accounts.test_mail.Away"
    person = make_user()
    response = anonymous.send("/accounts/password/reset/", email=person.email)
    assert (response.status_code, response["Retry-After"]) == (503, "60")
