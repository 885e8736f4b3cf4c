"""Raw facts, partitioned by day, and their rollups by minute, quarter of an hour, hour and day.

Columns are ordered by alignment, so that a row carries no padding. There is no default partition: it would have to
be scanned each time that a partition is attached.
"""

import django.db.models.deletion
from django.db import migrations, models

RAW = """
CREATE TABLE telemetry_invocation (
    organization_id bigint NOT NULL,
    resource_id bigint NOT NULL,
    started_at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    duration_ms double precision NOT NULL,
    init_ms double precision,
    cost_usd double precision NOT NULL,
    day date NOT NULL,
    billed_ms integer NOT NULL,
    memory_mb integer NOT NULL,
    max_memory_mb integer NOT NULL,
    cold_start boolean NOT NULL,
    outcome text NOT NULL,
    request_id text NOT NULL,
    version text NOT NULL,
    error_type text NOT NULL,
    trace_id text NOT NULL,
    PRIMARY KEY (organization_id, day, event_id)
) PARTITION BY RANGE (day);
CREATE INDEX telemetry_invocation_recent ON telemetry_invocation (organization_id, started_at);
CREATE INDEX telemetry_invocation_resource ON telemetry_invocation (resource_id, started_at);
CREATE INDEX telemetry_invocation_request ON telemetry_invocation (request_id);
CREATE INDEX telemetry_invocation_failed ON telemetry_invocation (organization_id, started_at)
    WHERE outcome <> 'success';

CREATE TABLE telemetry_log_line (
    organization_id bigint NOT NULL,
    resource_id bigint NOT NULL,
    at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    day date NOT NULL,
    level text NOT NULL,
    request_id text NOT NULL,
    message text NOT NULL,
    attributes text NOT NULL,
    PRIMARY KEY (organization_id, day, event_id)
) PARTITION BY RANGE (day);
CREATE INDEX telemetry_log_line_recent ON telemetry_log_line (organization_id, at);
CREATE INDEX telemetry_log_line_resource ON telemetry_log_line (resource_id, at);
CREATE INDEX telemetry_log_line_loud ON telemetry_log_line (organization_id, at)
    WHERE level IN ('WARN', 'ERROR', 'FATAL');
CREATE INDEX telemetry_log_line_request ON telemetry_log_line
    USING brin (request_id text_bloom_ops(n_distinct_per_range = 400)) WITH (pages_per_range = 32, autosummarize = on);

CREATE TABLE telemetry_fault (
    organization_id bigint NOT NULL,
    resource_id bigint NOT NULL,
    batch bigint NOT NULL,
    at timestamptz NOT NULL,
    event_id uuid NOT NULL,
    day date NOT NULL,
    kind text NOT NULL,
    request_id text NOT NULL,
    version text NOT NULL,
    type text NOT NULL,
    message text NOT NULL,
    frames jsonb NOT NULL,
    PRIMARY KEY (organization_id, day, event_id)
) PARTITION BY RANGE (day);
CREATE INDEX telemetry_fault_batch ON telemetry_fault (organization_id, batch);
CREATE INDEX telemetry_fault_recent ON telemetry_fault (organization_id, at);
CREATE INDEX telemetry_fault_resource ON telemetry_fault (resource_id, at);
"""

ROLLUP = """
CREATE TABLE telemetry_rollup_{grain} (
    organization_id bigint NOT NULL,
    resource_id bigint NOT NULL,
    start timestamptz NOT NULL,
    invocations bigint NOT NULL,
    errors bigint NOT NULL,
    timeouts bigint NOT NULL,
    out_of_memory bigint NOT NULL,
    cold_starts bigint NOT NULL,
    throttles bigint NOT NULL,
    billed_ms bigint NOT NULL,
    cost_usd double precision NOT NULL,
    duration_ms double precision NOT NULL,
    init_ms double precision NOT NULL,
    max_memory_mb integer NOT NULL,
    memory_mb integer NOT NULL,
    durations bytea NOT NULL,
    PRIMARY KEY (organization_id, resource_id, start)
) {options};
CREATE INDEX telemetry_rollup_{grain}_time ON telemetry_rollup_{grain} (organization_id, start);
ALTER TABLE telemetry_rollup_{grain} ALTER COLUMN durations SET STORAGE MAIN;
"""
ROOM = "WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05)"

CREATE = (
    RAW
    + ROLLUP.format(grain="minute", options="PARTITION BY RANGE (start)")
    + ROLLUP.format(grain="quarter", options="PARTITION BY RANGE (start)")
    + ROLLUP.format(grain="hour", options=ROOM)
    + ROLLUP.format(grain="day", options=ROOM)
)
DROP = """
DROP TABLE telemetry_invocation, telemetry_log_line, telemetry_fault;
DROP TABLE telemetry_rollup_minute, telemetry_rollup_quarter, telemetry_rollup_hour, telemetry_rollup_day;
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("tenants", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Watermark",
            fields=[
                (
                    "organization",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        serialize=False,
                        to="tenants.organization",
                    ),
                ),
                ("batch", models.BigIntegerField(default=0)),
                ("stored_at", models.DateTimeField()),
                ("latest_event_at", models.DateTimeField()),
            ],
        ),
        migrations.RunSQL(CREATE, DROP),
    ]
