"""The page that shows what differs between two versions."""

from typing import Any
from urllib.parse import urlencode

import orjson
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from archive.accounts.policy import Actor
from archive.datasets.models import Dataset, Version
from archive.datasets.queries import visible_datasets
from archive.differences import Difference
from archive.errors import NotFoundError
from archive.publishing.queries import (
    FileOperation,
    compare_versions,
    drafted_changelog,
    metadata_differences,
    page_of_changes,
    sums_of_changes,
)
from dandiapi.auth import Anyone, actor_of
from dandiapi.web.access import open_to

FILES_SHOWN = 200
VALUE_CHARACTERS = 300


@require_safe
@open_to(Anyone)
def differences(request: HttpRequest, identifier: str, name: str, other: str) -> HttpResponse:
    """What differs from one version to another: sums, metadata, and files by path, page after page."""
    actor = actor_of(request)
    if not visible_datasets(actor).filter(number=int(identifier)).exists():
        raise NotFoundError("Not found.")
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
        "metadata": [_shown(each) for each in metadata_differences(comparison)],
        "changes": changes,
        "following": urlencode(more) if len(found) > len(changes) else "",
    }
    return render(request, "differences.html", facts)


def _wanted(text: str) -> list[FileOperation]:
    return [operation for operation in FileOperation if text in {"", operation.value}] or list(FileOperation)


def _shown(difference: Difference) -> dict[str, Any]:
    return {
        "operation": difference.operation,
        "pointer": difference.pointer,
        "before": _text(difference.old),
        "after": _text(difference.new),
    }


def _text(value: object) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= VALUE_CHARACTERS else f"{text[:VALUE_CHARACTERS]}…"


def suggested_notes(actor: Actor, dataset: Dataset, newest: Version | None) -> str:
    """What has changed in the draft since the newest version, to begin release notes with."""
    if newest is None:
        return ""
    return drafted_changelog(compare_versions(actor, dataset.number, newest.version, Version.DRAFT))
