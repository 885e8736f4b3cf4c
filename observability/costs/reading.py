"""What a ledger is made of, read in a fixed number of queries however many functions there are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, JSONField, QuerySet, TextField, Value

from observability.costs.history import KEYS, Change, Function
from observability.costs.ledger import Ledger, ledger
from observability.inventory.listing import FUNCTION
from observability.inventory.models import Deployment, Resource
from observability.telemetry.daily import DAY, number
from observability.telemetry.records import Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization

HEAVY = ["versions", "environment", "layers", "aliases", "event_sources", "unzipped", "vpc", "url", "event_invoke"]
"""Parts of a configuration that cost nothing, and that of ten thousand functions are too much to read."""

LOG_BYTES = ("IncomingBytes", "Sum")


def read(organization: Organization, window: Window, resources: QuerySet[Resource] | None = None) -> Ledger:
    """The ledger of an organization, or of these resources of it, in three queries."""
    chosen = organization.resources.all() if resources is None else resources
    functions = described(organization, chosen, since=window.start)
    ids = None if resources is None else [function.id for function in functions]
    store = get_store()
    return ledger(functions, store.daily(organization.pk, window, ids), window, logs=_logs(organization, window, ids))


def described(organization: Organization, resources: QuerySet[Resource], *, since: datetime) -> list[Function]:
    """The functions of the resources, in order of their ids, with what changed their price since."""
    slim = Func(F("config"), Value(HEAVY, ArrayField(TextField())), arg_joiner=" - ", template="(%(expressions)s)",
                output_field=JSONField())  # fmt: skip
    rows = (
        resources.filter(type=FUNCTION).annotate(slim=slim).order_by("pk")
        .values_list("pk", "name", "region", "account", "slim", "first_seen_at", "gone_at")
    )  # fmt: skip
    changed = _changes(organization, since)
    return [Function(*row, changes=changed.get(row[0], ())) for row in rows]


def _changes(organization: Organization, since: datetime) -> Mapping[int, Sequence[Change]]:
    recent = Deployment.objects.filter(
        organization=organization, deployed_at__gt=since, changes__has_any_keys=list(KEYS)
    )
    found: defaultdict[int, list[Change]] = defaultdict(list)
    for resource_id, at, changes in recent.values_list("resource_id", "deployed_at", "changes"):
        found[resource_id].append(Change(at, changes))
    return found


def _logs(organization: Organization, window: Window, ids: Sequence[int] | None) -> dict[int, dict[int, float]]:
    """Bytes of logs that came in, by function and day."""
    metric, statistic = LOG_BYTES
    found = get_store().points(organization.pk, window, metric=metric, statistic=statistic, resource_ids=ids, step=DAY)
    return {
        resource_id: {number(each.at): each.value for each in readings if each.value}
        for resource_id, readings in found.items()
    }
