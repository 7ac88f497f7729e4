"""Verdicts count their issues by codes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0030_upload_sessions")]

    operations = [
        migrations.AddField(
            model_name="bidsverdict",
            name="codes",
            field=models.JSONField(db_default=[], default=list),
        ),
    ]
