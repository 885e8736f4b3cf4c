"""Functions that pay for a large /tmp that they do not fill."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from alerts.saving import per_month, price_of
from observability.inventory.limits import MIB
from observability.telemetry.pricing import FREE_STORAGE_MB
from observability.ui.units import dollars, size

ROOM, STEP_MB = 1.5, 512


class TmpIdle:
    kind = "tmp_idle"
    title = "Larger /tmp than it needs"
    why = "Beyond 512 MB every run pays for the size of /tmp, whether it writes there or not."
    source = "https://aws.amazon.com/lambda/pricing/"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.COST
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("used", "Only where never more was used than", 50, "%", 1, 100),
        Knob("usd", "Only where it may save at least", 0.5, "USD a month"),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        given, used = subject.config.get("ephemeral_mb") or 0, subject.peak("tmp_used")
        if given <= FREE_STORAGE_MB or used is None or used / MIB / given * 100 > knobs["used"]:
            return
        wanted = max(FREE_STORAGE_MB, -int(-used * ROOM / MIB // STEP_MB) * STEP_MB)
        spared = subject.rollup.billed_ms * (given - wanted) / 1_024_000 * price_of(subject).storage_gb_second
        usd = per_month(spared, subject, estate)
        if wanted >= given or usd is None or usd < knobs["usd"]:
            return
        yield Advice(
            text=f"{subject.name} has {size(given * MIB)} of /tmp and never used more than {size(used)}.",
            evidence=[
                ("Size of /tmp", size(given * MIB)),
                ("Most that was used", size(used)),
                ("Not needed", f"{size((given - wanted) * MIB)}, {dollars(usd)} a month"),
            ],
            fixes=configure(
                subject,
                [f"--ephemeral-storage Size={wanted}"],
                ["ephemeral_storage {", f"  size = {wanted}", "}"],
                ["EphemeralStorage:", f"  Size: {wanted}"],
            ),
            confidence=Confidence.MEDIUM,
            usd_month=(usd, usd),
        )
