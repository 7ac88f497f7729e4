"""The page that shows what differs between two versions."""

from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive.accounts.policy import Actor
from archive.datasets.models import Dataset, Version
from archive.differences import Difference, Operation
from archive.publishing.changes import FileChange, FileOperation
from archive.publishing.queries import (
    Comparison,
    compare_versions,
    drafted_changelog,
    metadata_differences,
    page_of_changes,
    sums_of_changes,
)
from dandiapi.auth import Anyone
from dandiapi.credentials import actor_by_session
from dandiapi.web.access import open_to
from dandiapi.web.entries import entry_in_words, value_in_words

FILES_SHOWN = 200
VALUE_CHARACTERS = 300
ENTRIES_SHOWN = 5


@require_safe
@open_to(Anyone)
def differences(request: HttpRequest, identifier: str, name: str, other: str) -> HttpResponse:
    """Show what differs from one version to another: sums, metadata, and files by path, page after page."""
    actor = actor_by_session(request)
    comparison = compare_versions(actor, int(identifier), name, other)
    path = request.GET.get("after", "").replace("\0", "")
    wanted = _wanted(request.GET.get("change", ""))
    found = page_of_changes(comparison, limit=FILES_SHOWN + 1, after=path, operations=wanted)
    changes = found[:FILES_SHOWN]
    more = {"after": changes[-1].path, **({"change": wanted[0]} if len(wanted) == 1 else {})} if changes else {}
    facts = {
        "comparison": comparison,
        "dataset": comparison.after.dataset,
        "sums": [(operation, sums) for operation, sums in sums_of_changes(comparison).items() if sums.count],
        "size": comparison.after.size - comparison.before.size,
        "metadata": [_shown(comparison, each) for each in metadata_differences(comparison)],
        "changes": [_in_words(change) for change in changes],
        "following": urlencode(more) if len(found) > len(changes) else "",
    }
    return render(request, "differences.html", facts)


def _wanted(text: str) -> list[FileOperation]:
    return [operation for operation in FileOperation if text in {"", operation.value}] or list(FileOperation)


def _shown(comparison: Comparison, difference: Difference) -> dict[str, Any]:
    is_gone = difference.operation == Operation.REMOVED
    shown_in = comparison.before if is_gone else comparison.after
    return {
        "operation": difference.operation,
        "entry": entry_in_words(shown_in.metadata, difference.path),
        "before": _text(difference.old),
        "after": _text(difference.new),
    }


def _text(value: object) -> str:
    text = value_in_words(value)
    return text if len(text) <= VALUE_CHARACTERS else f"{text[:VALUE_CHARACTERS]}…"


def _in_words(change: FileChange) -> dict[str, Any]:
    """Return a change of a file for the page, with the first entries of its metadata that have changed."""
    entries = [entry_in_words(None, each.path) for each in change.metadata[:ENTRIES_SHOWN]]
    return {**vars(change), "metadata": "" if change.has_other_bytes else ", ".join(entries)}


def suggested_notes(actor: Actor, dataset: Dataset, newest: Version | None) -> str:
    """Return what has changed in the draft since the newest version, as a beginning of release notes."""
    if newest is None:
        return ""
    return drafted_changelog(compare_versions(actor, dataset.number, newest.version, Version.DRAFT))
