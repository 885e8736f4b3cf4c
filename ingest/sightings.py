"""Whether a function ran at some time, by anything that tells of it, and whether we would know by now."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from ingest.collectors.lambda_logs import log_group
from ingest.collectors.lambda_metrics import complete_until
from ingest.models import Collection, LogGroup
from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.telemetry.grains import MINUTE, floor
from observability.telemetry.records import Window
from observability.telemetry.store import get_store

UNLISTED = timedelta(minutes=15)
"""CloudWatch may take so long to list a function that ran again after a long rest."""


MOST = 50


class Sight:
    """How far we can see in one account."""

    def __init__(self, account: AwsAccount) -> None:
        reading = Collection.objects.filter(account=account, kind="lambda_metrics")
        self.metrics: Mapping[str, datetime | None] = {
            region: complete_until(cursor) for region, cursor in reading.values_list("region", "cursor")
        }
        groups = LogGroup.objects.filter(account=account, trouble="").values_list("region", "name", "read_until")
        self.logs = {(region, name): read_until for region, name, read_until in groups}

    def reaches(self, function: Resource, moment: datetime) -> bool:
        """Whether we would know by now of a run that ended before the moment.

        Metrics are complete for who is known to be active; who is not may appear in their list late, so that they
        need some time more, or logs that say the same.
        """
        metrics = self.metrics.get(function.region)
        if metrics is None or metrics < moment:
            return False
        logs = self.logs.get((function.region, log_group(function)))
        return metrics >= moment + UNLISTED or (logs is not None and logs >= moment)


def first_run(function: Resource, window: Window) -> datetime | None:
    """When the function began to run in the window, as far as anything tells; metrics tell it by the minute."""
    stored = _stored(function, window)
    exact = 0 < len(stored) < MOST
    return min(stored if exact else stored + _counted(function, window), default=None)


def last_run(function: Resource, window: Window) -> datetime | None:
    """As ``first_run``, the last time."""
    return max(_stored(function, window) + _counted(function, window), default=None)


def _stored(function: Resource, window: Window) -> list[datetime]:
    """When the last ``MOST`` runs began; where none is stored, the last line that one wrote."""
    store, owner = get_store(), function.organization_id
    runs = store.invocations(owner, window, resource_id=function.pk, limit=MOST)
    if runs:
        return [run.started_at for run in runs]
    return [line.at for line in store.log_lines(owner, window, resource_id=function.pk, limit=1, newest_first=True)]


def _counted(function: Resource, window: Window) -> list[datetime]:
    """The minutes in which CloudWatch counted a run."""
    minutes = Window(floor(window.start, MINUTE), window.end)
    points = get_store().points(
        function.organization_id, minutes, metric="Invocations", statistic="Sum", resource_ids=[function.pk]
    )
    return [max(point.at.astimezone(UTC), window.start) for point in points[function.pk] if point.value]
