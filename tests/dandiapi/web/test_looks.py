"""What all pages have in common: one main button, one way to say how large something is."""

import re
from pathlib import Path

import pytest

from archive.datasets.models import Dataset, Version
from dandiapi.web.filters import size
from tests.dandiapi.web.browser import Browser
from tests.factories import make_asset, make_blob

TEMPLATES = Path("dandiapi/web/templates")


def primary_buttons(page: str) -> list[str]:
    found = re.findall(r'<(a|button)\b[^>]*class="[^"]*\bprimary\b[^"]*"[^>]*>(.*?)</\1>', page, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", words).strip() for _, words in found]


@pytest.mark.parametrize(
    ("address", "button"),
    [
        ("/", "Search"),
        ("/account/tokens/", "Create token"),
        ("/dandiset/{id}/draft", "Publish this draft"),
        ("/nowhere", "Go to the datasets"),
        ("/accounts/email/", "Add Email"),
        ("/accounts/logout/", "Sign Out"),
    ],
)
def test_page_has_one_primary_button(owner: Browser, valid: Dataset, address: str, button: str) -> None:
    page = owner.open(address.format(id=valid.identifier)).content.decode()
    assert primary_buttons(page) == [button]


def test_dataset_is_there_to_be_browsed_for_who_cannot_publish_it(anonymous: Browser, valid: Dataset) -> None:
    assert primary_buttons(anonymous.read(f"/dandiset/{valid.identifier}/draft")) == ["Browse files"]


def test_size_is_said_alike_wherever_it_is_said(owner: Browser, version: Version) -> None:
    dataset = version.dataset
    make_asset(dataset, "large.txt", blob=make_blob(dataset, b"x" * 1_500_000), encodingFormat="text/plain")
    pages = [
        f"/dandiset/{dataset.identifier}/draft",
        f"/dandiset/{dataset.identifier}/draft/files",
        f"/dandiset/{version}/diff/draft",
    ]
    assert [address for address in pages if size(1_500_000) not in owner.read(address)] == []
    assert [file.name for file in TEMPLATES.rglob("*.html") if "filesizeformat" in file.read_text()] == []
