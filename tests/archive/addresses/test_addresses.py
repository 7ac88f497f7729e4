"""Addresses are what a face has registered, and nothing else."""

import pytest

from archive.addresses import Address


@pytest.fixture
def shelf() -> Address[[int]]:
    return Address("a shelf")


def test_address_is_what_a_face_has_registered(shelf: Address[[int]]) -> None:
    @shelf.register
    def shelf_of(number: int) -> str:
        return f"/shelves/{number}/"

    assert shelf(7) == shelf_of(7) == "/shelves/7/"


def test_address_is_refused_when_no_face_has_registered(shelf: Address[[int]]) -> None:
    with pytest.raises(LookupError, match="No face has registered the address of a shelf"):
        shelf(7)


def test_address_is_registered_once(shelf: Address[[int]]) -> None:
    shelf.register(str)
    with pytest.raises(LookupError, match="registered already"):
        shelf.register(repr)
    assert shelf(7) == "7"
