"""Functions that would begin faster from a snapshot, and what that costs or saves (F11).

A snapshot is paid for as long as it is kept and for each restore, but for Java; the billed start goes away.
"""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.reconfigure import configure, function_cli
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.saving import MONTH_S, may_snap, mean_init_ms, memory_mb, per_month, price_of, time_month
from observability.telemetry.pricing import pays_for_snapshots
from observability.ui.units import dollars, milliseconds, number

RESTORED = 0.5
"""Of the start, at worst, that restoring still takes and bills."""


class SnapStartPayback:
    kind = "snap_start_payback"
    title = "SnapStart would pay"
    why = "With SnapStart a new environment begins from a snapshot of one that has begun, not from nothing."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.COLD_STARTS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("init", "Only where a start takes on average over", 1_000, "ms"),
        Knob("cold_starts", "Only with so many cold starts in two weeks", 100, "starts", 1),
        Knob("usd", "Only where it costs at most", 5, "USD a month more"),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        init, rollup = mean_init_ms(subject), subject.rollup
        if not may_snap(subject) or init <= knobs["init"] or rollup.cold_starts < knobs["cold_starts"]:
            return
        starts, price = time_month(subject, estate, billed_ms=rollup.init_ms), _price_month(subject, estate)
        if starts is None or price is None or price - starts * (1 - RESTORED) > knobs["usd"]:
            return
        low, high = starts * (1 - RESTORED) - price, starts - price
        yield Advice(
            text=f"{subject.name} takes {milliseconds(init)} to begin; from a snapshot, half of that or less.",
            evidence=[
                ("Mean start", milliseconds(init)),
                ("Cold starts", f"{number(rollup.cold_starts)} of {number(rollup.invocations)} runs"),
                ("Starts cost now", f"{dollars(starts)} a month"),
                ("SnapStart costs", f"{dollars(price)} a month for one version"),
                ("Together", f"saves {dollars(high)} at best, and costs {dollars(-low)} more at worst"
                 if low < 0 else f"saves {dollars(low)} to {dollars(high)} a month"),
            ],
            fixes=_fixes(subject),
            confidence=Confidence.LOW,
            usd_month=(low, high) if low >= 0 else None,
            saved_ms=init * (1 - RESTORED),
        )  # fmt: skip


def _fixes(subject: Subject) -> list[Fix]:
    """Only published versions have snapshots, so callers must be led to one."""
    return [
        *configure(
            subject,
            ["--snap-start ApplyOn=PublishedVersions"],
            ["publish = true", "snap_start {", '  apply_on = "PublishedVersions"', "}"],
            ["AutoPublishAlias: live", "SnapStart:", "  ApplyOn: PublishedVersions"],
        ),
        function_cli(subject, "publish-version"),
        steps(
            "Publish a version, and let callers name it or an alias of it: $LATEST has no snapshot.",
            "See that nothing made while starting must be unique or fresh: random seeds, connections, credentials.",
        ),
    ]


def _price_month(subject: Subject, estate: Estate) -> float | None:
    """What snapshots of one version cost a month."""
    if not pays_for_snapshots(subject.config["runtime"]):
        return 0.0
    gb, price = memory_mb(subject) / 1024, price_of(subject)
    restores = per_month(subject.rollup.cold_starts * gb * price.restore_gb, subject, estate)
    return None if restores is None else restores + gb * price.snapshot_gb_second * MONTH_S
