"""Postgres keeps count of what the assets of a draft contribute to its summary.

Code of before goes on beside it: triggers count, whoever writes assets. The next migration counts those that are there.
"""

import django.db.models.deletion
from django.db import migrations, models

VALUES = """
CREATE FUNCTION archive_values_of(contribution jsonb) RETURNS TABLE (part text, digest bytea, value jsonb)
LANGUAGE sql STABLE AS $$
    SELECT part, sha256(convert_to(value::text, 'UTF8')), value
      FROM jsonb_each(contribution) AS parts(part, contents), jsonb_array_elements(contents) AS elements(value)
$$
"""
# What a statement changes is summed up before it is written: a batch of files that are alike writes each value once.
# A count that comes to nothing stays: all are sums, so it does not matter who commits first.
COUNT = """
CREATE FUNCTION archive_count_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH changed AS (
        SELECT dataset_id, part, digest, value, sum(assets) AS assets
          FROM (SELECT dataset_id, contribution, sum(assets) AS assets
                  FROM ({changes}) AS changes
                 WHERE retired IS NULL AND contribution IS NOT NULL
                 GROUP BY dataset_id, contribution
                HAVING sum(assets) <> 0) AS contributions,
               archive_values_of(contribution)
         GROUP BY dataset_id, part, digest, value
    ), fewer AS (
        UPDATE archive_summaryvalue AS kept
           SET asset_count = asset_count + assets
          FROM changed
         WHERE assets < 0
           AND (kept.dataset_id, kept.part, kept.digest) = (changed.dataset_id, changed.part, changed.digest)
    )
    INSERT INTO archive_summaryvalue AS kept (dataset_id, part, digest, value, asset_count)
    SELECT dataset_id, part, digest, value, assets FROM changed WHERE assets > 0 ORDER BY dataset_id, part, digest
        ON CONFLICT (dataset_id, part, digest) DO UPDATE SET asset_count = kept.asset_count + EXCLUDED.asset_count;
    RETURN NULL;
END $$;
CREATE TRIGGER archive_asset_counted_by_{event} AFTER {event} ON archive_asset
    REFERENCING {tables} FOR EACH STATEMENT EXECUTE FUNCTION archive_count_{event}();
"""
CAME = "SELECT dataset_id, retired, contribution, 1 AS assets FROM came"
LEFT = "SELECT dataset_id, retired, contribution, -1 AS assets FROM gone"
EVENTS = {
    "insert": (CAME, "NEW TABLE AS came"),
    "update": (f"{CAME} UNION ALL {LEFT}", "NEW TABLE AS came OLD TABLE AS gone"),
    "delete": (LEFT, "OLD TABLE AS gone"),
}
COUNTS = [COUNT.format(event=event, changes=changes, tables=tables) for event, (changes, tables) in EVENTS.items()]
NO_COUNTS = [
    f"DROP TRIGGER archive_asset_counted_by_{event} ON archive_asset; DROP FUNCTION archive_count_{event}()"
    for event in EVENTS
]


class Migration(migrations.Migration):
    dependencies = [("archive", "0021_batches")]

    operations = [
        migrations.CreateModel(
            name="SummaryValue",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("part", models.CharField(max_length=32)),
                ("digest", models.BinaryField()),
                ("value", models.JSONField()),
                ("asset_count", models.BigIntegerField()),
                (
                    "dataset",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="summary_values",
                        to="archive.dataset",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("dataset", "part", "digest"), name="summary_value_counted_once")
                ],
            },
        ),
        migrations.RunSQL(VALUES, "DROP FUNCTION archive_values_of"),
        migrations.RunSQL(COUNTS, NO_COUNTS),
    ]
