"""Messages as they are told: one for each happening, and one that tries every injection at once."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from alerts.finding import Severity
from alerts.message import Happening, Message

OPENED = datetime(2026, 11, 23, 8, 3, tzinfo=UTC)

MESSAGE = Message(
    id="6c8d1c6e-0f7a-4bb1-9c34-0a35a8f7a001",
    happening=Happening.OPENED,
    severity=Severity.CRITICAL,
    title="StripeTimeoutError: Request timed out after 8.0 s in payments-webhook",
    summary="2,841 events since 08:03 UTC. Version 42 was deployed 4 minutes before the first event.",
    incident_number=1482,
    incident_url="https://nightjar.example/o/acme/incidents/1482/",
    organization="Acme Retail",
    resource="payments-webhook",
    resource_url="https://nightjar.example/o/acme/functions/7/",
    region="eu-west-1",
    account="123456789012",
    events=2841,
    opened_at=OPENED,
    happened_at=OPENED,
    last_seen_at=OPENED + timedelta(seconds=40),
    composed_at=OPENED + timedelta(seconds=41),
    kind="errors",
    error_type="StripeTimeoutError",
    error_message="Request timed out after 8.0 s",
    code='app/payments.py:115 in charge\n    raise StripeTimeoutError(f"Request timed out after {timeout} s") from e',
    request_id="5c1f0e3a-91b2-4d8e-a6a1-2f6d0c1b7e11",
    actor="",
    likely_cause="Version 42 was deployed 4 minutes before the first event.",
    policy="Errors on prod functions",
    settings_url="https://nightjar.example/o/acme/policies/",
)
LATER = OPENED + timedelta(hours=1, minutes=52)
ACKNOWLEDGED = replace(
    MESSAGE, happening=Happening.ACKNOWLEDGED, happened_at=OPENED + timedelta(minutes=5), actor="Maja Lind",
    summary="Acknowledged by Maja Lind. 2,841 events so far.",
)  # fmt: skip
RESOLVED = replace(
    MESSAGE, happening=Happening.RESOLVED, happened_at=LATER, actor="Maja Lind", duration_s=6_720,
    summary="Resolved by Maja Lind after 1 h 52 min. 2,841 events in all.",
)  # fmt: skip
REOPENED = replace(MESSAGE, happening=Happening.REOPENED, happened_at=LATER, severity=Severity.WARNING)
TEST = replace(
    MESSAGE, happening=Happening.TEST, severity=Severity.INFO, title="Test message from Nightjar",
    summary="This is a test of the channel “On call”. If you can read it, alerts will reach you here.",
    incident_number=0, incident_url="https://nightjar.example/o/acme/channels/3/", resource="", region="", account="",
    events=0, code="", policy="", likely_cause="", settings_url="https://nightjar.example/o/acme/channels/3/",
)  # fmt: skip
SWITCHED_OFF = replace(
    TEST, happening=Happening.SWITCHED_OFF, severity=Severity.WARNING, title="The channel “On call” was switched off",
    summary="It cannot be used any more: The address is gone (answered 410). "
    "Nobody is told anything through it until its settings are right and it is switched on again.",
)  # fmt: skip
MESSAGES = {
    "opened": MESSAGE, "acknowledged": ACKNOWLEDGED, "resolved": RESOLVED, "reopened": REOPENED, "test": TEST,
    "switched_off": SWITCHED_OFF,
}  # fmt: skip

HOSTILE = (
    "<!channel> <@U123> <https://evil.example|click> & <script>alert(1)</script> {{7*7}} {% include 'x' %} "
    "=cmd|'/c calc'!A1 \x1b[31mred\x1b[0m \x00 \r\nBcc: evil@example.com\r\n\r\nbody \u202egnp.exe\u2066 ``` *bold* ]]>"
)
HOSTILE_MESSAGE = replace(
    MESSAGE, title=HOSTILE, resource=HOSTILE, summary=HOSTILE, error_type=HOSTILE, error_message=HOSTILE, actor=HOSTILE,
    code=HOSTILE, likely_cause=HOSTILE, policy=HOSTILE, organization=HOSTILE, region=HOSTILE,
)  # fmt: skip
