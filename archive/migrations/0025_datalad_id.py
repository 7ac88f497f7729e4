"""Histories of repositories that begin from now on have a first commit of their own, with an id for DataLad."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("archive", "0024_annex_pushes")]

    operations = [
        migrations.AddField(
            model_name="repository", name="datalad_id", field=models.UUIDField(editable=False, null=True)
        ),
    ]
