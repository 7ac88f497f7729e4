"""What people push as `git-annex` is remembered, so that the archive can go on from it again."""

import django.db.models.deletion
from django.db import migrations, models

CASCADE = django.db.models.deletion.CASCADE


class Migration(migrations.Migration):
    dependencies = [("archive", "0023_count_summary_values")]

    operations = [
        migrations.CreateModel(
            name="AnnexPush",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sha", models.CharField(max_length=40)),
                ("author_name", models.CharField(max_length=301)),
                ("recorded", models.DateTimeField()),
                (
                    "follows",
                    models.ForeignKey(null=True, on_delete=CASCADE, related_name="+", to="archive.commit"),
                ),
                (
                    "repository",
                    models.ForeignKey(on_delete=CASCADE, related_name="annex_pushes", to="archive.repository"),
                ),
            ],
            options={
                "verbose_name_plural": "annex pushes",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("sha__regex", "^[0-9a-f]{40}$")), name="annex_push_sha_format"
                    )
                ],
            },
        ),
    ]
