"""The verdicts on versions."""

from collections.abc import Collection
from typing import Any

from django.db.models import F, Q, QuerySet

from archive.accounts.policy import Actor
from archive.bids_validation.models import BidsTree, BidsVerdict
from archive.datasets.models import Version
from archive.datasets.queries import blinded_for, readable_among

# What may be long, and is not always asked for.
DETAILS = ("issues", "code_messages", "summary")


def verdicts_of_versions(actor: Actor, versions: Collection[Version]) -> dict[Version, BidsVerdict]:
    """Return the verdict on each of the versions that the actor may read, without its issues and its summary.

    A draft has none while its files have changed since they were looked at.
    """
    readable = readable_among(actor, [version.dataset for version in versions])
    seen = {version.pk: version for each in readable for version in blinded_for(actor, each, _of(each.pk, versions))}
    rows = trees_up_to_date().filter(version__in=seen).select_related("verdict")
    details = [f"verdict__{name}" for name in DETAILS]
    return {seen[row.pk]: row.verdict for row in rows.defer(*details)}


def find_verdict(actor: Actor, version: Version) -> BidsVerdict | None:
    """Return the verdict on a version, without its issues, as `verdicts_of_versions` does; None if there is none."""
    return verdicts_of_versions(actor, [version]).get(version)


def _of(number: int, versions: Collection[Version]) -> list[Version]:
    return [version for version in versions if version.dataset_id == number]


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


def issues_seen_in(version: Version, details: BidsVerdict) -> list[dict[str, Any]]:
    """Return the issues of a verdict on a version, as `details_of_verdicts` has them.

    Without messages for who reads the version blinded: they repeat the values that they are about.
    """
    issues: list[dict[str, Any]] = details.issues
    if not version.is_blinded:
        return issues
    return [{name: value for name, value in issue.items() if name != "issueMessage"} for issue in issues]
