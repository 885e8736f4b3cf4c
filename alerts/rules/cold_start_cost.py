"""What cold starts cost: since August 2025 AWS bills the time in which an environment begins (F11)."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.saving import mean_init_ms, time_month
from observability.ui.units import dollars, milliseconds, number, percent

AT_BEST, AT_LEAST = 0.6, 0.2
"""How much of its start a function mostly loses by importing less."""

LANGUAGES = {
    "python": "Run python -X importtime on the handler's module: the last column says what each import takes.",
    "nodejs": "Bundle with esbuild and look at its metafile: what is not in the bundle is not loaded.",
    "java": "Leave out dependency injection that scans the class path, and set JAVA_TOOL_OPTIONS to "
    "-XX:TieredStopAtLevel=1.",
    "dotnet": "Publish with ReadyToRun, or Native AOT, so that nothing is compiled when it starts.",
}


class ColdStartCost:
    kind = "cold_start_cost"
    title = "Cold starts cost money"
    why = "AWS bills the start of an environment like running time, also where the code only loads its libraries."
    source = "https://aws.amazon.com/blogs/compute/aws-lambda-standardizes-billing-for-init-phase/"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.HOURS
    measure = Measure.COLD_STARTS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (
        Knob("usd", "Only where starts cost at least", 1, "USD a month"),
        Knob("share", "Only where starts are over so much of its running time", 5, "%", 0, 100),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        rollup = subject.rollup
        cost = time_month(subject, estate, billed_ms=rollup.init_ms)
        if not rollup.cold_starts or not rollup.billed_ms or cost is None or cost < knobs["usd"]:
            return
        share = min(1.0, rollup.init_ms / rollup.billed_ms)
        if share * 100 <= knobs["share"]:
            return
        yield Advice(
            text=f"Cold starts of {subject.name} cost {dollars(cost)} a month, {percent(share)} of its running time.",
            evidence=[
                ("Starts cost", f"{dollars(cost)} a month"),
                ("Runs cost", f"{dollars((time_month(subject, estate) or 0) - cost)} a month"),
                ("Cold starts", f"{number(rollup.cold_starts)} of {number(rollup.invocations)} runs"),
                ("Mean start", milliseconds(mean_init_ms(subject))),
            ],
            fixes=[_fix(subject)],
            confidence=Confidence.LOW,
            usd_month=(cost * AT_LEAST, cost * AT_BEST),
            saved_ms=mean_init_ms(subject) * AT_LEAST,
        )


def _fix(subject: Subject) -> Fix:
    runtime = str(subject.config.get("runtime") or "")
    own = [told for language, told in LANGUAGES.items() if runtime.startswith(language)]
    return steps(
        *own,
        "Import what few events need inside the branch that needs it.",
        "Deploy less: the page of its package says which dependencies are large.",
        "Set its memory a step higher and compare: starts are bound by CPU, and a shorter one costs the same.",
    )
