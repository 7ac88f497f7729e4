"""Content known by the keys of git-annex, and received by them."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0009_snapshots"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reception",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("hash_name", models.CharField(max_length=8)),
                ("digest", models.CharField(max_length=64)),
                ("size", models.BigIntegerField()),
                ("multipart_id", models.CharField(max_length=1024)),
                ("part_md5s", models.JSONField(default=list)),
                ("holder", models.UUIDField(editable=False, null=True)),
                ("held_until", models.DateTimeField(null=True)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("modified", models.DateTimeField(auto_now=True)),
            ],
        ),
        migrations.AddField(
            model_name="blob",
            name="md5",
            field=models.CharField(blank=True, max_length=32, null=True),
        ),
        migrations.AddField(
            model_name="blob",
            name="received_for",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="received_blobs",
                to="archive.dataset",
            ),
        ),
        migrations.AlterField(
            model_name="garbageevent",
            name="kind",
            field=models.CharField(
                choices=[
                    ("assets", "Assets"),
                    ("blobs", "Blobs"),
                    ("uploads", "Uploads"),
                    ("receptions", "Receptions"),
                ],
                max_length=16,
            ),
        ),
        migrations.AddIndex(
            model_name="blob",
            index=models.Index(condition=models.Q(("md5__isnull", False)), fields=["md5"], name="blob_by_md5"),
        ),
        migrations.AddIndex(
            model_name="blob",
            index=models.Index(
                condition=models.Q(("received_for__isnull", False)), fields=["received_for"], name="blob_by_dataset"
            ),
        ),
        migrations.AddIndex(
            model_name="zarrentry",
            index=models.Index(
                condition=models.Q(("introduced__isnull", False)), fields=["md5", "zarr"], name="zarr_entry_by_md5"
            ),
        ),
        migrations.AddConstraint(
            model_name="blob",
            constraint=models.CheckConstraint(
                condition=models.Q(("md5__isnull", True), ("md5__regex", "^[0-9a-f]{32}$"), _connector="OR"),
                name="blob_md5_format",
            ),
        ),
        migrations.AddField(
            model_name="reception",
            name="dataset",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="receptions", to="archive.dataset"
            ),
        ),
        migrations.AddField(
            model_name="reception",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="receptions", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="reception",
            constraint=models.UniqueConstraint(
                fields=("dataset", "user", "hash_name", "digest", "size"), name="reception_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="reception",
            constraint=models.CheckConstraint(
                condition=models.Q(("size__range", (1, 5497558138880))), name="reception_size_possible"
            ),
        ),
        migrations.AddConstraint(
            model_name="reception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("digest__regex", "^[0-9a-f]{64}$"), ("hash_name", "SHA256")),
                    models.Q(("digest__regex", "^[0-9a-f]{32}$"), ("hash_name", "MD5")),
                    _connector="OR",
                ),
                name="reception_digest_format",
            ),
        ),
        migrations.AddConstraint(
            model_name="reception",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("held_until__isnull", True), ("holder__isnull", True)),
                    models.Q(("held_until__isnull", False), ("holder__isnull", False)),
                    _connector="OR",
                ),
                name="reception_held_until",
            ),
        ),
    ]
