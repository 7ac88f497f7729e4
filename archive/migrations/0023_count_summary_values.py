"""What the assets of drafts contribute is counted, dataset by dataset: in a moment of each, nobody writes assets."""

from django.db import migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# Whoever has written assets has been counted, and whoever is about to waits.
ALONE = "LOCK TABLE archive_asset IN SHARE ROW EXCLUSIVE MODE"
FORGET = "DELETE FROM archive_summaryvalue WHERE dataset_id = %s"
COUNT = """
INSERT INTO archive_summaryvalue (dataset_id, part, digest, value, asset_count)
SELECT dataset_id, part, digest, value, sum(assets)
  FROM (SELECT dataset_id, contribution, count(*) AS assets
          FROM archive_asset
         WHERE dataset_id = %s AND retired IS NULL AND contribution IS NOT NULL
         GROUP BY dataset_id, contribution) AS contributed,
       archive_values_of(contribution)
 GROUP BY dataset_id, part, digest, value
"""


def count(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Count the values of each dataset, whatever has been counted of it so far."""
    datasets = apps.get_model("archive", "Dataset").objects.order_by("pk").values_list("pk", flat=True)
    for number in datasets:
        with transaction.atomic(), schema_editor.connection.cursor() as cursor:
            cursor.execute(ALONE)
            cursor.execute(FORGET, [number])
            cursor.execute(COUNT, [number])


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("archive", "0022_summary_values")]

    operations = [migrations.RunPython(count, migrations.RunPython.noop)]
