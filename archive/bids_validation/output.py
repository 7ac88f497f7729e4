"""What the validator prints, read as a stream: of a large dataset it is too long to be held in memory."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ijson

from archive.errors import InvalidError

# How many issues are kept, errors first.
MAX_ISSUES = 50_000
KEPT = ("code", "subCode", "severity", "location", "rule", "issueMessage", "line")
# Of each code, the places that are told of it beside how many there are; and of how many codes.
LOCATIONS_TOLD = 5
MAX_CODES = 500
HALF = "The validator has not printed its whole verdict."


@dataclass
class Output:
    """The output of the validator about a tree: issues, errors first, of which there may be more than are kept."""

    errors: int = 0
    warnings: int = 0
    issues: list[dict[str, Any]] = field(default_factory=list)
    # The issues of each code together: `code`, `severity`, `count`, `message` and the first `locations`.
    codes: list[dict[str, Any]] = field(default_factory=list)
    code_messages: dict[str, str] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)


def read_output(file: Path) -> Output:
    """Return what the validator has printed into a file; InvalidError if that is not all of it."""
    found = Output()
    try:
        _read_issues(file, found)
        found.code_messages = dict(_parts(file, "issues.codeMessages"))
        found.codes = [_with_message(code, found.code_messages) for code in found.codes]
        found.summary = _sound(dict(_parts(file, "summary")))
    except (ijson.JSONError, UnicodeDecodeError) as error:
        raise InvalidError(HALF) from error
    if not found.summary:
        raise InvalidError(HALF)
    return found


def counted(issues: Iterable[Mapping[str, Any]], code_messages: Mapping[str, str]) -> Output:
    """Return issues, in whatever order they come, as the output that they are: counted, and errors first."""
    found = Output(code_messages={code: str(_sound(message)) for code, message in code_messages.items()})
    _take(issues, found)
    found.codes = [_with_message(code, found.code_messages) for code in found.codes]
    return found


def _read_issues(file: Path, found: Output) -> None:
    with file.open("rb") as stream:
        _take(ijson.items(stream, "issues.issues.item", use_float=True), found)


def _take(issues: Iterable[Mapping[str, Any]], found: Output) -> None:
    errors: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []
    codes: dict[tuple[str, str], dict[str, Any]] = {}
    for issue in issues:
        severity = str(issue.get("severity"))
        found.errors += severity == "error"
        found.warnings += severity == "warning"
        wanted = {"error": errors, "warning": others}.get(severity)
        # What the configuration ignores has a severity of its own.
        if wanted is None:
            continue
        _count(codes, issue)
        if len(wanted) < MAX_ISSUES:
            wanted.append({name: _sound(issue[name]) for name in KEPT if name in issue})
    found.issues = [*errors, *others][:MAX_ISSUES]
    found.codes = sorted(codes.values(), key=lambda code: (code["severity"], -code["count"]))[:MAX_CODES]


def _count(codes: dict[tuple[str, str], dict[str, Any]], issue: Mapping[str, Any]) -> None:
    """Count an issue among those of its code."""
    code, severity = str(issue.get("code")), str(issue.get("severity"))
    known = codes.setdefault((code, severity), {"code": code, "severity": severity, "count": 0, "locations": []})
    known["count"] += 1
    location = issue.get("location")
    if location and len(known["locations"]) < LOCATIONS_TOLD and location not in known["locations"]:
        known["locations"].append(_sound(location))


def _with_message(code: Mapping[str, Any], messages: Mapping[str, str]) -> dict[str, Any]:
    return {**code, "message": messages.get(code["code"], "")}


def _sound(value: Any) -> Any:
    """Return a value without NUL characters, of which Postgres keeps none."""
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, list):
        return [_sound(each) for each in value]
    return {_sound(name): _sound(each) for name, each in value.items()} if isinstance(value, dict) else value


def _parts(file: Path, place: str) -> Iterator[tuple[str, Any]]:
    with file.open("rb") as stream:
        yield from ijson.kvitems(stream, place, use_float=True)
