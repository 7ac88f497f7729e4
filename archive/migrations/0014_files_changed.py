"""The draft says which change last brought or took a file of it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0013_paths_in_any_case")]

    operations = [
        migrations.AddField("version", "files_changed", models.BigIntegerField(default=0, editable=False)),
    ]
