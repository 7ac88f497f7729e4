"""What the validator prints, read as a stream: of a large dataset it is too long to be held in memory."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ijson

from archive.errors import InvalidError

# How many issues are kept, errors first.
MAX_ISSUES = 50_000
KEPT = ("code", "subCode", "severity", "location", "rule", "issueMessage", "line")
HALF = "The validator has not printed its whole verdict."


@dataclass
class Output:
    """The output of the validator about a tree: issues, errors first, of which there may be more than are kept."""

    errors: int = 0
    warnings: int = 0
    issues: list[dict[str, Any]] = field(default_factory=list)
    code_messages: dict[str, str] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)


def read_output(file: Path) -> Output:
    """Return what the validator has printed into a file; InvalidError if that is not all of it."""
    found = Output()
    try:
        _read_issues(file, found)
        found.code_messages = dict(_parts(file, "issues.codeMessages"))
        found.summary = dict(_parts(file, "summary"))
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise InvalidError(HALF) from error
    if not found.summary:
        raise InvalidError(HALF)
    return found


def _read_issues(file: Path, found: Output) -> None:
    errors: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    with file.open("rb") as stream:
        for issue in ijson.items(stream, "issues.issues.item", use_float=True):
            severity = issue.get("severity")
            found.errors += severity == "error"
            found.warnings += severity == "warning"
            wanted = {"error": errors, "warning": others}.get(severity)
            # What the configuration ignores has a severity of its own.
            if wanted is not None and len(wanted) < MAX_ISSUES:
                wanted.append({name: issue[name] for name in KEPT if name in issue})
    found.issues = [*errors, *others][:MAX_ISSUES]


def _parts(file: Path, place: str) -> Iterator[tuple[str, Any]]:
    with file.open("rb") as stream:
        yield from ijson.kvitems(stream, place, use_float=True)
