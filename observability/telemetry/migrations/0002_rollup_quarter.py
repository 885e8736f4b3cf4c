"""A grain between minute and hour: windows of a day begin on a quarter of an hour."""

from importlib import import_module

from django.db import migrations

initial = import_module("observability.telemetry.migrations.0001_initial")


class Migration(migrations.Migration):
    dependencies = [("telemetry", "0001_initial")]

    operations = [
        migrations.RunSQL(
            initial.ROLLUP.format(grain="quarter", options="PARTITION BY RANGE (start)"),
            "DROP TABLE telemetry_rollup_quarter",
        ),
    ]
