"""Roles that many functions run as, so that each may do what any of them must."""

from collections.abc import Iterable, Mapping

from alerts import wiring
from alerts.finding import Severity
from alerts.fixes import cli, option, sam, steps, terraform
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject

SHOWN = 8


class RoleShared:
    """Told once for a role, of the first watched function that has it."""

    kind = "role_shared"
    title = "Many functions share one role"
    why = "Each of them may do whatever any of them must. A flaw in the least of them opens everything."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html"
    pillar = Pillar.SECURITY
    severity = Severity.INFO
    effort = Effort.DAYS
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("functions", "More functions than", 5, "functions", least=1),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        role = subject.config.get("role") or ""
        sharing = wiring.wiring(estate).roles.get(role, ())
        if len(sharing) <= knobs["functions"] or subject.arn != next(each.arn for each in sharing if each.watched):
            return
        name = role.rpartition("/")[2]
        names = [each.name for each in sharing]
        own = f"{subject.name}-role"
        yield Advice(
            text=f"{len(sharing)} functions run as {name}.",
            evidence=[
                ("Role", name),
                ("Functions", ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if names[SHOWN:] else "")),
            ],
            fixes=[
                steps(
                    f"Have IAM Access Analyzer make a policy from what {subject.name} really did.",
                    "Make a role with just that for it, and go on with the next function.",
                ),
                cli(
                    "lambda update-function-configuration", subject.region, option("function-name", subject.name),
                    option("role", f"{role.rpartition('/')[0]}/{own}"),
                ),
                terraform("aws_lambda_function", subject.name, f'role = "{role.rpartition("/")[0]}/{own}"'),
                sam("AWS::Serverless::Function", subject.name, "Policies:", "  - what this function needs"),
            ],
            confidence=Confidence.HIGH,
            topic=name,
        )  # fmt: skip
