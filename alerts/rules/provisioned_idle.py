"""Environments that are kept warm and paid all day, but are hardly used."""

import math
from collections.abc import Iterable, Mapping
from typing import Any

from alerts.finding import Severity
from alerts.fixes import option, terraform
from alerts.reconfigure import function_cli, in_template
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from alerts.saving import FEWEST_DAYS, MONTH_S, measured_days, memory_mb, price_of
from alerts.wiring import reached
from observability.ui.units import counted, dollars, number, percent

FULL = 0.8
"""To so much of them should be used at the peak."""


class ProvisionedIdle:
    kind = "provisioned_idle"
    title = "Provisioned concurrency is hardly used"
    why = "Every environment that is kept warm is paid by the second, whether a call comes or not."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/provisioned-concurrency.html"
    pillar = Pillar.COST
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.COST
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("used", "Only where never more were used than", 60, "%", 1, 100),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        used = subject.peak("ProvisionedConcurrencyUtilization")
        used = 0.0 if used is None and _slept(subject, estate) else used
        if used is None or used * 100 >= knobs["used"] or measured_days(subject, estate) < FEWEST_DAYS:
            return
        for each in subject.config.get("provisioned") or ():
            if each["requested"] > (enough := math.ceil(each["requested"] * used / FULL)):
                yield _advice(subject, each, used, enough)


def _slept(subject: Subject, estate: Estate) -> bool:
    """Whether nothing ran at all; that nothing was told does not mean so."""
    ran = subject.rollup.invocations or subject.total("Invocations")
    return not ran and reached(subject, estate, days=measured_days(subject, estate))


def _advice(subject: Subject, provisioned: Mapping[str, Any], used: float, enough: int) -> Advice:
    requested, qualifier = provisioned["requested"], provisioned["qualifier"]
    each = memory_mb(subject) / 1024 * price_of(subject).concurrency_gb_second * MONTH_S
    return Advice(
        text=f"{subject.name} keeps {counted(requested, 'environment')} of {qualifier} warm, and never used more than "
        f"{percent(used)} of that.",
        evidence=[
            ("Kept warm", f"{requested:,} for {qualifier}"),
            ("Most that were used", percent(used)),
            ("They cost", f"{dollars(each * requested)} a month"),
            ("Runs", number(subject.rollup.invocations)),
            ("Triggers that call $LATEST, which has none", str(len(_beside(subject)))),
        ],
        fixes=_fixes(subject, qualifier, enough),
        confidence=Confidence.MEDIUM,
        usd_month=(each * (requested - enough), each * requested if not used else each * (requested - enough)),
        topic=qualifier,
    )


def _beside(subject: Subject) -> list[Mapping[str, Any]]:
    """Triggers and URLs that pass the warm environments by."""
    config = subject.config
    calling = [*(config.get("event_sources") or ()), *(config.get("url") or ())]
    return [each for each in calling if each.get("qualifier") == "$LATEST"]


def _fixes(subject: Subject, qualifier: str, enough: int) -> list[Fix]:
    alias = option("qualifier", qualifier)
    if not enough:
        return [function_cli(subject, "delete-provisioned-concurrency-config", alias)]
    number_of = option("provisioned-concurrent-executions", enough)
    return [
        function_cli(subject, "put-provisioned-concurrency-config", alias, number_of),
        terraform(
            "aws_lambda_provisioned_concurrency_config", f"{subject.name}_{qualifier}",
            f"provisioned_concurrent_executions = {enough}",
        ),
        in_template(
            subject, "ProvisionedConcurrencyConfig:", f"  ProvisionedConcurrentExecutions: {enough}"
        ),
    ]  # fmt: skip
