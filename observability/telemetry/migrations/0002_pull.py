"""CloudWatch metrics beside the facts, and how complete the facts are."""

import django.db.models.deletion
from django.db import migrations, models

POINT = """
CREATE TABLE telemetry_point (
    organization_id bigint NOT NULL,
    resource_id bigint NOT NULL,
    at timestamptz NOT NULL,
    value double precision NOT NULL,
    day date NOT NULL,
    period_s integer NOT NULL,
    metric text NOT NULL,
    statistic text NOT NULL,
    PRIMARY KEY (organization_id, day, resource_id, metric, statistic, period_s, at)
) PARTITION BY RANGE (day);
CREATE INDEX telemetry_point_recent ON telemetry_point (organization_id, metric, at);
"""


class Migration(migrations.Migration):
    dependencies = [
        ("inventory", "0002_pull"),
        ("telemetry", "0001_initial"),
        ("tenants", "0001_initial"),
    ]

    operations = [
        migrations.RunSQL(POINT, "DROP TABLE telemetry_point"),
        migrations.CreateModel(
            name="Coverage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("hour", models.DateTimeField()),
                ("reported", models.PositiveBigIntegerField()),
                ("seen", models.PositiveBigIntegerField()),
                ("cause", models.CharField(blank=True, max_length=40)),
                (
                    "organization",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="coverage", to="tenants.organization"
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="coverage", to="inventory.resource"
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["organization", "-hour"], name="coverage_recent")],
                "constraints": [models.UniqueConstraint(fields=("resource", "hour"), name="coverage_unique")],
            },
        ),
    ]
