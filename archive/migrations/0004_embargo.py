"""Embargoes end, viewers and reviewer links read."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0003_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="EmbargoNotice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("end", models.DateField()),
                ("days", models.PositiveSmallIntegerField()),
                ("sent", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.CreateModel(
            name="ReviewerLink",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("label", models.CharField(max_length=100)),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("hint", models.CharField(max_length=12)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("expires", models.DateTimeField()),
                ("last_used", models.DateTimeField(editable=False, null=True)),
                ("revoked", models.DateTimeField(editable=False, null=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="grant",
            name="grant_role_known",
        ),
        migrations.AddField(
            model_name="dataset",
            name="released",
            field=models.BigIntegerField(editable=False, null=True),
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
                    ("publish_dandiset", "Publish"),
                    ("delete_version", "Delete Version"),
                    ("delete_dandiset", "Delete Dataset"),
                ],
                max_length=32,
            ),
        ),
        migrations.AlterField(
            model_name="grant",
            name="role",
            field=models.CharField(choices=[("owner", "Owner"), ("viewer", "Viewer")], default="owner", max_length=16),
        ),
        migrations.AddConstraint(
            model_name="dataset",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("access", "EMBARGOED"), ("released__isnull", False), _negated=True),
                    models.Q(("access", "UNEMBARGOING"), ("released__isnull", True), _negated=True),
                ),
                name="dataset_released_once_embargo_ends",
            ),
        ),
        migrations.AddConstraint(
            model_name="grant",
            constraint=models.CheckConstraint(
                condition=models.Q(("role__in", ["owner", "viewer"])), name="grant_role_known"
            ),
        ),
        migrations.AddField(
            model_name="embargonotice",
            name="dataset",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="embargo_notices", to="archive.dataset"
            ),
        ),
        migrations.AddField(
            model_name="reviewerlink",
            name="creator",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="reviewer_links", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="reviewerlink",
            name="dataset",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="reviewer_links", to="archive.dataset"
            ),
        ),
        migrations.AddConstraint(
            model_name="embargonotice",
            constraint=models.UniqueConstraint(fields=("dataset", "end", "days"), name="embargo_notice_once"),
        ),
        migrations.AddConstraint(
            model_name="embargonotice",
            constraint=models.CheckConstraint(condition=models.Q(("days__gt", 0)), name="embargo_notice_is_ahead"),
        ),
        migrations.AddConstraint(
            model_name="reviewerlink",
            constraint=models.CheckConstraint(
                condition=models.Q(("digest__regex", "^[0-9a-f]{64}$")), name="reviewer_link_digest_is_sha256"
            ),
        ),
        migrations.AddConstraint(
            model_name="reviewerlink",
            constraint=models.CheckConstraint(
                condition=models.Q(("expires__gt", models.F("created"))), name="reviewer_link_expires_later"
            ),
        ),
    ]
