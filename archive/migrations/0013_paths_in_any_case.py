"""Paths are found in any case, whatever language they are written in."""

from django.db import migrations, models

import archive.assets.models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0012_empty_files"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="asset",
            name="asset_by_upper_path",
        ),
        migrations.AddIndex(
            model_name="asset",
            index=models.Index(models.F("dataset"), archive.assets.models.Folded("path"), name="asset_by_folded_path"),
        ),
        migrations.AddIndex(
            model_name="folder",
            index=models.Index(
                models.F("dataset"),
                archive.assets.models.Folded("path"),
                condition=models.Q(("retired__isnull", True)),
                name="folder_by_folded_path",
            ),
        ),
    ]
