"""A bill for one function, line by line, from what it used and how it was configured: nothing here reads anything.

Amounts are USD at list price, as doubles: they hold 15 digits, and a sum of a million of them is off by less than a
millionth of a cent. Nothing is rounded before it is shown; AWS too rounds the sum of a month, not its parts.
https://aws.amazon.com/lambda/pricing/
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from observability.telemetry.pricing import FREE_STORAGE_MB, Price, pays_for_snapshots, price
from observability.telemetry.records import Window

TITLES: Mapping[str, str] = {
    "compute": "Running code",
    "init": "Cold starts",
    "requests": "Requests",
    "storage": "Ephemeral storage",
    "provisioned": "Provisioned concurrency",
    "snapstart": "SnapStart",
    "logs": "Logs",
    "monitoring": "Monitoring by Nightjar",
}
"""The lines of a bill, in order. None is part of another, so they add up."""

ROUNDED_TO = timedelta(minutes=5)
"""AWS rounds the time for which provisioned concurrency is on up to this."""

SNAPSHOT_AT_LEAST = timedelta(hours=3)
MB_MS = 1_024_000
"""Megabytes times milliseconds in a GB-second."""


@dataclass(slots=True)
class Bill:
    """Amounts in USD by line. Two of them add up."""

    compute: float = 0.0
    init: float = 0.0
    requests: float = 0.0
    storage: float = 0.0
    provisioned: float = 0.0
    snapstart: float = 0.0
    logs: float = 0.0
    monitoring: float = 0.0

    @property
    def total(self) -> float:
        return sum(amount for _, amount in self.lines)

    @property
    def lines(self) -> list[tuple[str, float]]:
        """Every line with its amount, in order."""
        return [(line.name, getattr(self, line.name)) for line in fields(self)]

    def __add__(self, other: "Bill") -> "Bill":
        return Bill(**{name: amount + getattr(other, name) for name, amount in self.lines})


@dataclass(frozen=True, slots=True)
class Configuration:
    """What of a function's configuration costs. ``concurrency`` is what is provisioned, over all qualifiers."""

    region: str
    memory_mb: int
    architecture: str = "x86_64"
    ephemeral_mb: int = FREE_STORAGE_MB
    runtime: str = ""
    concurrency: int = 0

    @property
    def gb(self) -> float:
        return self.memory_mb / 1024

    def price(self, *, provisioned: bool = False) -> Price:
        return price(self.region, self.architecture or "x86_64", provisioned=provisioned)


@dataclass(frozen=True, slots=True)
class Usage:
    """What ran in some time. ``billed_ms`` is Lambda's own figure, of which ``provisioned_ms`` ran in environments of
    provisioned concurrency and ``init_ms`` was initialization elsewhere. ``restores`` are of SnapStart.
    """

    invocations: int = 0
    billed_ms: float = 0.0
    init_ms: float = 0.0
    provisioned_ms: float = 0.0
    restores: int = 0


def used(usage: Usage, configuration: Configuration) -> Bill:
    """What running cost: every line that follows from invocations."""
    usual, ready = configuration.price(), configuration.price(provisioned=True)
    mb_ms_usd = configuration.memory_mb / MB_MS
    on_demand_ms = usage.billed_ms - usage.provisioned_ms
    beyond_mb = max(0, configuration.ephemeral_mb - FREE_STORAGE_MB)
    restores = usage.restores if pays_for_snapshots(configuration.runtime) else 0
    return Bill(
        compute=mb_ms_usd * ((on_demand_ms - usage.init_ms) * usual.gb_second + usage.provisioned_ms * ready.gb_second),
        init=mb_ms_usd * usage.init_ms * usual.gb_second,
        requests=usage.invocations * usual.request,
        storage=usage.billed_ms * beyond_mb / MB_MS * usual.storage_gb_second,
        snapstart=restores * configuration.gb * usual.restore_gb,
    )


@dataclass(frozen=True, slots=True)
class Charge:
    """So much a second for as long as it stands, whether anything runs or not."""

    line: str
    usd_per_second: float
    start: datetime
    end: datetime

    def within(self, window: Window) -> float:
        """What of it falls into the window, in USD."""
        seconds = (min(self.end, window.end) - max(self.start, window.start)).total_seconds()
        return max(0.0, seconds) * self.usd_per_second


@dataclass(frozen=True, slots=True)
class Period:
    """A function was configured like this in ``[start, end)``."""

    configuration: Configuration
    start: datetime
    end: datetime


def kept_ready(periods: Sequence[Period]) -> list[Charge]:
    """The charges for provisioned concurrency, from periods that follow one another in order of time.

    Where it is switched off the time since it was switched on is rounded up; where it still stands it is not, for
    nobody knows yet where that will end.
    """
    charges = []
    on_since: datetime | None = None
    for index, period in enumerate(periods):
        if not period.configuration.concurrency:
            on_since = None
            continue
        on_since = on_since or period.start
        following = periods[index + 1 : index + 2]
        ends = bool(following) and not following[0].configuration.concurrency
        end = on_since + _rounded_up(period.end - on_since) if ends else period.end
        charges.append(Charge("provisioned", ready_usd_per_second(period.configuration), period.start, end))
    return charges


def _rounded_up(length: timedelta) -> timedelta:
    return -(-length // ROUNDED_TO) * ROUNDED_TO


def ready_usd_per_second(configuration: Configuration) -> float:
    """What provisioned concurrency costs in a second, used or not."""
    return configuration.concurrency * configuration.gb * configuration.price().concurrency_gb_second


def snapshot(configuration: Configuration, *, published_at: datetime, until: datetime) -> Charge:
    """The charge for the cached snapshot of one version, from when it was published until it was deleted or now."""
    rate = (
        configuration.gb * configuration.price().snapshot_gb_second if pays_for_snapshots(configuration.runtime) else 0
    )
    return Charge("snapstart", rate, published_at, max(until, published_at + SNAPSHOT_AT_LEAST))


def standing(charges: Iterable[Charge], window: Window) -> Bill:
    """What of the charges falls into the window."""
    bill = Bill()
    for charge in charges:
        setattr(bill, charge.line, getattr(bill, charge.line) + charge.within(window))
    return bill
