"""An address is an identity once it is proven: what was granted to others becomes an invitation.

Accounts without a row for their address were made by whoever runs the archive, who knew whose it is.
"""

from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q
from django.db.models.functions import Lower


def vouch_for_accounts_made_by_hand(apps: Any, schema_editor: Any) -> None:
    user_model, address_model = apps.get_model("archive", "User"), apps.get_model("account", "EmailAddress")
    proven = set(address_model.objects.filter(verified=True).values_list("email", flat=True))
    known = address_model.objects.values("user_id")
    for user in user_model.objects.exclude(pk__in=known).exclude(email="").order_by("pk"):
        address = user.email.lower()
        if address not in proven:
            address_model.objects.create(user=user, email=address, verified=True, primary=True)
            proven.add(address)


def invite_whoever_has_proven_nothing(apps: Any, schema_editor: Any) -> None:
    grant_model, invitation_model = apps.get_model("archive", "Grant"), apps.get_model("archive", "Invitation")
    change_model, address_model = apps.get_model("archive", "Change"), apps.get_model("account", "EmailAddress")
    proven = address_model.objects.filter(verified=True).values("user_id")
    created = change_model.objects.filter(kind="create_dandiset", dataset_id=models.OuterRef("dataset_id"))
    own = models.Exists(created.filter(user_id=models.OuterRef("user_id")))
    unproven = grant_model.objects.exclude(user__in=proven).filter(user__github_login="", user__username__contains="@")
    for grant in unproven.filter(~own).select_related("user"):
        facts = {"dataset_id": grant.dataset_id, "address": grant.user.username.lower()}
        invitation_model.objects.get_or_create(**facts, defaults={"role": grant.role})
        grant.delete()


class Migration(migrations.Migration):
    dependencies = [("archive", "0014_files_changed"), ("account", "0009_emailaddress_unique_primary_email")]

    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("address", models.EmailField(db_index=True, max_length=254)),
                ("role", models.CharField(choices=[("owner", "Owner"), ("viewer", "Viewer")], max_length=16)),
                ("created", models.DateTimeField(auto_now_add=True)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="invitations", to="archive.dataset"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("dataset", "address"), name="invitation_once_per_address"),
                    models.CheckConstraint(
                        condition=Q(("role__in", ["owner", "viewer"])), name="invitation_role_known"
                    ),
                    models.CheckConstraint(
                        condition=Q(("address", Lower("address"))), name="invitation_address_in_lower_case"
                    ),
                ],
            },
        ),
        migrations.RunPython(vouch_for_accounts_made_by_hand, migrations.RunPython.noop),
        migrations.RunPython(invite_whoever_has_proven_nothing, migrations.RunPython.noop),
    ]
