"""Functions where many calls wait for a new environment to begin."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import option, steps
from alerts.reconfigure import configure, function_cli
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.saving import may_snap, mean_init_ms
from observability.ui.units import milliseconds, number, percent


class ColdStarts:
    kind = "cold_starts"
    title = "Many cold starts"
    why = "Whoever calls waits for the environment as well, often for seconds, and each of these starts is paid."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html"
    pillar = Pillar.PERFORMANCE
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.COLD_STARTS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("rate", "Only where more runs begin cold than", 1, "%", 0, 100),
        Knob("init", "Only where a start takes on average over", 500, "ms"),
        Knob("invocations", "Only where it ran at least so often", 1_000, "times", 1),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        rollup, init = subject.rollup, mean_init_ms(subject)
        if rollup.invocations < knobs["invocations"] or init <= knobs["init"]:
            return
        rate = rollup.cold_starts / rollup.invocations
        if rate * 100 <= knobs["rate"]:
            return
        yield Advice(
            text=f"{percent(rate)} of the runs of {subject.name} begin cold, which adds {milliseconds(init)} to each.",
            evidence=[
                ("Cold starts", f"{number(rollup.cold_starts)} of {number(rollup.invocations)} runs"),
                ("Mean start", milliseconds(init)),
                ("95th percentile of a run", milliseconds(subject.p95_ms)),
                ("Most at the same time", number(subject.peak("ConcurrentExecutions"))),
            ],
            fixes=_fixes(subject),
            confidence=Confidence.MEDIUM,
            saved_ms=init,
        )


def _fixes(subject: Subject) -> list[Fix]:
    less = steps(
        "Import only what the handler needs, and what few events need inside the branch that needs it.",
        "Make the package smaller: the page of its package says what is large in it.",
        "Keep clients and connections outside the handler, but open them when they are first used.",
    )
    if subject.config.get("snap_start") == "PublishedVersions":
        return [less, steps("Let callers name a version or an alias: $LATEST has no snapshot to begin from.")]
    if may_snap(subject):
        return [
            less,
            *configure(
                subject,
                ["--snap-start ApplyOn=PublishedVersions"],
                ["publish = true", "snap_start {", '  apply_on = "PublishedVersions"', "}"],
                ["AutoPublishAlias: live", "SnapStart:", "  ApplyOn: PublishedVersions"],
            ),
            function_cli(subject, "publish-version"),
        ]
    alias = next(iter(sorted(subject.config.get("aliases") or {})), "live")
    warm = function_cli(
        subject, "put-provisioned-concurrency-config", option("qualifier", alias),
        option("provisioned-concurrent-executions", 1),
    )  # fmt: skip
    return [less, warm]
