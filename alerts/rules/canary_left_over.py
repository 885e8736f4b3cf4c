"""Aliases that share their calls between two versions, and have done so for longer than a rollout takes."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import option, steps
from alerts.reconfigure import function_cli
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject


class CanaryLeftOver:
    kind = "canary_left_over"
    title = "Rollout stopped halfway"
    why = "Two versions answer the same calls. That is meant for minutes; afterwards it makes faults hard to find."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("days", "Only when nothing was changed for", 2, "days"),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        since = max(subject.deployed_at or subject.first_seen_at, subject.first_seen_at)
        days = (estate.now - since).total_seconds() / 86_400
        if days < knobs["days"]:
            return
        for name, alias in sorted((subject.config.get("aliases") or {}).items()):
            for version, share in sorted((alias.get("weights") or {}).items()):
                yield Advice(
                    text=f"{float(share):.0%} of the calls of {subject.name}:{name} have gone to version {version} for "
                    f"{days:.0f} days, the others go to version {alias['version']}.",
                    evidence=[
                        ("Alias", name),
                        ("Version of most calls", str(alias["version"])),
                        (f"Share of version {version}", f"{float(share):.0%}"),
                        ("Nothing changed for", f"{days:.0f} days"),
                    ],
                    fixes=[
                        steps(f"Compare errors and duration of both, then take {version} for all calls or for none."),
                        function_cli(
                            subject,
                            "update-alias",
                            option("name", name),
                            option("function-version", version),
                            "--routing-config AdditionalVersionWeights={}",
                        ),
                    ],
                    confidence=Confidence.HIGH,
                    topic=f"{name}:{version}",
                )
