"""The history is written once: Postgres itself refuses to change or delete a row of it."""

from django.db import migrations

FORWARD = """
CREATE FUNCTION archive_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of a dataset is append-only' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER archive_change_append_only BEFORE UPDATE OR DELETE ON archive_change
    FOR EACH ROW EXECUTE FUNCTION archive_refuse_change();
"""

REVERSE = """
DROP TRIGGER archive_change_append_only ON archive_change;
DROP FUNCTION archive_refuse_change();
"""


class Migration(migrations.Migration):
    dependencies = [("archive", "0001_initial")]

    operations = [migrations.RunSQL(FORWARD, REVERSE)]
