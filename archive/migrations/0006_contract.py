import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
from django.db import migrations, models

# The planner takes large values to be as cheap to read as small ones, and so would read and test the lexemes of all
# documents where their index answers in a hundredth of the time. Here, and only here, it is told otherwise.
FIND = """
CREATE FUNCTION archive_find_documents(words tsquery, patterns text[]) RETURNS SETOF integer
LANGUAGE sql STABLE ROWS 100 SET enable_seqscan = off AS $$
    SELECT DISTINCT dataset_id FROM archive_search_document WHERE lexemes @@ words AND text LIKE ALL (patterns)
$$
"""
# What a phrase is looked for in is read as it is stored, not unpacked first.
PLAIN = "ALTER TABLE archive_search_document ALTER COLUMN text SET STORAGE EXTERNAL"


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0005_zarr"),
    ]

    operations = [
        migrations.CreateModel(
            name="Facts",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("file_type", models.CharField(blank=True, max_length=128)),
                (
                    "techniques",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                (
                    "genotypes",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                (
                    "species",
                    django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None),
                ),
                ("digest", models.CharField(max_length=64)),
                ("file_count", models.BigIntegerField(default=0)),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="facts", to="archive.dataset"
                    ),
                ),
            ],
            options={
                "db_table": "archive_search_facts",
            },
        ),
        migrations.CreateModel(
            name="IndexedAsset",
            fields=[
                (
                    "asset",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="archive.asset",
                    ),
                ),
                ("size", models.BigIntegerField()),
                (
                    "facts",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="assets",
                        to="archive.facts",
                    ),
                ),
            ],
            options={
                "db_table": "archive_search_asset",
            },
        ),
        migrations.CreateModel(
            name="Document",
            fields=[
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="document",
                        serialize=False,
                        to="archive.version",
                    ),
                ),
                ("text", models.TextField()),
                ("lexemes", django.contrib.postgres.search.SearchVectorField()),
                ("species", models.TextField(blank=True)),
                ("approach", models.TextField(blank=True)),
                ("technique", models.TextField(blank=True)),
                ("modified", models.DateTimeField()),
                ("published", models.DateTimeField(null=True)),
                ("is_newest", models.BooleanField()),
                ("is_newest_published", models.BooleanField()),
                (
                    "dataset",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="documents", to="archive.dataset"
                    ),
                ),
            ],
            options={
                "db_table": "archive_search_document",
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fastupdate=False, fields=["lexemes"], name="document_by_lexeme"
                    )
                ],
            },
        ),
        migrations.AddIndex(
            model_name="facts",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=False, fields=["techniques"], name="facts_by_technique"
            ),
        ),
        migrations.AddIndex(
            model_name="facts",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=False, fields=["genotypes"], name="facts_by_genotype"
            ),
        ),
        migrations.AddIndex(
            model_name="facts",
            index=django.contrib.postgres.indexes.GinIndex(
                fastupdate=False, fields=["species"], name="facts_by_species"
            ),
        ),
        migrations.AddIndex(
            model_name="facts",
            index=models.Index(fields=["file_type"], name="facts_by_file_type", opclasses=["varchar_pattern_ops"]),
        ),
        migrations.AddConstraint(
            model_name="facts",
            constraint=models.UniqueConstraint(fields=("dataset", "digest"), name="facts_once_per_dataset"),
        ),
        migrations.AddConstraint(
            model_name="facts",
            constraint=models.CheckConstraint(
                condition=models.Q(("file_count__gte", 0)), name="facts_count_not_negative"
            ),
        ),
        migrations.AddIndex(
            model_name="indexedasset",
            index=models.Index(fields=["facts", "size"], name="indexed_asset_by_size"),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(fields=["recorded", "id"], name="change_by_time"),
        ),
        migrations.AddField(
            model_name="version",
            name="doi_reason",
            field=models.TextField(blank=True),
        ),
        migrations.AddField(
            model_name="version",
            name="doi_state",
            field=models.CharField(
                choices=[("none", "None"), ("pending", "Pending"), ("registered", "Registered"), ("failed", "Failed")],
                default="none",
                max_length=16,
            ),
        ),
        migrations.CreateModel(
            name="GarbageEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[("assets", "Assets"), ("blobs", "Blobs"), ("uploads", "Uploads")], max_length=16
                    ),
                ),
                ("created", models.DateTimeField(auto_now_add=True)),
                ("row_count", models.IntegerField()),
                ("size", models.BigIntegerField()),
                ("rows", models.JSONField()),
                ("undone", models.DateTimeField(null=True)),
                ("purge_begun", models.DateTimeField(null=True)),
                ("purged", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("purged", None), ("undone", None)),
                        fields=["created"],
                        name="garbage_to_be_purged",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("undone__isnull", True), ("purge_begun__isnull", True), _connector="OR"),
                        name="garbage_undone_or_purged",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("purged__isnull", True), ("purge_begun__isnull", False), _connector="OR"),
                        name="garbage_purge_begins",
                    ),
                ],
            },
        ),
        migrations.RunSQL(FIND, "DROP FUNCTION archive_find_documents(tsquery, text[])"),
        migrations.RunSQL(PLAIN, migrations.RunSQL.noop),
    ]
