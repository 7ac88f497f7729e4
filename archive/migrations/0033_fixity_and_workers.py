"""Checks of content, tokens of workers and indexers, and tasks that workers report."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q

PURPOSES = [
    ("account", "Account"),
    ("session", "Session"),
    ("upload", "Upload"),
    ("repository", "Repository"),
    ("worker", "Worker"),
    ("indexer", "Indexer"),
]


class Migration(migrations.Migration):
    dependencies = [("archive", "0032_bids_statements")]

    operations = [
        migrations.CreateModel(
            name="ContentCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("remote", models.CharField(blank=True, max_length=100)),
                ("files_changed", models.BigIntegerField()),
                ("count", models.PositiveIntegerField()),
                ("failures", models.JSONField(default=list)),
                ("checked", models.DateTimeField(auto_now=True)),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="content_checks",
                        to="archive.version",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=["version", "remote"], name="content_check_once_in_a_place")
                ],
            },
        ),
        migrations.CreateModel(
            name="ReportedTask",
            fields=[
                ("id", models.CharField(max_length=200, primary_key=True, serialize=False)),
                ("name", models.CharField(blank=True, max_length=200)),
                ("worker", models.CharField(blank=True, max_length=200)),
                ("args", models.JSONField(null=True)),
                ("kwargs", models.JSONField(null=True)),
                ("error", models.TextField(blank=True)),
                ("execution_time", models.BigIntegerField(null=True)),
                ("queued", models.DateTimeField(null=True)),
                ("started", models.DateTimeField(null=True)),
                ("finished", models.DateTimeField(null=True)),
                ("reported", models.DateTimeField(auto_now=True, db_index=True)),
            ],
        ),
        migrations.AlterField(
            model_name="token",
            name="purpose",
            field=models.CharField(
                choices=PURPOSES, db_default="account", default="account", editable=False, max_length=16
            ),
        ),
        migrations.RenameField(model_name="deprecation", old_name="created", new_name="modified"),
        migrations.RemoveConstraint(model_name="token", name="token_purpose_has_dataset"),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=Q(dataset__isnull=True, purpose__in=["account", "session"])
                | Q(dataset__isnull=False, purpose__in=["upload", "repository"])
                | Q(purpose="worker")
                | Q(dataset__isnull=True, purpose="indexer", scope="read"),
                name="token_purpose_has_dataset",
            ),
        ),
    ]
