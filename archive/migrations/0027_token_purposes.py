"""Tokens may be for one purpose, and one dataset."""

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("archive", "0026_special_remote")]

    operations = [
        migrations.AddField(
            model_name="token",
            name="purpose",
            field=models.CharField(
                choices=[
                    ("account", "Account"),
                    ("session", "Session"),
                    ("upload", "Upload"),
                    ("repository", "Repository"),
                ],
                db_default="account",
                default="account",
                editable=False,
                max_length=16,
            ),
        ),
        migrations.AddField(
            model_name="token",
            name="dataset",
            field=models.ForeignKey(
                db_index=False,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="tokens",
                to="archive.dataset",
            ),
        ),
        migrations.AddIndex(
            model_name="token",
            index=models.Index(condition=Q(dataset__isnull=False), fields=["dataset"], name="token_by_dataset"),
        ),
        migrations.AddConstraint(
            model_name="token",
            constraint=models.CheckConstraint(
                condition=Q(dataset__isnull=True, purpose__in=["account", "session"])
                | Q(dataset__isnull=False, purpose__in=["upload", "repository"]),
                name="token_purpose_has_dataset",
            ),
        ),
    ]
