"""Datasets have editors; people have a UUID and perhaps an ORCID iD; roles wait for an ORCID iD or a name too.

Safe beside code of before, which knows of invitations by their addresses alone: their column stays where it is.
"""

from uuid import uuid4

from django.contrib.postgres.functions import RandomUUID
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Lower

ROLES = [("owner", "Owner"), ("editor", "Editor"), ("viewer", "Viewer")]


class Migration(migrations.Migration):
    dependencies = [("archive", "0019_names_and_rules")]

    operations = [
        migrations.AddField(
            "user", "uuid", models.UUIDField(db_default=RandomUUID(), default=uuid4, editable=False, unique=True)
        ),
        migrations.AddField("user", "orcid", models.CharField(editable=False, max_length=19, null=True, unique=True)),
        migrations.AddConstraint(
            "user",
            models.CheckConstraint(
                condition=Q(orcid__isnull=True) | Q(orcid__regex=r"^[0-9]{4}-[0-9]{4}-[0-9]{4}-[0-9]{3}[0-9X]$"),
                name="user_orcid_format",
            ),
        ),
        migrations.AlterField("grant", "role", models.CharField(choices=ROLES, default="owner", max_length=16)),
        migrations.RemoveConstraint("grant", "grant_role_known"),
        migrations.AddConstraint(
            "grant",
            models.CheckConstraint(condition=Q(role__in=["owner", "editor", "viewer"]), name="grant_role_known"),
        ),
        migrations.AddField(
            "invitation",
            "kind",
            models.CharField(
                choices=[("address", "Address"), ("orcid", "Orcid"), ("name", "Name")],
                db_default="address",
                default="address",
                max_length=8,
            ),
        ),
        migrations.AlterField("invitation", "role", models.CharField(choices=ROLES, max_length=16)),
        migrations.RemoveConstraint("invitation", "invitation_role_known"),
        migrations.RemoveConstraint("invitation", "invitation_once_per_address"),
        migrations.RemoveConstraint("invitation", "invitation_address_in_lower_case"),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RenameField("invitation", "address", "value"),
                migrations.AlterField(
                    "invitation", "value", models.CharField(db_column="address", db_index=True, max_length=254)
                ),
            ]
        ),
        migrations.AddConstraint(
            "invitation", models.UniqueConstraint(fields=["dataset", "value"], name="invitation_once_per_address")
        ),
        migrations.AddConstraint(
            "invitation",
            models.CheckConstraint(condition=Q(role__in=["owner", "editor", "viewer"]), name="invitation_role_known"),
        ),
        migrations.AddConstraint(
            "invitation",
            models.CheckConstraint(condition=Q(kind__in=["address", "orcid", "name"]), name="invitation_kind_known"),
        ),
        migrations.AddConstraint(
            "invitation",
            models.CheckConstraint(condition=Q(value=Lower("value")), name="invitation_address_in_lower_case"),
        ),
        migrations.AlterField(
            "change",
            "kind",
            models.CharField(
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
                    ("delete_version", "Delete Version"),
                    ("delete_dandiset", "Delete Dataset"),
                ],
                max_length=32,
            ),
        ),
    ]
