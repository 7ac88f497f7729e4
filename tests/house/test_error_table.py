"""Every kind of domain error has its reply, and its code."""

from collections.abc import Iterator

from archive.errors import ArchiveError
from dandiapi.errors import REPLIES


def kinds(base: type[ArchiveError]) -> Iterator[type[ArchiveError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds(kind)


def test_reply_is_given_to_each_kind_of_error() -> None:
    assert set(REPLIES) == set(kinds(ArchiveError))


def test_codes_are_of_one_kind_each() -> None:
    codes = {kind.code for kind in kinds(ArchiveError)}
    assert len(codes) == len(REPLIES)
