"""What watching costs the owner of an account: the metrics that we ask CloudWatch for, and the time of the extension.

The first is a line of its own. The second is in the time of the functions already, and is only told.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime, timedelta

from redis.exceptions import RedisError

from observability.aws import usage
from observability.costs.history import configuration
from observability.costs.ledger import Ledger
from observability.telemetry.daily import DAY
from observability.telemetry.environment import Metric
from observability.telemetry.pricing import time_usd
from observability.telemetry.records import Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization

LONGEST = 40
"""Days for which calls are counted."""

Asked = Mapping[str, Mapping[date, float]]
"""USD by account (twelve digits) and day."""


def asked(organization: Organization, window: Window, *, now: datetime) -> Asked:
    """What AWS takes for the metrics that we asked for; nothing of it while nobody can tell.

    Only of accounts that were ever connected: whoever names another's account and waits for its role learns nothing.
    """
    days = min(LONGEST, (now.date() - window.start.date()).days + 1)
    found: defaultdict[str, dict[date, float]] = defaultdict(dict)
    first, last = window.start.date(), (window.end - timedelta.resolution).date()
    connected = organization.aws_accounts.filter(connected_at__isnull=False)
    try:
        for account in sorted(set(connected.values_list("account_id", flat=True))):
            for each in usage.of_account(account, days=days, now=now):
                if each.metrics and first <= each.day <= last:
                    found[account][each.day] = each.cost_usd
    except RedisError:
        return {}
    return found


def extension(ledger: Ledger, organization: Organization, window: Window) -> dict[int, float]:
    """USD of the time that the extension held each function or kept it starting, by the function's id."""
    metrics = [(Metric.HELD, "Sum"), (Metric.OWN_INIT, "Average")]
    found = get_store().measured_by_resource(organization.pk, window, metrics=metrics, step=DAY)
    held, init = (found.get(metric, {}) for metric in metrics)
    cold = ledger.by_function("cold_starts", ledger.within(window))
    costs = {}
    for index, function in enumerate(ledger.functions):
        told = configuration(function.region, function.config)
        starting = [each.value for each in init.get(function.id, ()) if each.value is not None]
        ms = sum(each.value or 0 for each in held.get(function.id, ()))
        ms += sum(starting) / len(starting) * cold[index] if starting else 0
        if ms:
            costs[function.id] = time_usd(told.price(), billed_ms=ms, memory_mb=told.memory_mb)
    return costs
