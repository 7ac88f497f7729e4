"""What the BIDS validator says of trees of files."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0028_bids_documents"),
    ]

    operations = [
        migrations.CreateModel(
            name="BidsVerdict",
            fields=[
                ("tree", models.CharField(editable=False, max_length=64, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[("pending", "Pending"), ("done", "Done"), ("failed", "Failed")],
                        default="pending",
                        max_length=16,
                    ),
                ),
                ("reason", models.TextField(blank=True)),
                ("validator", models.CharField(blank=True, max_length=32)),
                ("errors", models.PositiveIntegerField(default=0)),
                ("warnings", models.PositiveIntegerField(default=0)),
                ("issues", models.JSONField(default=list)),
                ("code_messages", models.JSONField(default=dict)),
                ("summary", models.JSONField(default=dict)),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("modified", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("tree__regex", "^[0-9a-f]{64}$")), name="bids_verdict_tree_is_sha256"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("state__in", ["pending", "done", "failed"])),
                        name="bids_verdict_state_known",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="BidsTree",
            fields=[
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="bids_tree",
                        serialize=False,
                        to="archive.version",
                    ),
                ),
                ("files_changed", models.BigIntegerField()),
                (
                    "verdict",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.RESTRICT, related_name="trees", to="archive.bidsverdict"
                    ),
                ),
            ],
        ),
    ]
