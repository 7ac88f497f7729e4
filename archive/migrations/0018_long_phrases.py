"""Texts are found by regular expressions, in time in proportion to what is looked through however long they are."""

from django.db import migrations

FIND = """
CREATE OR REPLACE FUNCTION archive_find_documents(words tsquery, patterns text[]) RETURNS SETOF integer
LANGUAGE sql STABLE ROWS 1000 SET enable_seqscan = off AS $$
    SELECT DISTINCT dataset_id FROM archive_search_document WHERE lexemes @@ words AND text {operator} ALL (patterns)
$$
"""


class Migration(migrations.Migration):
    dependencies = [("archive", "0017_plurals")]

    operations = [migrations.RunSQL(FIND.format(operator="~"), FIND.format(operator="LIKE"))]
