"""Messages of anomalies and of runaway spending: why first, then what to do, and nothing that only failures have."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts import incidents, routing
from alerts.detector import FactWindow, Function, Spending, Unusual
from alerts.detectors.anomaly import Anomaly
from alerts.detectors.runaway import Runaway
from alerts.message import Message
from alerts.models import Notification
from alerts.transports import email, slack, webhook
from alerts.wording import compose
from observability.inventory.models import Resource
from observability.tenants.models import User
from observability.ui.units import NOTHING
from tests.alerts.estate import policy_for, webhook_channel

pytestmark = pytest.mark.django_db

BAND = f"620{NOTHING}940 ms"
REASON = f"p95 duration is 4.10 s, usually {BAND} at this hour, since v42, 12 minutes before."
NEXT = "Open the slowest invocations of this time, and see what they waited for."
SPENDS = "It spends $14.20 an hour, at most $0.10 an hour in the week before: $340.80 a day if nobody stops it."
STOP = (
    "aws lambda put-function-concurrency --function-name checkout --region eu-west-1 --reserved-concurrent-executions 0"
)


@pytest.fixture
def now(checkout: Resource, alice: User) -> datetime:
    now = timezone.now()
    policy_for(webhook_channel(checkout.organization, now), now)
    return now


def message(resource: Resource, now: datetime, window: FactWindow) -> Message:
    detector = Anomaly() if window.anomalies else Runaway()
    found = list(detector.detect(window))
    steps = incidents.apply(organization_id=resource.organization_id, findings=found, now=now)
    routing.route(organization_id=resource.organization_id, transitions=steps, now=now)
    return compose(Notification.objects.get(), now=now)


@pytest.fixture
def slow(checkout: Resource, now: datetime) -> Message:
    detail = {"title": f"p95 duration of checkout is 4.10 s, usually {BAND}", "next": NEXT, "metrics": []}
    told = Unusual(checkout.pk, "duration_p95", REASON, 44.0, now - timedelta(minutes=12), now, "1:x", detail)
    return message(checkout, now, FactWindow(checkout.organization_id, now, anomalies=[told]))


@pytest.fixture
def costly(checkout: Resource, now: datetime) -> Message:
    told = Spending(checkout.pk, 14.2, 0.1, SPENDS, STOP, now, now, ("checkout", "again"), "aws lambda undo")
    function = Function(checkout.pk, "checkout", "eu-west-1", "", None, None)
    window = FactWindow(checkout.organization_id, now, functions={checkout.pk: function}, spending=[told])
    return message(checkout, now, window)


def slack_texts(message: Message) -> list[str]:
    """What Slack shows, block by block."""
    blocks: list[dict[str, Any]] = slack.dress(message)["attachments"][0]["blocks"]
    fields = [[each["text"] for each in block.get("fields") or [block.get("text") or {"text": ""}]] for block in blocks]
    return ["\n".join(texts) for texts in fields]


def test_slack_tells_why_and_what_is_next_before_anything_else(slow: Message) -> None:
    headline, reason, facts, *_ = slack_texts(slow)
    assert f"p95 duration of checkout is 4.10 s, usually {BAND}" in headline
    assert reason == f"{REASON}\n{NEXT}"
    assert "*Since*" in facts
    assert "Events" not in facts
    assert "Likely cause" not in facts


def test_slack_shows_the_command_that_stops_it(costly: Message) -> None:
    _, reason, _, command, *_ = slack_texts(costly)
    assert reason == SPENDS
    assert command == f"```{STOP}```"
    assert "checkout may be calling itself and spends $14.20 an hour" in slack.dress(costly)["text"]


def test_a_letter_tells_the_same_and_counts_nothing(slow: Message) -> None:
    text, html = email.plain(slow), email.rich(slow)
    assert email.subject(slow) == f"[Warning] p95 duration of checkout is 4.10 s, usually {BAND}"
    assert text.index(REASON) < text.index(f"Next: {NEXT}") < text.index("Open: ")
    assert NEXT in html
    assert f"{BAND} at this hour, since v42" in html
    assert "Events" not in html
    assert "event" not in text


def test_a_letter_shows_the_command_that_stops_it(costly: Message) -> None:
    assert f"    {STOP}" in email.plain(costly)
    assert "--reserved-concurrent-executions 0" in email.rich(costly)


def test_machines_get_the_reason_the_next_step_and_no_count(slow: Message) -> None:
    data = webhook.dress(slow)["data"]
    assert (data["likely_cause"], data["next_step"]) == (REASON, NEXT)
    assert (data["incident"]["kind"], data["incident"]["events"]) == ("anomaly", None)


def test_machines_get_the_command_that_stops_it(costly: Message) -> None:
    data = webhook.dress(costly)["data"]
    assert data["error"]["code"] == STOP
    assert data["incident"]["severity"] == "critical"


def test_once_it_is_over_nobody_is_told_what_to_do_next(slow: Message, checkout: Resource, alice: User) -> None:
    later = slow.happened_at + timedelta(hours=2)
    incidents.resolve(organization=checkout.organization, number=1, actor=alice, now=later)
    told = compose(Notification.objects.latest("created_at"), now=later)
    assert "Next:" not in email.plain(told)
    assert REASON not in "".join(slack_texts(told))
    assert "event" not in told.summary
