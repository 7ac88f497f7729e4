"""The assets that wait to be validated are found in the order in which they wait."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("archive", "0010_receptions")]

    operations = [
        migrations.RemoveIndex("asset", "asset_unsettled"),
        migrations.AddIndex(
            "asset",
            models.Index(
                fields=["dataset", "status", "modified", "id"],
                condition=Q(retired__isnull=True) & ~Q(status="Valid"),
                name="asset_unsettled",
            ),
        ),
    ]
