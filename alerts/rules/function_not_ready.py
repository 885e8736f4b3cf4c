"""Functions that cannot run as they are, or whose last change AWS could not carry out."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.reconfigure import function_cli
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject

TOLD = {
    "Failed": ("cannot run: AWS could not set it up", Severity.CRITICAL),
    "Inactive": ("was put to rest by AWS and refuses its next call, while it is woken", Severity.INFO),
}


class FunctionNotReady:
    kind = "function_not_ready"
    title = "Function is not ready to run"
    why = "In state Failed or Inactive calls are refused; after a failed update the old code goes on running unnoticed."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.HOURS
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        config = subject.config
        state, update = config.get("state") or "", config.get("update_status") or ""
        if state in TOLD:
            what, severity = TOLD[state]
            if severity == Severity.CRITICAL and not _is_called(subject):
                severity = Severity.WARNING
        elif update == "Failed":
            what, severity = "still runs its old code: AWS could not carry out the last change", Severity.WARNING
        else:
            return
        yield Advice(
            text=f"{subject.name} {what}.",
            evidence=[
                ("State", state or "not known"),
                ("Last update", update or "not known"),
                ("Reason", config.get("state_reason") or "AWS gives none"),
                ("Role", config.get("role") or "not known"),
            ],
            fixes=[
                function_cli(subject, "get-function-configuration"),
                steps(
                    "The answer's StateReason and LastUpdateStatusReason say what lacks: often a subnet, a security "
                    "group, a KMS key or an image that is gone, or a role that may not use them.",
                    "Bring it back or change the function, then deploy once more.",
                ),
            ],
            confidence=Confidence.HIGH,
            severity=severity,
        )


def _is_called(subject: Subject) -> bool:
    """Whether anybody missed it in the last two weeks."""
    told = ("Invocations", "Throttles", "AsyncEventsReceived")
    return bool(subject.rollup.invocations or any(subject.total(metric) for metric in told))
