"""The sets of rules by which versions are made (`dandi`, `bids`, `documents`), as pure functions.

A set of rules says whether the draft must be publishable first, and judges the version that is made from it. Whatever
its rules, a version also keeps whether DANDI could publish it (`status`, `problems`), so every dialect can list all
versions without calling one something it is not.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from jsonschema.validators import validator_for

from archive.datasets.models import Version
from archive.metadata.problems import MAX_MESSAGE, MAX_PROBLEMS, Problem


@dataclass(frozen=True)
class Document:
    """A metadata document of a version, and the JSON Schema that it names."""

    path: str
    content: Mapping[str, Any]
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class Candidate:
    """A version that is being made, as rules look at it: what keeps DANDI from publishing it, and its documents."""

    problems: list[Problem]
    documents: Iterable[Document] = ()


@dataclass(frozen=True)
class RuleSet:
    """Some rules. If `needs_publishable`, the draft must be what can be published; `judge` says what is wrong.

    What is wrong keeps the version from being made. Without a judge, a version is made in any state of the draft, and
    whoever looks at it later keeps the verdict beside it.
    """

    needs_publishable: bool = False
    judge: Callable[[Candidate], list[Problem]] | None = None


def dandi_problems(candidate: Candidate) -> list[Problem]:
    """Return what keeps DANDI from publishing the version."""
    return candidate.problems


def document_problems(candidate: Candidate) -> list[Problem]:
    """Return what is wrong with the documents of the version, by the schemas that they name."""
    found = (problem for document in candidate.documents for problem in _faults(document))
    return list(islice(found, MAX_PROBLEMS))


def _faults(document: Document) -> Iterator[Problem]:
    validator = validator_for(document.schema)(document.schema)
    for error in validator.iter_errors(document.content):
        yield Problem(f"{document.path}: {error.json_path}"[:MAX_MESSAGE], error.message[:MAX_MESSAGE])


RULES = {
    Version.Rules.DANDI: RuleSet(needs_publishable=True, judge=dandi_problems),
    Version.Rules.BIDS: RuleSet(),
    Version.Rules.DOCUMENTS: RuleSet(judge=document_problems),
}
