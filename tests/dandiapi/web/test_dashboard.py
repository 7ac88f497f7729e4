"""The dashboard: who is let in (docs/dialects/dandi.md#dashboard)."""

import csv
from typing import Any

import pytest

from archive.accounts.models import Questionnaire, User
from tests.dandiapi.web.browser import Browser
from tests.factories import make_admin, make_staff, make_unapproved_user, make_user
from tests.worker import Worker


@pytest.fixture
def staff(db: None) -> Browser:
    return Browser(make_staff())


@pytest.fixture
def person(db: None) -> User:
    """Somebody who waits to be approved."""
    return make_unapproved_user()


@pytest.fixture
def browser(request: pytest.FixtureRequest) -> Browser:
    found: Browser = request.getfixturevalue(request.param)
    return found


def at(person: User) -> str:
    return f"/dashboard/user/{person.username}/"


def state(person: User) -> tuple[str, bool]:
    person.refresh_from_db()
    return person.status, person.is_active


# --- Access -----------------------------------------------------------------------------------------------------------

EXPECTED = [
    ("anonymous", [302, 302, 403, 403]),
    ("waiting", [403, 403, 403, 403]),
    ("stranger", [403, 403, 403, 403]),
    ("owner", [403, 403, 403, 403]),
    ("staff", [200, 200, 200, 302]),
    ("admin", [200, 200, 200, 302]),
]


@pytest.mark.parametrize(("browser", "statuses"), EXPECTED, indirect=["browser"])
def test_dashboard_is_for_staff(browser: Browser, statuses: list[int], person: User) -> None:
    answers = [
        browser.open("/dashboard/"),
        browser.open(at(person)),
        browser.open("/dashboard/mailchimp/"),
        browser.send(at(person), status="APPROVED"),
    ]
    assert [answer.status_code for answer in answers] == statuses


def test_mailing_list_says_who_may_have_it(anonymous: Browser, stranger: Browser) -> None:
    pages = [browser.open("/dashboard/mailchimp/").content.decode() for browser in (anonymous, stranger)]
    assert ["Sign in first" in pages[0], "Only the staff of the archive" in pages[1]] == [True, True]


def test_dashboard_asks_to_sign_in(anonymous: Browser, person: User) -> None:
    assert anonymous.open(at(person))["Location"] == f"/accounts/login/?next={at(person)}".replace("@", "%40")


def test_unknown_person_is_not_there(staff: Browser) -> None:
    assert staff.open("/dashboard/user/nobody/").status_code == 404


# --- Looking ----------------------------------------------------------------------------------------------------------


def test_dashboard_lists_those_first_who_wait(staff: Browser, person: User) -> None:
    later = make_user()
    page = staff.read("/dashboard/")
    assert page.index(at(person)) < page.index(at(later))


def test_dashboard_is_paged(staff: Browser, django_assert_max_num_queries: Any) -> None:
    for _ in range(51):
        make_user()
    with django_assert_max_num_queries(6):
        assert staff.read("/dashboard/").count("/dashboard/user/") == 50
    assert staff.read("/dashboard/?page=2").count("/dashboard/user/") == 2


def test_person_is_shown_with_their_answers_as_text(staff: Browser, person: User) -> None:
    Questionnaire.objects.create(user=person, answers={"Affiliation(s)": "<script>x</script>"})
    assert "&lt;script&gt;x&lt;/script&gt;" in staff.read(at(person))


def test_person_is_shown_who_has_answered_nothing(staff: Browser, person: User) -> None:
    assert person.email in staff.read(at(person))


# --- Deciding ---------------------------------------------------------------------------------------------------------


def test_approval_lets_in_and_tells(staff: Browser, person: User, worker: Worker, mailoutbox: list[Any]) -> None:
    admin = make_admin()
    assert staff.send(at(person), status="APPROVED")["Location"] == at(person)
    worker.run()
    assert state(person) == ("APPROVED", True)
    [mail] = mailoutbox
    assert (mail.subject, mail.to) == ("DANDI: your account is approved", [admin.email, person.email])


def test_approval_is_told_once(staff: Browser, person: User, worker: Worker, mailoutbox: list[Any]) -> None:
    for _ in range(2):
        staff.send(at(person), status="APPROVED")
    worker.run()
    assert len(mailoutbox) == 1


def test_rejection_closes_the_account_and_says_why(
    staff: Browser, person: User, worker: Worker, mailoutbox: list[Any]
) -> None:
    staff.send(at(person), status="REJECTED", rejection_reason="We know nobody of that name.")
    worker.run()
    assert state(person) == ("REJECTED", False)
    [mail] = mailoutbox
    assert (mail.subject, mail.to) == ("DANDI: your account was not approved", [person.email])
    assert "We know nobody of that name." in mail.body


@pytest.mark.parametrize("reason", ["", "   ", "x" * 1001, "\0"])
def test_rejection_needs_a_reason(staff: Browser, person: User, reason: str) -> None:
    response = staff.send(at(person), status="REJECTED", rejection_reason=reason)
    assert (response.status_code, "errorlist" in response.content.decode()) == (200, True)
    assert state(person) == ("PENDING", True)


@pytest.mark.parametrize("status", ["", "PENDING", "INCOMPLETE", "x"])
def test_there_is_nothing_else_to_decide(staff: Browser, person: User, status: str) -> None:
    assert staff.send(at(person), status=status).status_code == 200
    assert state(person) == ("PENDING", True)


def test_rejected_person_may_be_approved_after_all(staff: Browser, person: User) -> None:
    staff.send(at(person), status="REJECTED", rejection_reason="No.")
    staff.send(at(person), status="APPROVED")
    assert state(person) == ("APPROVED", True)


@pytest.mark.parametrize("make", [make_admin, make_staff])
def test_staff_are_not_rejected(staff: Browser, make: Any) -> None:
    colleague = make()
    assert staff.send(at(colleague), status="REJECTED", rejection_reason="No.").status_code == 403
    assert state(colleague) == ("APPROVED", True)


def test_rejected_person_is_signed_out_at_once(staff: Browser, person: User) -> None:
    theirs = Browser(person)
    assert theirs.open("/account/tokens/").status_code == 200
    staff.send(at(person), status="REJECTED", rejection_reason="No.")
    assert theirs.open("/account/tokens/").status_code == 302


# --- Mailing list -----------------------------------------------------------------------------------------------------


def test_mailing_list_has_approved_people(staff: Browser, person: User) -> None:
    jane = make_user(first_name='J"ane', last_name="Doe, Jr.")
    User.objects.filter(pk=make_user().pk).update(is_active=False)
    response = staff.open("/dashboard/mailchimp/")
    assert response["Content-Type"].startswith("text/csv")
    assert response["Content-Disposition"] == 'attachment; filename="dandi_users_mailchimp.csv"'
    rows = list(csv.reader(response.getvalue().decode().splitlines()))
    assert rows == [
        ["email", "first_name", "last_name"],
        [staff.user.email, "Jane", "Doe"],
        [jane.email, 'J"ane', "Doe, Jr."],
    ]


def test_mailing_list_has_no_formulas(staff: Browser) -> None:
    make_user(first_name="=1+1", last_name="\t@SUM(A1)")
    rows = list(csv.reader(staff.open("/dashboard/mailchimp/").getvalue().decode().splitlines()))
    assert rows[-1][1:] == ["1+1", "SUM(A1)"]
