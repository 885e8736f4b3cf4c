"""What wakes functions: rules of EventBridge with their schedules and patterns, and schedules of EventBridge Scheduler.

Only those are kept whose target is a function. The cursor remembers of each schedule when it was last modified as it
was read, and whether it calls a function.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from ingest.collector import Found, Harvest, Permission, Scope
from ingest.extras import TAGS, Answer, Extras, Tags
from ingest.function_config import unqualified
from observability.aws.sessions import Region

TYPE = "schedule_rule"
DEFAULT = "default"
INVOKE = ":aws-sdk:lambda:invoke"
MOST_ASKED, MOST_LISTED = 200, 2_000
"""So many schedules are read in one run, and considered at all: some applications make one per customer."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Rules with their targets, and what the listing says of schedules, each with all of it where that was read.

    ``complete`` says whether nothing was left out.
    """

    rules: Sequence[tuple[Answer, Sequence[Answer]]]
    schedules: Sequence[tuple[Answer, Answer | None]]
    tags: Sequence[Answer] | None
    complete: bool
    lacking: tuple[str, ...]


class EventSources:
    kind = "event_sources"
    title = "Rules and schedules"
    every = timedelta(minutes=15)
    permissions: tuple[Permission, ...] = (
        Permission(
            action="events:ListRules",
            why="Finds rules of EventBridge, so that Nightjar knows when a function is expected to run.",
            without="A schedule that stops, and a function that does not run on time, are not noticed.",
            probe=("events", "list_rules", {"Limit": 1}),
            wild="AWS allows nothing finer for this action.",
        ),
        Permission(
            action="events:ListTargetsByRule",
            why="Tells which rule runs which function.",
            without="Rules cannot be told apart from those that have nothing to do with functions, so none is shown.",
            probe=("events", "list_targets_by_rule", {"Rule": "nightjar-probe", "Limit": 1}),
            resource="arn:${AWS::Partition}:events:*:${AWS::AccountId}:rule/*",
        ),
        Permission(
            action="events:ListEventBuses",
            why="Finds your own event buses, whose rules run functions too.",
            without="Only rules of the default event bus are shown.",
            probe=("events", "list_event_buses", {"Limit": 1}),
            wild="AWS allows nothing finer for this action.",
        ),
        Permission(
            action="scheduler:ListSchedules",
            why="Finds schedules of EventBridge Scheduler.",
            without="Functions that those run are not missed when they do not run on time.",
            probe=("scheduler", "list_schedules", {"MaxResults": 1}),
            wild="AWS allows nothing finer for this action.",
        ),
        Permission(
            action="scheduler:GetSchedule",
            why="Reads when a schedule runs its function. What it passes to the function is not kept.",
            without="Schedules of EventBridge Scheduler are not shown.",
            probe=("scheduler", "get_schedule", {"Name": "nightjar-probe"}),
            resource="arn:${AWS::Partition}:scheduler:*:${AWS::AccountId}:schedule/*",
        ),
        TAGS,
    )

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        extras = Extras(aws)
        rules, all_rules = _rules(aws, extras)
        schedules, all_schedules = _schedules(extras, scope)
        return Raw(rules, schedules, extras.tags("events:rule"), all_rules and all_schedules, extras.lacking)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        tags = Tags(raw.tags)
        found = [_rule(rule, targets, tags) for rule, targets in raw.rules]
        seen: dict[str, list[Any]] = {}
        for listed, read in raw.schedules:
            arn, before = listed["Arn"], scope.cursor.get("seen", {}).get(listed["Arn"], ["", False])
            schedule = _whole(read, scope) if read else _part(listed) if before[1] else None
            found.append(schedule)
            if read or before[0] == _modified(listed):
                seen[arn] = [_modified(listed), schedule is not None]
        return Harvest(
            found=[each for each in found if each],
            complete=frozenset({TYPE}) if raw.complete else frozenset(),
            cursor={"seen": seen},
            lacking=raw.lacking,
        )


def _rules(aws: Region, extras: Extras) -> tuple[list[tuple[Answer, list[Answer]]], bool]:
    """The rules of all buses with their targets, and whether that is all. AWS's own rules never call a function."""
    buses = extras.call("events", "list_event_buses", Limit=100)
    names = [bus["Name"] for bus in buses["EventBuses"]] if buses else [DEFAULT]
    found, complete = [], buses is not None and not buses.get("NextToken")
    for bus in names:
        for page in aws.pages("events", "list_rules", EventBusName=bus):
            for rule in page["Rules"]:
                if "ManagedBy" in rule:
                    continue
                targets = extras.pages("events", "list_targets_by_rule", Rule=rule["Name"], EventBusName=bus)
                complete = complete and targets is not None
                found.append((rule, [target for each in targets or () for target in each["Targets"]]))
    return found, complete


def _schedules(extras: Extras, scope: Scope) -> tuple[list[tuple[Answer, Answer | None]], bool]:
    """Schedules that may call a function, and whether that is all. Only what changed since the last run is read."""
    listed = _listed(extras)
    if listed is None:
        return [], False
    mine = [each for each in listed[:MOST_LISTED] if _may_call_function(each["Target"]["Arn"])]
    seen = scope.cursor.get("seen", {})
    news = {each["Arn"] for each in mine if seen.get(each["Arn"], [""])[0] != _modified(each)}
    asked = set(sorted(news)[:MOST_ASKED])
    found = [(each, _read(extras, each) if each["Arn"] in asked else None) for each in mine]
    told = all(read is not None for each, read in found if each["Arn"] in news)
    return found, told and len(listed) <= MOST_LISTED


def _listed(extras: Extras) -> list[Answer] | None:
    pages = extras.first_pages(MOST_LISTED // 100 + 1, "scheduler", "list_schedules", MaxResults=100)
    return None if pages is None else [each for page in pages for each in page["Schedules"]]


def _may_call_function(target: str) -> bool:
    """Functions themselves, and the API call of which only the whole schedule tells whom it invokes."""
    return ":function:" in target or target.endswith(INVOKE)


def _modified(listed: Answer) -> str:
    at: datetime = listed["LastModificationDate"]
    return at.astimezone(UTC).isoformat(timespec="seconds")


def _read(extras: Extras, listed: Answer) -> Answer | None:
    return extras.call("scheduler", "get_schedule", Name=listed["Name"], GroupName=listed["GroupName"])


def _rule(rule: Answer, targets: Sequence[Answer], tags: Tags) -> Found | None:
    functions = sorted({unqualified(target["Arn"]) for target in targets if ":function:" in target["Arn"]})
    if not functions:
        return None
    config = {
        "kind": "rule",
        "expression": rule.get("ScheduleExpression", ""),
        "timezone": "UTC",
        "pattern": rule.get("EventPattern", ""),
        "bus": rule.get("EventBusName", DEFAULT),
        "state": "DISABLED" if rule["State"] == "DISABLED" else "ENABLED",
        "description": rule.get("Description", ""),
        "targets": functions,
    }
    return Found(TYPE, rule["Arn"], rule["Name"], config, tags.of(rule["Arn"]))


def _part(listed: Answer) -> Found:
    """A schedule that was read before: the rest of it is known."""
    return Found(TYPE, listed["Arn"], listed["Name"], {"state": listed["State"]})


def _whole(read: Answer, scope: Scope) -> Found | None:
    function = _function(read["Target"], scope)
    if not function:
        return None
    config = {
        "kind": "schedule",
        "expression": read["ScheduleExpression"],
        "timezone": read.get("ScheduleExpressionTimezone", "UTC"),
        "start_at": _moment(read.get("StartDate")),
        "end_at": _moment(read.get("EndDate")),
        "flexible_s": (read.get("FlexibleTimeWindow") or {}).get("MaximumWindowInMinutes", 0) * 60,
        "group": read["GroupName"],
        "state": read["State"],
        "description": read.get("Description", ""),
        "targets": [function],
    }
    return Found(TYPE, read["Arn"], read["Name"], config)


def _function(target: Mapping[str, Any], scope: Scope) -> str:
    """The ARN of the function that a schedule calls; of its input nothing else is looked at."""
    if not target["Arn"].endswith(INVOKE):
        return unqualified(target["Arn"])
    try:
        named = json.loads(target.get("Input") or "{}")["FunctionName"]
    except (ValueError, KeyError, TypeError):
        return ""
    if ":function:" in named:
        return unqualified(named)
    return f"arn:{scope.partition}:lambda:{scope.region}:{scope.account}:function:{named.partition(':')[0]}"


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None
