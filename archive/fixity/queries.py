"""The checks of the content of versions."""

from collections.abc import Collection

from django.db.models import F, Q

from archive.accounts.policy import Actor
from archive.datasets.models import Version
from archive.datasets.queries import versions_seen_by
from archive.fixity.models import ContentCheck


def checks_of_versions(actor: Actor, versions: Collection[Version]) -> dict[Version, ContentCheck]:
    """Return the last check of each of the versions that the actor may read.

    A draft has none while its files have changed since it was checked.
    """
    seen = versions_seen_by(actor, versions)
    is_current = Q(version__at__isnull=False) | Q(files_changed=F("version__files_changed"))
    rows = ContentCheck.objects.filter(is_current, version__in=seen).order_by("checked", "pk")
    return {seen[row.version_id]: _seen(seen[row.version_id], row) for row in rows}


def _seen(version: Version, check: ContentCheck) -> ContentCheck:
    """Return a check, not to be saved: without what workers have written freely, for who reads the version blinded."""
    if version.is_blinded:
        check.remote = ""
        check.failures = [{**each, "messages": [], "note": ""} for each in check.failures]
    return check
