"""A file may be empty."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("archive", "0011_unsettled_assets"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="blob",
            name="blob_size_possible",
        ),
        migrations.RemoveConstraint(
            model_name="reception",
            name="reception_size_possible",
        ),
        migrations.RemoveConstraint(
            model_name="upload",
            name="upload_size_possible",
        ),
        migrations.AddConstraint(
            model_name="blob",
            constraint=models.CheckConstraint(
                condition=models.Q(("size__range", (0, 5497558138880))), name="blob_size_possible"
            ),
        ),
        migrations.AddConstraint(
            model_name="reception",
            constraint=models.CheckConstraint(
                condition=models.Q(("size__range", (0, 5497558138880))), name="reception_size_possible"
            ),
        ),
        migrations.AddConstraint(
            model_name="upload",
            constraint=models.CheckConstraint(
                condition=models.Q(("size__range", (0, 5497558138880))), name="upload_size_possible"
            ),
        ),
    ]
