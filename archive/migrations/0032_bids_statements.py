"""What owners state of a dataset beside its files, and the changes that tell of it and of deprecations."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("archive", "0031_bids_verdict_codes"),
    ]

    operations = [
        migrations.CreateModel(
            name="Statement",
            fields=[
                (
                    "dataset",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="statement",
                        serialize=False,
                        to="archive.dataset",
                    ),
                ),
                ("values", models.JSONField(default=dict)),
                ("modified", models.DateTimeField(auto_now=True)),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
        migrations.AlterField(
            model_name="change",
            name="kind",
            field=models.CharField(
                choices=[
                    ("create_dandiset", "Create Dataset"),
                    ("update_metadata", "Update Metadata"),
                    ("change_owners", "Change Owners"),
                    ("change_editors", "Change Editors"),
                    ("change_viewers", "Change Viewers"),
                    ("create_reviewer_link", "Create Reviewer Link"),
                    ("revoke_reviewer_link", "Revoke Reviewer Link"),
                    ("unembargo_dandiset", "Release"),
                    ("finish_unembargo", "Finish Release"),
                    ("add_asset", "Add Asset"),
                    ("update_asset", "Update Asset"),
                    ("remove_asset", "Remove Asset"),
                    ("change_assets", "Change Assets"),
                    ("create_zarr", "Create Zarr"),
                    ("finalize_zarr", "Finalize Zarr"),
                    ("ingest_zarr", "Ingest Zarr"),
                    ("publish_dandiset", "Publish"),
                    ("close_version", "Close Version"),
                    ("open_version", "Open Version"),
                    ("deprecate_version", "Deprecate Version"),
                    ("undo_deprecation", "Undo Deprecation"),
                    ("state_about_dandiset", "State"),
                    ("delete_version", "Delete Version"),
                    ("delete_dandiset", "Delete Dataset"),
                ],
                max_length=32,
            ),
        ),
    ]
