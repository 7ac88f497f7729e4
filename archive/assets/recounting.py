"""The sums of folders and the counts behind summaries, held against the assets they are about."""

from django.db import transaction

from archive import paths
from archive.accounts.policy import Action, Actor, require
from archive.assets.folders import BATCH_SIZE, Sums, deepest_first, deltas_of, live_folders, new_folder, replace_folders
from archive.assets.models import SummaryValue
from archive.assets.queries import live_assets
from archive.datasets.models import Dataset, Version
from archive.timeline.models import Change
from archive.timeline.services import append, hold

_MISCOUNTED = """
WITH counted AS (
    SELECT part, digest, value, sum(assets)::bigint AS assets
      FROM (SELECT contribution, count(*) AS assets
              FROM archive_asset
             WHERE dataset_id = %(dataset)s AND retired IS NULL AND contribution IS NOT NULL
             GROUP BY contribution) AS contributions,
           archive_values_of(contribution)
     GROUP BY part, digest, value
), kept AS (
    SELECT part, digest, value, asset_count FROM archive_summaryvalue WHERE dataset_id = %(dataset)s
)
SELECT NULL AS id, %(dataset)s AS dataset_id, part, digest,
       COALESCE(counted.value, kept.value) AS value, COALESCE(assets, 0) AS asset_count
  FROM counted FULL JOIN kept USING (part, digest)
 WHERE COALESCE(assets, 0) <> COALESCE(asset_count, 0)
 ORDER BY part, digest
"""


def recount_folders(*, actor: Actor, dataset: Dataset, dry_run: bool = False) -> list[str]:
    """Hold the sums of the draft's folders, and of the draft, against its assets; returns the folders that are wrong.

    Unless it is a `dry_run` they are put right, as a change. It is for administrators: it does what never is needed,
    unless somebody has changed rows by other means.
    """
    require(actor, Action.LIST_USERS)
    with transaction.atomic():
        hold(dataset.number)
        files = live_assets(dataset).values_list("path", "size").iterator(chunk_size=BATCH_SIZE)
        sums = deltas_of((path, 1, size) for path, size in files)
        for path in deepest_first(sums):
            if path:
                sums[paths.parent(path)].children += 1
        rows = {row.path: row for row in live_folders(dataset.number)}
        kept = {path: Sums(row.file_count, row.size, row.child_count) for path, row in rows.items()}
        wrong = sorted(path for path in {*sums, *kept} if sums.get(path) != kept.get(path))
        if wrong and not dry_run:
            change = append(dataset.number, Change.Kind.CHANGE_ASSETS, actor, {"recounted_folders": len(wrong)})
            old = [rows[path] for path in wrong if path in rows]
            replace_folders(change, old, [new_folder(change, path, sums[path]) for path in wrong if path in sums])
            whole = sums.get("", Sums())
            draft = Version.objects.filter(dataset=dataset, version=Version.DRAFT)
            draft.update(file_count=whole.files, size=whole.size, status=Version.Status.PENDING)
    return wrong


def recount_summary(*, actor: Actor, dataset: Dataset, dry_run: bool = False) -> list[str]:
    """Hold the counts behind the summary of the draft against its assets; returns the values that are counted wrong.

    Unless it is a `dry_run` they are put right, as a change. It is for administrators, like `recount_folders`.
    """
    require(actor, Action.LIST_USERS)
    with transaction.atomic():
        hold(dataset.number)
        # Each has the right count already, but is not saved.
        wrong = list(SummaryValue.objects.raw(_MISCOUNTED, {"dataset": dataset.number}))
        if wrong and not dry_run:
            append(dataset.number, Change.Kind.CHANGE_ASSETS, actor, {"recounted_values": len(wrong)})
            SummaryValue.objects.bulk_create(
                wrong, update_conflicts=True, update_fields=["asset_count"], unique_fields=["dataset", "part", "digest"]
            )
            draft = Version.objects.filter(dataset=dataset, version=Version.DRAFT)
            draft.update(status=Version.Status.PENDING)
    return [str(value) for value in wrong]
