"""A rule that says what a test wants to hear, and a short way to take a look with it."""

from collections.abc import Iterable, Mapping
from datetime import datetime

import pytest

from alerts import pipeline
from alerts.finding import Severity
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.tenants.models import Organization


class TooMuchMemory:
    """Finds functions with at least so much memory as its knob says; raises about those that are called ``broken``."""

    kind = "too_much_memory"
    title = "More memory than it needs"
    why = "Memory is paid for whether it is used or not."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html"
    pillar = Pillar.COST
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.COST
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("megabytes", "From this size", 512, "MB", 128, 10_240),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        if subject.config.get("broken"):
            raise ValueError("a mistake of the rule")
        memory_mb = subject.config.get("memory_mb", 0)
        if memory_mb >= knobs["megabytes"]:
            yield Advice(
                text=f"{subject.name} has {memory_mb} MB.",
                evidence=(("Memory", f"{memory_mb} MB"),),
                fixes=(Fix("cli", f"aws lambda update-function-configuration --function-name {subject.name}"),),
                confidence=Confidence.HIGH,
                usd_month=(10.0, 20.0),
                severity=Severity.CRITICAL if memory_mb >= 3_008 else None,
            )


RULE = TooMuchMemory()


def look(organization: Organization, now: datetime, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Advise with this rule alone."""
    monkeypatch.setattr(pipeline, "RULES", (RULE,))
    return pipeline.advise(organization_id=organization.pk, now=now)
