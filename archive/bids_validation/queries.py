"""The verdicts on versions."""

from collections.abc import Collection
from typing import Any

import orjson
from django.db.models import F, Q, QuerySet

from archive.accounts.policy import Actor
from archive.bids_validation.models import BidsTree, BidsVerdict
from archive.datasets.models import Version
from archive.datasets.queries import versions_seen_by
from archive.statements import find_rows

# What may be long, and is not always asked for.
DETAILS = ("issues", "code_messages", "summary")
MAX_OF_FILE = 1000
ISSUES_OF_FILE = """
    SELECT issue::text
      FROM archive_bidsverdict,
           jsonb_path_query(issues, '$[*] ? (@.location == $location)',
                            jsonb_build_object('location', %(location)s::text)) AS issue
     WHERE tree = %(tree)s LIMIT %(limit)s
"""


def verdicts_of_versions(actor: Actor, versions: Collection[Version]) -> dict[Version, BidsVerdict]:
    """Return the verdict on each of the versions that the actor may read, without its issues and its summary.

    A draft has none while its files have changed since they were looked at.
    """
    seen = versions_seen_by(actor, versions)
    rows = trees_up_to_date().filter(version__in=seen).select_related("verdict")
    details = [f"verdict__{name}" for name in DETAILS]
    return {seen[row.pk]: row.verdict for row in rows.defer(*details)}


def find_verdict(actor: Actor, version: Version) -> BidsVerdict | None:
    """Return the verdict on a version, without its issues, as `verdicts_of_versions` does; None if there is none."""
    return verdicts_of_versions(actor, [version]).get(version)


def trees_up_to_date() -> QuerySet[BidsTree]:
    """Return the trees that versions have: of a draft, unless its files have changed since."""
    is_current = Q(version__at__isnull=False) | Q(files_changed=F("version__files_changed"))
    return BidsTree.objects.filter(is_current)


def details_of_verdicts(verdicts: Collection[BidsVerdict]) -> dict[BidsVerdict, BidsVerdict]:
    """Return verdicts, which their asker was given, with all their issues."""
    found = BidsVerdict.objects.in_bulk([verdict.pk for verdict in verdicts])
    return {verdict: found[verdict.pk] for verdict in verdicts if verdict.pk in found}


def summaries_of_verdicts(verdicts: Collection[BidsVerdict]) -> dict[BidsVerdict, dict[str, Any]]:
    """Return the summaries of verdicts, which their asker was given."""
    found = dict(BidsVerdict.objects.filter(pk__in=[each.pk for each in verdicts]).values_list("pk", "summary"))
    return {verdict: found[verdict.pk] for verdict in verdicts if verdict.pk in found}


def issues_of_file(actor: Actor, version: Version, path: str) -> list[dict[str, Any]]:
    """Return the issues that are about one file of a version, at most MAX_OF_FILE, as the actor may see them."""
    verdict = find_verdict(actor, version)
    if verdict is None or not verdict.codes:
        return []
    rows = find_rows(ISSUES_OF_FILE, {"tree": verdict.pk, "location": f"/{path}", "limit": MAX_OF_FILE})
    return [_seen_in(version, orjson.loads(issue)) for (issue,) in rows]


def issues_seen_in(version: Version, details: BidsVerdict) -> list[dict[str, Any]]:
    """Return the issues of a verdict on a version, from its details, as who was given the version may see them."""
    return [_seen_in(version, issue) for issue in details.issues]


def _seen_in(version: Version, issue: dict[str, Any]) -> dict[str, Any]:
    """Return an issue, without its message for who reads the version blinded: that repeats the value it is about."""
    if not version.is_blinded:
        return issue
    return {name: value for name, value in issue.items() if name != "issueMessage"}
