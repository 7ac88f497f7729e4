"""Verdicts count their issues by codes."""

from collections import Counter
from typing import Any

from django.db import migrations, models

LOCATIONS_TOLD = 5


def count_codes(apps: Any, schema_editor: Any) -> None:
    """Count the issues that verdicts have kept."""
    for verdict in apps.get_model("archive", "BidsVerdict").objects.filter(state="done").iterator(chunk_size=1):
        counts = Counter((issue["severity"], issue["code"]) for issue in verdict.issues)
        verdict.codes = [
            {
                "code": code,
                "severity": severity,
                "count": count,
                "locations": locations(verdict.issues, severity, code),
                "message": verdict.code_messages.get(code, ""),
            }
            for (severity, code), count in sorted(counts.items(), key=lambda each: (each[0][0], -each[1]))
        ]
        verdict.save(update_fields=["codes"])


def locations(issues: list[dict[str, Any]], severity: str, code: str) -> list[str]:
    """Return the first places that have issues of a code."""
    found = (each.get("location") for each in issues if (each["severity"], each["code"]) == (severity, code))
    return [*dict.fromkeys(filter(None, found))][:LOCATIONS_TOLD]


class Migration(migrations.Migration):
    dependencies = [("archive", "0030_upload_sessions")]

    operations = [
        migrations.AddField(
            model_name="bidsverdict",
            name="codes",
            field=models.JSONField(db_default=[], default=list),
        ),
        migrations.RunPython(count_codes, migrations.RunPython.noop),
    ]
