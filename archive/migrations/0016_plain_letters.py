"""Letters that are no others with an accent are searched as plain ones: what has them is indexed anew."""

from django.db import migrations

LETTERS = "[øłđðþæœıħŧŋĸǥʒƶəɨƀґʼ’ʻ]"


class Migration(migrations.Migration):
    dependencies = [("archive", "0015_invitations")]

    operations = [
        migrations.RunSQL(
            f"""
            UPDATE archive_search_document SET modified = 'epoch' WHERE text ~ '{LETTERS}';
            UPDATE archive_projection p SET cursor = t.number - 1, next_attempt = NULL
              FROM archive_timeline t
             WHERE p.dataset_id = t.dataset_id AND p.name = 'search' AND p.cursor = t.number
               AND EXISTS (SELECT FROM archive_search_document d
                            WHERE d.dataset_id = p.dataset_id AND d.modified = 'epoch');
            """,  # noqa: S608 - of constants only
            migrations.RunSQL.noop,
        )
    ]
