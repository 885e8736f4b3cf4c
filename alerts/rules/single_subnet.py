"""Functions that stand still when one availability zone does."""

import json
from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject


class SingleSubnet:
    kind = "single_subnet"
    title = "Runs in one availability zone only"
    why = "A subnet lies in one zone. When that zone fails, or its addresses run out, the function cannot start."
    source = "https://docs.aws.amazon.com/securityhub/latest/userguide/lambda-controls.html#lambda-5"
    pillar = Pillar.RELIABILITY
    severity = Severity.INFO
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = ()

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        vpc = subject.config.get("vpc") or {}
        subnets = list(vpc.get("subnets") or ())
        if len(subnets) != 1:
            return
        both = [subnets[0], "SUBNET_IN_ANOTHER_ZONE"]
        groups = vpc.get("security_groups") or ()
        yield Advice(
            text=f"{subject.name} is connected to one subnet of its VPC, and so to one availability zone.",
            evidence=[("VPC", vpc.get("id") or "not known"), ("Subnet", subnets[0])],
            fixes=configure(
                subject,
                [f"--vpc-config SubnetIds={','.join(both)},SecurityGroupIds={','.join(groups)}"],
                [
                    "vpc_config {",
                    f"  subnet_ids         = {json.dumps(both)}",
                    f"  security_group_ids = {json.dumps(list(groups))}",
                    "}",
                ],
                ["VpcConfig:", "  SubnetIds:", *(f"    - {each}" for each in both), "  SecurityGroupIds:"]
                + [f"    - {each}" for each in groups],
            ),
            confidence=Confidence.HIGH,
        )
