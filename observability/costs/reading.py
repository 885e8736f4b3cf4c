"""What a ledger is made of, read in a fixed number of queries however many functions there are."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, Func, JSONField, QuerySet, TextField, Value

from observability.costs.bill import Charge
from observability.costs.history import KEYS, Change, Function
from observability.costs.ledger import Ledger, ledger
from observability.inventory.listing import FUNCTION
from observability.inventory.models import Deployment, Resource
from observability.telemetry.pricing import log_gb
from observability.telemetry.records import Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization

HEAVY = ["versions", "environment", "layers", "aliases", "event_sources", "unzipped", "vpc", "url", "event_invoke"]
"""Parts of a configuration that cost nothing, and that of ten thousand functions are too much to read."""

LOG_GROUP, STANDARD = "log_group", "STANDARD"
GB = 1e9
"""CloudWatch bills logs by this many bytes."""

DAY_S = 86_400


def read(organization: Organization, window: Window, resources: QuerySet[Resource] | None = None) -> Ledger:
    """The ledger of an organization in four queries, or of these resources of it in five."""
    chosen = organization.resources.all() if resources is None else resources
    functions = described(organization, chosen, since=window.start)
    ids = None if resources is None else [function.id for function in functions]
    daily = get_store().daily(organization.pk, window, ids)
    there = (_log_group(function) for function in functions if function.gone_at is None)
    writers = Counter(there if resources is None else _written(organization))
    return ledger(functions, daily, window, logs=_logs(organization, functions, window, writers))


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


Group = tuple[str, str, str]
"""The account, region and name of a log group."""


def _written(organization: Organization) -> Iterator[Group]:
    """The group of every function that is there: who shares one must be known for a single function too."""
    there = organization.resources.filter(type=FUNCTION, gone_at=None)
    for account, region, name, group in there.values_list("account", "region", "name", "config__log_group"):
        yield account, region, group or f"/aws/lambda/{name}"


def _logs(
    organization: Organization, functions: Sequence[Function], window: Window, writers: Mapping[Group, int]
) -> dict[int, Charge]:
    """What comes into the log group of each function, at the pace of the last whole week that AWS told of.

    A group that several write to is shared between those that are there. Before a group was known its pace is not.
    """
    told = organization.resources.filter(type=LOG_GROUP, config__daily_bytes__gt=0)
    fields = ("account", "region", "name", "config__daily_bytes", "config__class", "first_seen_at", "gone_at")
    groups = {row[:3]: row[3:] for row in told.values_list(*fields)}
    charges = {}
    for function in functions:
        key = _log_group(function)
        if key in groups and not (function.gone_at and writers.get(key)):
            size, log_class, start, gone_at = groups[key]
            rate = size / GB / DAY_S * log_gb(function.region, log_class or STANDARD) / writers.get(key, 1)
            start, end = max(start, function.first_seen_at, window.start), min(gone_at or window.end, window.end)
            charges[function.id] = Charge("logs", rate, start, end)
    return charges


def _log_group(function: Function) -> Group:
    name = function.config.get("log_group") or f"/aws/lambda/{function.name}"
    return function.account, function.region, name
