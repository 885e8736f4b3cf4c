"""Step Functions' state machines, and which functions they call."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from ingest.collector import Found, Harvest, Permission, Scope
from ingest.extras import TAGS, Answer, Extras, Tags, in_turn
from ingest.function_config import unqualified
from observability.aws.sessions import Region

MOST = 50
"""So many state machines are described in one run."""

FUNCTION = re.compile(r"arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Raw:
    """Descriptions are by ARN, None where they were not told."""

    machines: Sequence[Answer]
    descriptions: Mapping[str, Answer | None]
    tags: Sequence[Answer] | None
    lacking: tuple[str, ...]


class StateMachines:
    kind = "state_machines"
    title = "State machines"
    every = timedelta(minutes=15)
    permissions: tuple[Permission, ...] = (
        Permission(
            action="states:ListStateMachines",
            why="Finds your state machines.",
            without="State machines are missing from the inventory.",
            probe=("stepfunctions", "list_state_machines", {"maxResults": 1}),
            wild="AWS allows nothing finer for this action.",
        ),
        Permission(
            action="states:DescribeStateMachine",
            why="Reads which functions a state machine calls, and whether it logs. The rest of it is not kept.",
            without="A function does not show which state machines call it.",
            probe=(
                "stepfunctions",
                "describe_state_machine",
                {"stateMachineArn": "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}"
                                    ":stateMachine:nightjar-probe"},
            ),
            resource="arn:${AWS::Partition}:states:*:${AWS::AccountId}:stateMachine:*",
        ),
        TAGS,
    )  # fmt: skip

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        pages = aws.pages("stepfunctions", "list_state_machines", maxResults=1000)
        machines = [machine for page in pages for machine in page["stateMachines"]]
        extras = Extras(aws)
        arns = (machine["stateMachineArn"] for machine in machines)
        descriptions = {
            arn: extras.call("stepfunctions", "describe_state_machine", stateMachineArn=arn)
            for arn in in_turn(arns, scope.cursor.get("after", ""), MOST)
        }
        return Raw(machines, descriptions, extras.tags("states:stateMachine"), extras.lacking)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        tags, found = Tags(raw.tags), []
        for machine in raw.machines:
            arn, told = machine["stateMachineArn"], raw.descriptions.get(machine["stateMachineArn"])
            config = {"type": machine["type"], **(_config(told) if told else {})}
            found.append(Found("state_machine", arn, machine["name"], config, tags.of(arn)))
        cursor = {"after": list(raw.descriptions)[-1] if raw.descriptions else ""}
        return Harvest(found=found, complete=frozenset({"state_machine"}), cursor=cursor, lacking=raw.lacking)


def _config(machine: Answer) -> dict[str, Any]:
    """The definition itself may hold anything that its authors wrote into it, and stays outside."""
    logging = machine.get("loggingConfiguration") or {}
    groups = [each.get("cloudWatchLogsLogGroup", {}).get("logGroupArn", "") for each in logging.get("destinations", ())]
    return {
        "status": machine.get("status", "ACTIVE"),
        "role": machine["roleArn"],
        "log_level": logging.get("level", "OFF"),
        "log_groups": [group.removesuffix(":*") for group in groups if group],
        "tracing": bool((machine.get("tracingConfiguration") or {}).get("enabled")),
        "states": _states(machine["definition"]),
        "functions": sorted({unqualified(arn) for arn in FUNCTION.findall(machine["definition"])}),
    }


def _states(definition: str) -> int:
    """How many states there are, those inside of Map and Parallel as well."""
    try:
        return _counted(json.loads(definition))
    except (ValueError, RecursionError):
        return 0


def _counted(part: Any) -> int:
    if isinstance(part, list):
        return sum(map(_counted, part))
    if not isinstance(part, dict):
        return 0
    states = part.get("States")
    here = len(states) if isinstance(states, dict) else 0
    return here + sum(map(_counted, part.values()))
