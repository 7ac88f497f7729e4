"""Asking for validation, and keeping what validators elsewhere say."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.db import transaction

from archive.accounts.policy import Action, Actor, require
from archive.bids_validation.models import BidsVerdict
from archive.bids_validation.output import MAX_ISSUES, counted
from archive.bids_validation.tree import hash_of, tree_of
from archive.bids_validation.work import WAITING, begin_validation, note_tree
from archive.datasets.models import Version
from archive.errors import BusyError, InvalidError

MAX_SUMMARY = 2**22
MAX_VALIDATOR = 32


def request_validation(*, actor: Actor, version: Version) -> None:
    """Have a version, or the draft, validated once more, unless this validator has judged the same files already."""
    require(actor, Action.CHANGE_DRAFT, version.dataset)
    if not begin_validation(version):
        raise BusyError(WAITING)


def keep_issues(
    *,
    actor: Actor,
    version: Version,
    validator: str,
    issues: Sequence[Mapping[str, Any]],
    code_messages: Mapping[str, str],
) -> None:
    """Keep the issues that a validator elsewhere, of that version, has found in a version, for the verdict on it.

    They have the names of the official validator's output. What it has found before, or this archive's own validator,
    they replace; this one judges the files anew when it next looks at them, if it is of another version.
    """
    require(actor, Action.REPORT_WORK, version.dataset)
    if len(issues) > MAX_ISSUES or len(validator) > MAX_VALIDATOR:
        limits = f"at most {MAX_ISSUES} issues, by a validator whose version has at most {MAX_VALIDATOR} characters"
        raise InvalidError(f"A verdict has {limits}.", field="validation")
    output = counted(issues, code_messages)
    verdict = {
        "state": BidsVerdict.State.DONE,
        "reason": "",
        "validator": validator,
        "errors": output.errors,
        "warnings": output.warnings,
        "issues": output.issues,
        "codes": output.codes,
        "code_messages": output.code_messages,
    }
    _keep(version, verdict)


def keep_summary(*, actor: Actor, version: Version, summary: Mapping[str, Any]) -> None:
    """Keep the summary that a validator elsewhere gives of a version, by the names of the official validator's."""
    require(actor, Action.REPORT_WORK, version.dataset)
    if len(orjson.dumps(summary)) > MAX_SUMMARY:
        raise InvalidError(f"A summary has at most {MAX_SUMMARY} bytes.", field="summary")
    _keep(version, {"summary": {**summary}})


def _keep(version: Version, values: Mapping[str, Any]) -> None:
    tree = tree_of(version)
    if tree is None:
        raise BusyError(WAITING)
    with transaction.atomic():
        verdict, _ = BidsVerdict.objects.update_or_create(tree=hash_of(tree), defaults={**values})
        note_tree(version, verdict)
