"""The audit log: append-only in the database, and tampering is found."""

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction

from observability.tenants import audit
from observability.tenants.models import AuditEntry, AuditHead, Organization, User

NOW = datetime(2026, 11, 23, 12, 30, 15, 123456, tzinfo=UTC)


@pytest.fixture
def log(acme: Organization, rival: Organization, alice: User) -> list[AuditEntry]:
    for organization in (acme, rival, acme):
        audit.record(
            organization=organization,
            actor=alice,
            action="key.created",
            target="production",
            detail={"ratio": 1e16, "nested": [1.10, None, "é"], "at": NOW},
            now=NOW,
        )
    return [audit.record(organization=acme, actor=None, action="x.done", target="t" * 300, now=NOW)]


def test_each_organization_has_its_own_whole_chain(
    acme: Organization, rival: Organization, log: list[AuditEntry]
) -> None:
    assert list(acme.audit_entries.order_by("number").values_list("number", flat=True)) == [1, 2, 3]
    assert list(rival.audit_entries.values_list("number", flat=True)) == [1]
    assert audit.verify(organization=acme) is None
    assert audit.verify(organization=rival) is None
    assert log[0].actor_label == "Nightjar"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tenants_auditentry SET target = 'other'",
        "DELETE FROM tenants_auditentry",
        "TRUNCATE tenants_auditentry",
    ],
)
def test_the_database_refuses_changes(log: list[AuditEntry], statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE tenants_auditentry ENABLE TRIGGER audit_no_truncate")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
        cursor.execute("ALTER TABLE tenants_auditentry DISABLE TRIGGER audit_no_truncate")


@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE tenants_auditentry SET target = 'other'",
        "UPDATE tenants_auditentry SET actor_label = 'mallory'",
        "UPDATE tenants_auditentry SET actor_id = NULL, action = 'nothing.happened'",
        "UPDATE tenants_auditentry SET created_at = created_at + interval '1 microsecond'",
        "UPDATE tenants_auditentry SET detail = '{\"a\": 1}'",
        "DELETE FROM tenants_auditentry",
    ],
)
def test_tampering_behind_the_triggers_is_found(
    acme: Organization, rival: Organization, log: list[AuditEntry], change: str, number: int
) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("ALTER TABLE tenants_auditentry DISABLE TRIGGER audit_no_change")
        cursor.execute(f"{change} WHERE organization_id = %s AND number = %s", [acme.pk, number])
        cursor.execute("ALTER TABLE tenants_auditentry ENABLE TRIGGER audit_no_change")
    assert audit.verify(organization=acme)
    assert audit.verify(organization=rival) is None


def test_a_lost_head_is_found(acme: Organization, log: list[AuditEntry]) -> None:
    AuditHead.objects.filter(organization=acme).delete()
    assert audit.verify(organization=acme)


def test_the_command_names_what_was_tampered_with(
    acme: Organization, log: list[AuditEntry], capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("verify_audit")
    assert capsys.readouterr().out == "acme: whole\nrival: whole\n"
    AuditHead.objects.filter(organization=acme).delete()
    with pytest.raises(CommandError, match="1 organization"):
        call_command("verify_audit", "acme")
    with pytest.raises(CommandError, match="no organization"):
        call_command("verify_audit", "nobody")
