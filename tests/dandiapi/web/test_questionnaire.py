"""What people answer before a web app may act for them, and what follows (docs/dialects/dandi.md#questionnaire)."""

import json
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.conf import LazySettings

from archive.accounts.models import User
from archive.accounts.queries import NAMES, QUESTIONS
from tests.dandiapi.web.browser import Browser
from tests.dandiapi.web.web_app import WebApp
from tests.factories import make_nameless_user, make_unapproved_user
from tests.worker import Worker

FORM = "/api/users/questionnaire-form/"
ANSWERS = {
    "First Name": "Grace",
    "Last Name": "Hopper",
    "Affiliation(s)": "Navy",
    "Lab or project website": "https://example.org",
    "What do you plan to use the archive for?": "Moths.",
}


@pytest.fixture
def app(db: None) -> WebApp:
    return WebApp()


@pytest.fixture
def newcomer(db: None) -> Browser:
    """Somebody who has just signed up."""
    person = make_unapproved_user(User.Status.INCOMPLETE)
    User.objects.filter(pk=person.pk).update(first_name="", last_name="")
    return Browser(person)


@pytest.fixture
def nameless(db: None) -> Browser:
    """Somebody who is approved, and has no last name."""
    return Browser(make_nameless_user(first_name="Grace"))


def questions_in(address: str) -> list[dict[str, Any]]:
    asked: list[dict[str, Any]] = json.loads(parse_qs(urlsplit(address).query)["QUESTIONS"][0])
    return asked


def asking(*texts: str) -> str:
    return f"{FORM}?{urlencode({'QUESTIONS': json.dumps([{'question': text, 'max_length': 5} for text in texts])})}"


def answered(browser: Browser) -> User:
    return User.objects.get(pk=browser.user.pk)


def answer(browser: Browser, app: WebApp, **changes: str) -> Any:
    """The answer to all questions' answers."""
    return browser.client.post(browser.open(app.address())["Location"], ANSWERS | changes)


def verified(browser: Browser, address: str) -> None:
    User.objects.filter(pk=browser.user.pk).update(email=address)
    EmailAddress.objects.filter(user=browser.user).update(email=address.lower())


# --- Being asked ------------------------------------------------------------------------------------------------------


def test_authorize_asks_a_newcomer_everything(app: WebApp, newcomer: Browser) -> None:
    response = newcomer.open(app.address())
    assert (response.status_code, response["Location"].startswith(f"{FORM}?redirect_uri=")) == (302, True)
    assert [each["question"] for each in questions_in(response["Location"])] == list(ANSWERS)
    assert [each["max_length"] for each in questions_in(response["Location"])] == [100, 100, 1000, 1000, 1000]


def test_authorize_asks_who_has_no_name_for_it(app: WebApp, nameless: Browser) -> None:
    asked = questions_in(nameless.open(app.address())["Location"])
    assert [each["question"] for each in asked] == ["First Name", "Last Name"]


@pytest.mark.parametrize("status", [User.Status.PENDING, User.Status.APPROVED])
def test_authorize_asks_nothing_of_others(app: WebApp, status: User.Status) -> None:
    assert Browser(make_unapproved_user(status)).open(app.address())["Location"].startswith("https://app.example.org")


def test_authorize_asks_an_administrator_no_more_than_the_name(app: WebApp, admin: Browser) -> None:
    User.objects.update(status=User.Status.INCOMPLETE)
    assert admin.open(app.address())["Location"].startswith("https://app.example.org")


def test_form_has_a_field_for_each_question_and_one_button(app: WebApp, nameless: Browser) -> None:
    page = nameless.read(nameless.open(app.address())["Location"])
    labels = dict(re.findall(r'<label for="([^"]+)">([^<]+?):?</label>', page))
    assert list(labels.values()) == ["First Name", "Last Name"]
    assert all(f'id="{identity}"' in page for identity in labels)
    assert len(re.findall("<button", page)) == 1


@pytest.mark.parametrize(
    "query",
    [
        "",
        "?QUESTIONS=",
        "?QUESTIONS=x",
        "?QUESTIONS=1",
        "?QUESTIONS={}x",
        "?QUESTIONS=[1]",
        "?QUESTIONS=[{}]",
        "?QUESTIONS=" + "[" * 9999,
        '?QUESTIONS=[{"question":"Password","max_length":9}]',
        '?QUESTIONS=[{"question":[],"max_length":9}]',
    ],
)
def test_form_is_not_there_when_the_questions_are_not_ours(stranger: Browser, query: str) -> None:
    assert (stranger.open(FORM + query).status_code, stranger.send(FORM + query).status_code) == (404, 404)


def test_form_asks_to_sign_in(anonymous: Browser) -> None:
    assert anonymous.open(asking("First Name"))["Location"].startswith("/accounts/login/?next=")


# --- Answering --------------------------------------------------------------------------------------------------------


def test_answers_lead_back_with_the_same_query(app: WebApp, nameless: Browser) -> None:
    response = answer(nameless, app)
    assert (response.status_code, response["Location"]) == (302, app.address())
    assert nameless.open(app.address())["Location"].startswith("https://app.example.org/?code=")
    assert answered(nameless).display_name == "Grace Hopper"


def test_answers_are_kept_and_cut_to_what_is_asked(app: WebApp, newcomer: Browser) -> None:
    answer(newcomer, app, **{"First Name": "G" * 101, "Affiliation(s)": "x" * 2000})
    sheet = answered(newcomer).questionnaire.answers
    assert {text: len(reply) for text, reply in sheet.items()} == {
        **{text: len(reply) for text, reply in ANSWERS.items()},
        "First Name": 100,
        "Affiliation(s)": 1000,
    }


@pytest.mark.parametrize("name", ["", "  ", "x\0"])
def test_answers_need_a_name(app: WebApp, newcomer: Browser, name: str) -> None:
    response = answer(newcomer, app, **{"Last Name": name})
    assert (response.status_code, "errorlist" in response.content.decode()) == (200, True)
    assert answered(newcomer).status == User.Status.INCOMPLETE


def test_answers_are_refused_when_they_may_be_forged(newcomer: Browser) -> None:
    newcomer.client.handler.enforce_csrf_checks = True
    assert newcomer.client.post(asking("First Name"), ANSWERS).status_code == 403


def test_answers_that_are_not_all_leave_a_newcomer_one(app: WebApp, newcomer: Browser) -> None:
    newcomer.client.post(asking(*(each.text for each in NAMES)), ANSWERS)
    assert answered(newcomer).status == User.Status.INCOMPLETE
    assert len(questions_in(newcomer.open(app.address())["Location"])) == len(QUESTIONS)


# --- What follows -----------------------------------------------------------------------------------------------------


def test_newcomer_waits_for_an_administrator(
    app: WebApp, newcomer: Browser, worker: Worker, mailoutbox: list[Any], settings: LazySettings
) -> None:
    settings.ADMIN_EMAIL = "admin@example.org"
    answer(newcomer, app)
    worker.run()
    assert answered(newcomer).status == User.Status.PENDING
    assert [(mail.subject, mail.to) for mail in mailoutbox] == [
        ("DANDI: your account waits to be approved", ["admin@example.org", newcomer.user.email]),
        (f"DANDI: please review new user {newcomer.user.username}", ["admin@example.org"]),
    ]
    link = re.findall(r"http\S+/dashboard/user/\S+", mailoutbox[1].body)
    assert link == [f"{settings.ARCHIVE_URL}/dashboard/user/{newcomer.user.username.replace('@', '%40')}/"]
    assert unescape(mailoutbox[1].body) == mailoutbox[1].body


@pytest.mark.parametrize("address", ["grace@yale.edu", "g@NIH.gov", "g@cs.ox.ac.uk", "g@bic.mni.mcgill.ca"])
def test_newcomer_is_approved_when_the_address_is_trusted(
    app: WebApp, newcomer: Browser, worker: Worker, mailoutbox: list[Any], address: str
) -> None:
    verified(newcomer, address)
    answer(newcomer, app)
    worker.run()
    assert answered(newcomer).status == User.Status.APPROVED
    assert [(mail.subject, mail.to) for mail in mailoutbox] == [("DANDI: your account is approved", [address])]


@pytest.mark.parametrize("address", ["grace@edu", "edu@example.org", "g@evil-nih.gov", "g@nih.gov.example.org"])
def test_newcomer_waits_when_the_address_only_looks_trusted(app: WebApp, newcomer: Browser, address: str) -> None:
    verified(newcomer, address)
    answer(newcomer, app)
    assert answered(newcomer).status == User.Status.PENDING


def test_newcomer_waits_when_the_trusted_address_may_be_another_persons(app: WebApp, newcomer: Browser) -> None:
    User.objects.filter(pk=newcomer.user.pk).update(email="grace@yale.edu")
    answer(newcomer, app)
    assert answered(newcomer).status == User.Status.PENDING


def test_newcomer_is_approved_where_everybody_is(app: WebApp, newcomer: Browser, settings: LazySettings) -> None:
    settings.ACCOUNTS_APPROVED_AT_SIGNUP = True
    answer(newcomer, app)
    assert answered(newcomer).status == User.Status.APPROVED


def test_answers_given_again_change_no_status_and_send_nothing(
    app: WebApp, newcomer: Browser, worker: Worker, mailoutbox: list[Any]
) -> None:
    address = newcomer.open(app.address())["Location"]
    for _ in range(2):
        newcomer.client.post(address, ANSWERS)
    User.objects.filter(pk=newcomer.user.pk).update(status=User.Status.REJECTED)
    newcomer.client.post(address, ANSWERS)
    worker.run()
    assert (answered(newcomer).status, len(mailoutbox)) == (User.Status.REJECTED, 1)
