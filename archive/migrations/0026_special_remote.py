"""Histories of repositories remember the special remote that they began with."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0025_datalad_id")]

    operations = [
        migrations.AddField(
            model_name="repository",
            name="special_remote",
            field=models.JSONField(blank=True, db_default={}, default=dict),
        ),
    ]
