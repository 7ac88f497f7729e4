"""Every address that the domain names is given by a face, which answers there."""

from collections.abc import Callable
from uuid import UUID

import pytest
from django.conf import settings
from django.urls import resolve

from archive import addresses
from archive.addresses import Address

ANY_UUID = UUID("2d449a10-03f8-4bd7-8437-3e17691f4b95")
# Each, for some thing, with what is at it.
ADDRESSES: dict[str, tuple[Callable[[], str], str]] = {
    "dataset_page": (lambda: addresses.dataset_page(7), "/dandiset/000007"),
    "version_page": (lambda: addresses.version_page(7, "0.251121.1200"), "/dandiset/000007/0.251121.1200"),
    "own_page": (addresses.own_page, "/account/about-you/"),
    "draft_assets": (lambda: addresses.draft_assets(7), "/api/dandisets/000007/versions/draft/assets/"),
    "asset_content": (lambda: addresses.asset_content(ANY_UUID), f"/api/assets/{ANY_UUID}/download/"),
    "zarr_content": (lambda: addresses.zarr_content(ANY_UUID), f"/api/zarr/{ANY_UUID}/content/"),
    "zarr_files": (lambda: addresses.zarr_files(ANY_UUID), f"/api/zarr/{ANY_UUID}/files/"),
}
# Below this one are files; at it there is nothing.
BELOW = {"zarr_content": "0/0/0/"}


def test_addresses_are_all_tried() -> None:
    assert {name for name, value in vars(addresses).items() if isinstance(value, Address)} == ADDRESSES.keys()


@pytest.mark.parametrize("name", ADDRESSES)
def test_address_is_where_a_face_answers(name: str) -> None:
    build, path = ADDRESSES[name]
    assert build() == f"{settings.ARCHIVE_URL}{path}"
    assert resolve(path + BELOW.get(name, "")).func
