"""What code says of a page of `docs/` can be found there, and what the pages of dialects say is relied upon by code."""

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from tests.house.sources import PROJECT, modules

REFERENCE = re.compile(r"docs/[\w/-]+\.md(?:#[\w-]+)?")
HEADING = re.compile(r"^#{2,} (.+)$", re.MULTILINE)
# Sections of documents that are in nobody's clone.
ELSEWHERE = re.compile(r"\bcontract \d|\bappendix [A-Z]\b|\baddendum\b|\barchitecture \d", re.IGNORECASE)
THIS = Path(__file__)


def code() -> str:
    """Return all Python of the project, but for this module."""
    files = modules("archive", "dandiapi", "embedded", "tests")
    return "\n".join(file.read_text() for file in files if file != THIS)


def anchor(heading: str) -> str:
    """Return what a heading is called in addresses, as GitHub does."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    return {anchor(heading) for heading in HEADING.findall(page.read_text())}


def leads_nowhere(reference: str) -> bool:
    """Return whether there is no such page, or no such heading in it."""
    name, _, heading = reference.partition("#")
    page = PROJECT / name
    return not page.is_file() or bool(heading and heading not in anchors(page))


def broken_references(text: str) -> list[str]:
    return sorted({reference for reference in REFERENCE.findall(text) if leads_nowhere(reference)})


def unreferenced(pages: Iterable[Path], text: str) -> list[str]:
    """Return the headings of pages that no code refers to."""
    named = set(REFERENCE.findall(text))
    headings = {f"{page.relative_to(PROJECT)}#{heading}" for page in pages for heading in anchors(page)}
    return sorted(headings - named)


def test_references_to_pages_lead_somewhere() -> None:
    assert broken_references(code()) == []


@pytest.mark.parametrize("reference", ["docs/dialects/dandi.md#nowhere", "docs/dialects/none.md", "docs/gone.md#one"])
def test_reference_that_leads_nowhere_is_noticed(reference: str) -> None:
    assert broken_references(f"docs/dialects/dandi.md#errors, {reference}") == [reference]


def test_facts_of_dialects_are_those_that_code_relies_on() -> None:
    assert unreferenced((PROJECT / "docs/dialects").glob("*.md"), code()) == []


def test_fact_that_no_code_relies_on_is_noticed() -> None:
    page = PROJECT / "docs/dialects/git.md"
    others = code().replace("docs/dialects/git.md#locks", "")
    assert unreferenced([page], others) == ["docs/dialects/git.md#locks"]


def test_sections_of_documents_elsewhere_are_not_referred_to() -> None:
    pages = "\n".join(page.read_text() for page in [PROJECT / "README.md", *(PROJECT / "docs").rglob("*.md")])
    assert ELSEWHERE.findall(code() + pages) == []


@pytest.mark.parametrize("words", ["(contract 2.6)", "see appendix C", "the addendum", "(architecture 4)"])
def test_section_of_a_document_elsewhere_is_noticed(words: str) -> None:
    assert ELSEWHERE.search(words)
