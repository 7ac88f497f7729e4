"""Jobs keep a log, and may be cancelled."""

from django.db import migrations, models
from django.db.models import Q

STATES = [
    ("queued", "Queued"),
    ("running", "Running"),
    ("succeeded", "Succeeded"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
]


class Migration(migrations.Migration):
    dependencies = [("archive", "0006_contract")]

    operations = [
        migrations.AddField("job", "log", models.JSONField(default=list)),
        migrations.AlterField("job", "state", models.CharField(choices=STATES, default="queued", max_length=16)),
        migrations.RemoveConstraint("job", "job_ended_has_end"),
        migrations.AddConstraint(
            "job",
            models.CheckConstraint(
                condition=Q(state__in=["succeeded", "failed", "cancelled"], ended__isnull=False, lease__isnull=True)
                | Q(state__in=["queued", "running"], ended__isnull=True),
                name="job_ended_has_end",
            ),
        ),
        migrations.AddIndex("job", models.Index(fields=["user_id", "-created"], name="job_by_user")),
    ]
