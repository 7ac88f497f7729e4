"""People have GitHub logins, and answer a questionnaire."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models.functions import Lower


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0002_change_is_append_only"),
        ("auth", "0012_alter_user_first_name_max_length"),
    ]

    operations = [
        migrations.AddField("user", "github_login", models.CharField(blank=True, editable=False, max_length=100)),
        migrations.AddConstraint(
            "user",
            models.UniqueConstraint(
                Lower("github_login"),
                condition=models.Q(("github_login", ""), _negated=True),
                name="user_github_login_unique",
            ),
        ),
        migrations.AddField("token", "sealed", models.CharField(blank=True, editable=False, max_length=300)),
        migrations.CreateModel(
            name="Questionnaire",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("answers", models.JSONField(default=dict)),
                ("modified", models.DateTimeField(auto_now=True)),
                (
                    "user",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="questionnaire",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
        ),
    ]
