"""Standard workflows that would cost a fraction as Express ones."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import sam, steps, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.telemetry.pricing import around
from observability.ui.units import dollars, milliseconds, number

DAYS = 30.4
LONGEST_MS = 240_000
"""Express workflows end after five minutes; some room is left."""

GB = 0.0625
"""The least memory that an execution is billed with."""


class StateMachineCouldBeExpress:
    """How many transitions an execution makes is not told: from half of its states to each of them once."""

    kind = "state_machine_could_be_express"
    title = "Short workflow is paid by the step"
    why = (
        "A Standard workflow costs by the state transition, an Express one by the execution and its time. Where many "
        "short ones run, Express costs a fraction."
    )
    source = "https://docs.aws.amazon.com/step-functions/latest/dg/choosing-workflow-type.html"
    pillar = Pillar.COST
    severity = Severity.INFO
    effort = Effort.DAYS
    measure = Measure.NONE
    types: tuple[str, ...] = ("state_machine",)
    knobs: tuple[Knob, ...] = (Knob("usd", "Would save at least", 5, "USD a month"),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        started, states = subject.total("ExecutionsStarted"), subject.config.get("states")
        longest, mean = subject.peak("ExecutionTime"), subject.peak("ExecutionTime", "Average")
        days = estate.days_of(subject)
        if subject.config.get("type") != "STANDARD" or not started or not states or not longest or days < 1:
            return
        monthly = started * DAYS / days
        express = monthly * (
            around("states_million_express") / 1e6 + (mean or 0) / 1_000 * GB * around("states_express_gb_second")
        )  # fmt: skip
        each = around("states_million_transitions") / 1e6
        least, most = (monthly * transitions * each - express for transitions in (max(1, states / 2), states))
        if longest > LONGEST_MS or most < knobs["usd"]:
            return
        yield Advice(
            text=f"{subject.name} never runs longer than {milliseconds(longest)}, and pays for each of its steps.",
            evidence=[
                ("Executions", f"{number(monthly)} a month"),
                ("States", str(states)),
                ("Longest execution", milliseconds(longest)),
                ("Costs now", f"up to {dollars(monthly * states * each)} a month"),
                ("As Express workflow", f"{dollars(express)} a month"),
            ],
            fixes=[
                steps(
                    "Check that every step may run twice, and that none waits for a task token or another job.",
                    "Make a new state machine of type Express, for the type cannot be changed, with logging on.",
                    "Send its callers there, then delete this one.",
                ),
                terraform("aws_sfn_state_machine", subject.name, 'type = "EXPRESS"'),
                sam("AWS::Serverless::StateMachine", subject.name, "Type: EXPRESS"),
            ],
            confidence=Confidence.LOW,
            usd_month=(max(0.0, least), most),
        )
