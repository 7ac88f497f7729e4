"""Assets may be Zarr archives: revisions of entries."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0004_embargo"),
    ]

    operations = [
        migrations.AlterField(
            model_name="asset",
            name="blob",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="assets", to="archive.blob"
            ),
        ),
        migrations.AlterField(
            model_name="change",
            name="kind",
            field=models.CharField(
                choices=[
                    ("create_dandiset", "Create Dataset"),
                    ("update_metadata", "Update Metadata"),
                    ("change_owners", "Change Owners"),
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
                    ("delete_version", "Delete Version"),
                    ("delete_dandiset", "Delete Dataset"),
                ],
                max_length=32,
            ),
        ),
        migrations.CreateModel(
            name="ZarrArchive",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=512)),
                (
                    "status",
                    models.CharField(
                        choices=[
                            ("Pending", "Pending"),
                            ("Uploaded", "Uploaded"),
                            ("Ingesting", "Ingesting"),
                            ("Complete", "Complete"),
                        ],
                        default="Pending",
                        max_length=16,
                    ),
                ),
                ("checksum", models.CharField(blank=True, max_length=80, null=True)),
                ("file_count", models.BigIntegerField(default=0)),
                ("size", models.BigIntegerField(default=0)),
                ("revision", models.BigIntegerField(default=0)),
                ("missing", models.JSONField(default=list)),
                ("opened", models.BigIntegerField(default=0)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("modified", models.DateTimeField(auto_now=True)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="zarrs", to="archive.dataset"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="asset",
            name="zarr",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.RESTRICT, related_name="assets", to="archive.zarrarchive"
            ),
        ),
        migrations.CreateModel(
            name="ZarrEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("path", models.CharField(db_collation="C", max_length=512)),
                ("md5", models.CharField(db_collation="C", max_length=32)),
                ("size", models.BigIntegerField(null=True)),
                ("modified", models.DateTimeField()),
                ("introduced", models.BigIntegerField(null=True)),
                ("retired", models.BigIntegerField(null=True)),
                (
                    "zarr",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="entries",
                        to="archive.zarrarchive",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ZarrRevision",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("number", models.BigIntegerField()),
                ("checksum", models.CharField(max_length=80)),
                ("file_count", models.BigIntegerField()),
                ("size", models.BigIntegerField()),
                ("created", models.DateTimeField(auto_now_add=True)),
                (
                    "zarr",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="revisions", to="archive.zarrarchive"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="asset",
            name="zarr_revision",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.RESTRICT,
                related_name="assets",
                to="archive.zarrrevision",
            ),
        ),
        migrations.AddConstraint(
            model_name="asset",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("blob__isnull", False), ("zarr__isnull", True), ("zarr_revision__isnull", True)),
                    models.Q(("blob__isnull", True), ("zarr__isnull", False)),
                    _connector="OR",
                ),
                name="asset_is_blob_or_zarr",
            ),
        ),
        migrations.AddConstraint(
            model_name="zarrarchive",
            constraint=models.UniqueConstraint(fields=("dataset", "name"), name="zarr_name_once_in_dataset"),
        ),
        migrations.AddConstraint(
            model_name="zarrarchive",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("checksum__isnull", False), ("status", "Complete")),
                    models.Q(
                        ("checksum__isnull", True),
                        ("file_count", 0),
                        ("size", 0),
                        ("status__in", ["Pending", "Uploaded", "Ingesting"]),
                    ),
                    _connector="OR",
                ),
                name="zarr_checksum_when_complete",
            ),
        ),
        migrations.AddConstraint(
            model_name="zarrarchive",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("checksum__isnull", True), ("checksum__regex", "^[0-9a-f]{32}-\\d+--\\d+$"), _connector="OR"
                ),
                name="zarr_checksum_format",
            ),
        ),
        migrations.AddConstraint(
            model_name="zarrarchive",
            constraint=models.CheckConstraint(
                condition=models.Q(("file_count__gte", 0), ("revision__gte", 0), ("size__gte", 0)), name="zarr_sane"
            ),
        ),
        migrations.AddIndex(
            model_name="zarrentry",
            index=models.Index(fields=["zarr", "path", "introduced"], include=("retired",), name="zarr_entry_by_path"),
        ),
        migrations.AddIndex(
            model_name="zarrentry",
            index=models.Index(fields=["zarr", "id"], name="zarr_entry_by_age"),
        ),
        migrations.AddIndex(
            model_name="zarrentry",
            index=models.Index(
                condition=models.Q(("introduced__isnull", True), ("size__isnull", True)),
                fields=["zarr", "md5"],
                name="zarr_entry_awaited",
            ),
        ),
        migrations.AddConstraint(
            model_name="zarrentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("introduced__isnull", False), ("retired__isnull", True)),
                fields=("zarr", "path"),
                name="zarr_entry_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="zarrentry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("introduced__isnull", True)),
                fields=("zarr", "path"),
                name="zarr_entry_pending_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="zarrentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("md5__regex", "^[0-9a-f]{32}$")), name="zarr_entry_md5_format"
            ),
        ),
        migrations.AddConstraint(
            model_name="zarrentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("introduced__isnull", True), ("retired__isnull", True)),
                    models.Q(("introduced__isnull", False), ("size__isnull", False)),
                    _connector="OR",
                ),
                name="zarr_entry_arrived_when_introduced",
            ),
        ),
        migrations.AddConstraint(
            model_name="zarrentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("retired__isnull", True), ("retired__gt", models.F("introduced")), _connector="OR"),
                name="zarr_entry_retired_later",
            ),
        ),
        migrations.AddConstraint(
            model_name="zarrrevision",
            constraint=models.UniqueConstraint(fields=("zarr", "number"), name="zarr_revision_once"),
        ),
        migrations.AddConstraint(
            model_name="zarrrevision",
            constraint=models.CheckConstraint(
                condition=models.Q(("file_count__gte", 0), ("number__gt", 0), ("size__gte", 0)),
                name="zarr_revision_sane",
            ),
        ),
    ]
