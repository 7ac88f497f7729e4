"""What makes searches fast: seams between words are lexemes too, and the planner expects many results."""

from django.db import migrations

# No document is found until it is made, so that none is there without its seams.
FORGET = "DELETE FROM archive_search_document"
FOLLOW_AGAIN = """
UPDATE archive_projection AS projection SET cursor = timeline.number - 1, next_attempt = NULL
  FROM archive_timeline AS timeline
 WHERE timeline.dataset_id = projection.dataset_id AND projection.name = 'search'
   AND projection.cursor >= timeline.number
"""
# Common words find most documents: told of a hundred, the planner looked up the rest one by one. To take many for few
# costs it far less than the reverse.
MANY = "ALTER FUNCTION archive_find_documents(tsquery, text[]) ROWS 1000"
FEW = "ALTER FUNCTION archive_find_documents(tsquery, text[]) ROWS 100"


class Migration(migrations.Migration):
    dependencies = [("archive", "0007_jobs")]

    operations = [
        migrations.RunSQL(MANY, FEW),
        migrations.RunSQL(FORGET, migrations.RunSQL.noop),
        migrations.RunSQL(FOLLOW_AGAIN, migrations.RunSQL.noop),
    ]
