"""Asking for validation, and keeping what validators elsewhere say."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from itertools import chain
from typing import Any

import orjson
from django.db import transaction

from archive.accounts.policy import Action, Actor, require
from archive.bids_validation.models import BidsVerdict
from archive.bids_validation.output import MAX_CODES, MAX_ISSUES, counted
from archive.bids_validation.tree import hash_of, tree_of
from archive.bids_validation.work import WAITING, begin_validation, note_tree
from archive.datasets.models import Version
from archive.errors import BusyError, InvalidError

MAX_SUMMARY = 2**22
MAX_VALIDATOR = 32
# Of an issue, or of the sentence that explains a code.
MAX_TEXT = 4000


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
    """Keep the issues that a validator elsewhere, of that version, has found in a version, as the verdict on it.

    They have the names of the official validator's output. They stand for this dataset alone, in the place of what was
    reported before, or judged by this archive's own validator, until that looks at the files again.
    """
    require(actor, Action.REPORT_WORK, version.dataset)
    _check_report(validator, issues, code_messages)
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
    with transaction.atomic():
        note_tree(version, _keep(version, verdict))


def _check_report(validator: str, issues: Sequence[Mapping[str, Any]], code_messages: Mapping[str, str]) -> None:
    if len(issues) > MAX_ISSUES or len(code_messages) > MAX_CODES or len(validator) > MAX_VALIDATOR:
        limits = f"{MAX_ISSUES} issues and {MAX_CODES} codes, by a validator of {MAX_VALIDATOR} characters"
        raise InvalidError(f"A verdict has at most {limits}.", field="validation")
    texts = chain(code_messages, code_messages.values(), *(issue.values() for issue in issues))
    if any(isinstance(text, str) and len(text) > MAX_TEXT for text in texts):
        raise InvalidError(f"A text of a verdict has at most {MAX_TEXT} characters.", field="validation")


def keep_summary(*, actor: Actor, version: Version, summary: Mapping[str, Any]) -> None:
    """Keep the summary that a validator elsewhere gives of a version, by the names of the official validator's.

    It is told with the issues of that validator, whichever come first.
    """
    require(actor, Action.REPORT_WORK, version.dataset)
    if len(orjson.dumps(summary)) > MAX_SUMMARY:
        raise InvalidError(f"A summary has at most {MAX_SUMMARY} bytes.", field="summary")
    if any(summary.get(name, 0) < 0 for name in ("size", "totalFiles")):
        raise InvalidError("Nothing has fewer than 0 bytes or files.", field="summary")
    _keep(version, {"summary": {**summary}})


def _keep(version: Version, values: Mapping[str, Any]) -> BidsVerdict:
    """Keep a part of the verdict that is reported on the tree of a version, which other datasets have nothing of."""
    tree = tree_of(version)
    if tree is None:
        raise BusyError(WAITING)
    name = sha256(f"{version.dataset_id} {hash_of(tree)}".encode()).hexdigest()
    verdict, _ = BidsVerdict.objects.update_or_create(tree=name, defaults={**values})
    return verdict
