"""Every kind of domain error has its reply and its code, and every reason its words in the faces."""

from collections.abc import Iterator

from archive.accounts.policy import ACTIONS, Action
from archive.errors import ArchiveError, InvalidError, Reason
from dandiapi.errors import STATUSES
from dandiapi.rest import words
from tests.house.sources import modules, named


def kinds(base: type[ArchiveError]) -> Iterator[type[ArchiveError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_reply_is_given_to_each_kind_of_error() -> None:
    assert set(STATUSES) == set(kinds(ArchiveError))


def test_codes_are_of_one_kind_each() -> None:
    codes = {kind.code for kind in kinds(ArchiveError)}
    assert len(codes) == len(STATUSES)


def test_every_reason_is_given_and_has_words_of_the_api() -> None:
    sources = "".join(file.read_text() for file in modules("archive"))
    assert [reason for reason in Reason if f"Reason.{reason.name}" not in sources] == []
    assert set(words.REASONS) == set(Reason)


def test_domain_knows_no_words_of_the_api() -> None:
    sentences = {*words.REASONS.values(), *words.ACTIONS.values()}
    sources = {named(file): file.read_text() for file in modules("archive", "dandiapi/web", "dandiapi/git")}
    assert [(name, each) for name, text in sources.items() for each in sentences if f'"{each}"' in text] == []


def test_error_without_a_reason_is_said_as_the_domain_says_it() -> None:
    assert words.body(InvalidError("The name is wrong.", field="name")) == {"name": ["The name is wrong."]}


def test_error_about_a_field_names_it_as_the_api_does() -> None:
    assert words.body(InvalidError("The size is wrong.", field="size")) == {"contentSize": ["The size is wrong."]}


def test_domain_knows_no_fields_of_the_api() -> None:
    sources = {named(file): file.read_text() for file in modules("archive")}
    told = [f'field="{field}"' for field in words.FIELDS.values()]
    assert [(name, each) for name, text in sources.items() for each in told if each in text] == []


def test_every_action_says_who_may_do_it() -> None:
    assert set(ACTIONS) == set(Action)
