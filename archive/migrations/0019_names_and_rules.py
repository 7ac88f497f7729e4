"""Datasets may be private and have a project name; versions have an ordinal, the rules they were held to, and a label.

Safe beside code of before: it writes none of the new columns, and Postgres itself counts the versions.
"""

from django.db import migrations, models
from django.db.models import Q

# Whoever makes a version holds the dataset's timeline, so no two are counted at once.
COUNT_VERSIONS = """
CREATE FUNCTION archive_count_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT COALESCE(max(ordinal), 0) + 1 INTO NEW.ordinal FROM archive_version WHERE dataset_id = NEW.dataset_id;
    RETURN NEW;
END $$;
CREATE FUNCTION archive_forget_closed_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM archive_search_document WHERE version_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER archive_version_not_found_once_closed AFTER UPDATE OF is_closed ON archive_version
    FOR EACH ROW WHEN (NEW.is_closed) EXECUTE FUNCTION archive_forget_closed_version();
CREATE TRIGGER archive_version_counted BEFORE INSERT ON archive_version
    FOR EACH ROW WHEN (NEW.at IS NOT NULL AND NEW.ordinal IS NULL) EXECUTE FUNCTION archive_count_version();
UPDATE archive_version v
   SET ordinal = counted.ordinal
  FROM (
        SELECT id, row_number() OVER (PARTITION BY dataset_id ORDER BY at, id) AS ordinal
          FROM archive_version WHERE at IS NOT NULL
       ) AS counted
 WHERE v.id = counted.id;
UPDATE archive_repository r
   SET tells_urls = true
  FROM archive_dataset d
 WHERE d.number = r.dataset_id AND d.access <> 'EMBARGOED';
"""

COUNT_NO_VERSIONS = """
DROP TRIGGER archive_version_counted ON archive_version;
DROP FUNCTION archive_count_version();
DROP TRIGGER archive_version_not_found_once_closed ON archive_version;
DROP FUNCTION archive_forget_closed_version();
"""


class Migration(migrations.Migration):
    dependencies = [("archive", "0018_long_phrases")]

    operations = [
        migrations.AddField(
            "dataset", "project_name", models.CharField(editable=False, max_length=128, null=True, unique=True)
        ),
        migrations.AlterField(
            "dataset",
            "access",
            models.CharField(
                choices=[
                    ("OPEN", "Open"),
                    ("EMBARGOED", "Embargoed"),
                    ("PRIVATE", "Private"),
                    ("UNEMBARGOING", "Releasing"),
                ],
                default="OPEN",
                max_length=16,
            ),
        ),
        migrations.AddField("version", "label", models.CharField(editable=False, max_length=64, null=True)),
        migrations.AddField("version", "ordinal", models.PositiveIntegerField(editable=False, null=True)),
        migrations.AddField(
            "version",
            "rules",
            models.CharField(
                choices=[("dandi", "Dandi"), ("bids", "Bids"), ("documents", "Documents")],
                db_default="dandi",
                default="dandi",
                max_length=16,
            ),
        ),
        migrations.AddField("version", "is_closed", models.BooleanField(db_default=False, default=False)),
        migrations.AddField("version", "verdict", models.JSONField(editable=False, null=True)),
        migrations.AddField("repository", "tells_urls", models.BooleanField(db_default=False, default=False)),
        migrations.RunSQL(COUNT_VERSIONS, COUNT_NO_VERSIONS),
        migrations.RemoveConstraint("dataset", "dataset_access_known"),
        migrations.RemoveConstraint("dataset", "dataset_embargo_has_end"),
        migrations.RemoveConstraint("dataset", "dataset_released_once_embargo_ends"),
        migrations.RemoveConstraint("version", "version_draft_has_no_point"),
        migrations.AddConstraint(
            "dataset",
            models.CheckConstraint(
                condition=Q(access__in=["OPEN", "EMBARGOED", "PRIVATE", "UNEMBARGOING"]), name="dataset_access_known"
            ),
        ),
        migrations.AddConstraint(
            "dataset",
            models.CheckConstraint(
                condition=Q(access__in=["OPEN", "PRIVATE"]) | Q(embargo_end__isnull=False),
                name="dataset_embargo_has_end",
            ),
        ),
        migrations.AddConstraint(
            "dataset",
            models.CheckConstraint(
                condition=~Q(access__in=["EMBARGOED", "PRIVATE"], released__isnull=False)
                & ~Q(access="UNEMBARGOING", released__isnull=True),
                name="dataset_released_once_closed",
            ),
        ),
        migrations.AddConstraint(
            "dataset",
            models.CheckConstraint(
                condition=Q(project_name__isnull=True)
                | Q(project_name__regex=r"^[A-Za-z0-9][A-Za-z0-9._-]*$") & ~Q(project_name__regex=r"^(?:ds)?[0-9]{6}$"),
                name="dataset_project_name_allowed",
            ),
        ),
        migrations.AddConstraint(
            "version", models.UniqueConstraint(fields=["dataset", "label"], name="version_label_unique")
        ),
        migrations.AddConstraint(
            "version", models.UniqueConstraint(fields=["dataset", "ordinal"], name="version_ordinal_unique")
        ),
        migrations.AddConstraint(
            "version",
            models.CheckConstraint(
                condition=Q(version="draft", at__isnull=True, label__isnull=True, ordinal__isnull=True)
                | Q(version__regex=r"^0\.\d{6}\.\d{4}$", at__isnull=False),
                name="version_draft_has_no_point",
            ),
        ),
        migrations.AddConstraint(
            "version",
            models.CheckConstraint(
                condition=Q(label__isnull=True)
                | ~Q(label="")
                & ~Q(label__iregex="^(draft|latest|head)$")
                & ~Q(label__regex=r"^0\.[0-9]{6}\.[0-9]{4}$")
                & ~Q(label__contains="/"),
                name="version_label_allowed",
            ),
        ),
        migrations.AddConstraint(
            "version",
            models.CheckConstraint(condition=Q(rules__in=["dandi", "bids", "documents"]), name="version_rules_known"),
        ),
    ]
