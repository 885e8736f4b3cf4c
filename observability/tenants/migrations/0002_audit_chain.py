"""The audit log becomes a hash chain that the database itself refuses to change."""

import django.db.models.deletion
from django.db import migrations, models

REFUSE = """
CREATE FUNCTION tenants_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON tenants_auditentry
    FOR EACH ROW EXECUTE FUNCTION tenants_audit_is_append_only();
CREATE TRIGGER audit_no_truncate BEFORE TRUNCATE ON tenants_auditentry
    FOR EACH STATEMENT EXECUTE FUNCTION tenants_audit_is_append_only();
"""
ALLOW = """
DROP TRIGGER audit_no_truncate ON tenants_auditentry;
DROP TRIGGER audit_no_change ON tenants_auditentry;
DROP FUNCTION tenants_audit_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_initial")]

    operations = [
        migrations.AddField("organization", "archived_at", models.DateTimeField(blank=True, null=True)),
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="audit_head",
                        serialize=False,
                        to="tenants.organization",
                    ),
                ),
                ("number", models.PositiveBigIntegerField(default=0)),
                ("hash", models.BinaryField(default=bytes(32), max_length=32)),
            ],
        ),
        migrations.AddField("auditentry", "number", models.PositiveBigIntegerField(), preserve_default=False),
        migrations.AddField("auditentry", "hash", models.BinaryField(max_length=32), preserve_default=False),
        migrations.AddConstraint(
            "auditentry",
            models.UniqueConstraint(fields=("organization", "number"), name="audit_number_unique"),
        ),
        migrations.RunSQL(REFUSE, ALLOW),
    ]
