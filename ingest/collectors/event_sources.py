"""What wakes functions: rules of EventBridge with their schedules and patterns, and schedules of EventBridge Scheduler.

Only those are kept whose target is a function. The cursor remembers of each schedule when it was last modified as it
was read, and whether it calls a function. Some applications make a schedule for every customer: what one run does not
get through, the next goes on with, and only when all was listed is missed what was not among it.
"""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any

from ingest.collector import Found, Harvest, Permission, Scope
from ingest.extras import TAGS, Answer, Extras, Tags
from ingest.function_config import unqualified
from observability.aws.problems import AwsError
from observability.aws.sessions import Region

TYPE = "schedule_rule"
DEFAULT = "default"
INVOKE = ":aws-sdk:lambda:invoke"
READ = "scheduler:GetSchedule"
SCHEDULES = ""
"""In a place, instead of the name of a bus."""

RULES_AT_ONCE, SCHEDULES_AT_ONCE = 50, 100
"""How many a page has; each of these rules, and each of these schedules that changed, is a call of its own."""

Place = tuple[str, str]
"""A bus, or the schedules, and the token of a page there."""


@dataclass(frozen=True, slots=True)
class Raw:
    """Rules with their targets, and what the listing says of schedules, each with all of it where that was read.

    ``whole`` says whether nothing was withheld since the listing began; ``place`` is where it stopped, if it did.
    """

    rules: Sequence[tuple[Answer, Sequence[Answer]]]
    schedules: Sequence[tuple[Answer, Answer | None]]
    tags: Sequence[Answer] | None
    whole: bool
    lacking: tuple[str, ...]
    place: Place | None = None


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
            action=READ,
            why="Reads when a schedule runs its function. What it passes to the function is not kept.",
            without="Schedules of EventBridge Scheduler are not shown.",
            probe=("scheduler", "get_schedule", {"Name": "nightjar-probe"}),
            resource="arn:${AWS::Partition}:scheduler:*:${AWS::AccountId}:schedule/*",
        ),
        TAGS,
    )

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        extras, seen = Extras(aws), scope.cursor.get("seen", {}) | scope.cursor.get("here", {})
        todo, whole = _todo(extras, scope)
        pages: list[Page] = []
        while todo and not (pages and scope.time_is_up()):
            at, token = todo[0]
            try:
                page = _schedules(extras, token, seen, scope) if at == SCHEDULES else _rules(extras, at, token)
            except AwsError as error:
                if not pages or not error.transient:
                    raise
                break  # What was read before is worth keeping.
            todo.popleft()
            if page.again or page.token:
                todo.appendleft((at, page.token))
            pages.append(page)
        rules = [each for page in pages for each in page.rules]
        schedules = [each for page in pages for each in page.schedules]
        tags = extras.tags("events:rule") if rules else ()
        whole = whole and all(page.whole for page in pages)
        return Raw(rules, schedules, tags, whole, extras.lacking, todo[0] if todo else None)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        tags = Tags(raw.tags)
        found = [_rule(rule, targets, tags) for rule, targets in raw.rules]
        known, here = dict(scope.cursor.get("seen", {})), dict(scope.cursor.get("here", {}))
        for listed, read in raw.schedules:
            key, modified = _key(listed["Arn"]), _modified(listed)
            before = known.pop(key, 0) or here.get(key, 0)
            schedule = _whole(read, scope) if read else _part(listed) if before > 0 else None
            found.append(schedule)
            if seen := (modified if schedule else -modified) if read else before:
                here[key] = seen
        lacking = tuple(sorted({*raw.lacking, *scope.cursor.get("lacking", ())}))
        began = scope.cursor.get("began", scope.now.isoformat())
        cursor: dict[str, Any] = {"seen": here if raw.whole else known | here}
        if raw.place:
            cursor = {"seen": known, "here": here, "began": began, "whole": raw.whole, "lacking": [*lacking]}
            cursor |= {"at": raw.place[0], "token": raw.place[1]}
        return Harvest(
            found=[each for each in found if each],
            complete=frozenset({TYPE}) if raw.whole and not raw.place else frozenset(),
            since=datetime.fromisoformat(began),
            cursor=cursor,
            lacking=lacking,
            more=raw.place is not None,
        )


@dataclass(frozen=True, slots=True)
class Page:
    """``token`` is that of the next page, empty after the last; where some of this one is left, ``again``, its own."""

    rules: Sequence[tuple[Answer, list[Answer]]] = ()
    schedules: Sequence[tuple[Answer, Answer | None]] = ()
    token: str = ""
    whole: bool = True
    again: bool = False


def _todo(extras: Extras, scope: Scope) -> tuple[deque[Place], bool]:
    """Where to list, from where the last run stopped, and whether nothing was withheld so far."""
    at, whole = scope.cursor.get("at"), scope.cursor.get("whole", True)
    last = (SCHEDULES, scope.cursor.get("token", "") if at == SCHEDULES else "")
    if at == SCHEDULES:
        return deque([last]), whole
    buses = extras.call("events", "list_event_buses", Limit=100)
    names = sorted(bus["Name"] for bus in buses["EventBuses"]) if buses else [DEFAULT]
    rest = [(name, scope.cursor["token"] if name == at else "") for name in names if at is None or name >= at]
    return deque([*rest, last]), whole and buses is not None and not buses.get("NextToken")


def _rules(extras: Extras, bus: str, token: str) -> Page:
    """Rules of a bus with their targets. AWS's own rules never call a function."""
    page = extras.call("events", "list_rules", EventBusName=bus, Limit=RULES_AT_ONCE, **_following(token))
    if page is None:  # Denied; or the token is too old, and the next listing begins again.
        return Page(whole=False)
    found, whole = [], True
    for rule in page["Rules"]:
        if "ManagedBy" not in rule:
            targets = extras.pages("events", "list_targets_by_rule", Rule=rule["Name"], EventBusName=bus)
            whole = whole and targets is not None
            found.append((rule, [target for each in targets or () for target in each["Targets"]]))
    return Page(rules=found, token=page.get("NextToken", ""), whole=whole)


def _schedules(extras: Extras, token: str, seen: Mapping[str, int], scope: Scope) -> Page:
    """Schedules that may call a function. Only what changed since it was read is read again, until time is up."""
    page = extras.call("scheduler", "list_schedules", MaxResults=SCHEDULES_AT_ONCE, **_following(token))
    if page is None:
        return Page(whole=False)
    found: list[tuple[Answer, Answer | None]] = []
    asked, told = 0, 0
    for each in page["Schedules"]:
        if not _may_call_function(each["Target"]["Arn"]):
            continue
        read = None
        if abs(seen.get(_key(each["Arn"]), 0)) != _modified(each):
            if told and scope.time_is_up():
                return Page(schedules=found, token=token, whole=told == asked, again=True)
            read = None if READ in extras.lacking else _read(extras, each)
            asked, told = asked + 1, told + (read is not None)
        found.append((each, read))
    return Page(schedules=found, token=page.get("NextToken", ""), whole=told == asked)


def _following(token: str) -> dict[str, str]:
    return {"NextToken": token} if token else {}


def _key(arn: str) -> str:
    """Short, for there may be many thousands."""
    return blake2b(arn.encode(), digest_size=6).hexdigest()


def _may_call_function(target: str) -> bool:
    """Functions themselves, and the API call of which only the whole schedule tells whom it invokes."""
    return ":function:" in target or target.endswith(INVOKE)


def _modified(listed: Answer) -> int:
    at: datetime = listed["LastModificationDate"]
    return int(at.timestamp())


def _read(extras: Extras, listed: Answer) -> Answer | None:
    return extras.call("scheduler", "get_schedule", Name=listed["Name"], GroupName=listed["GroupName"])


def _rule(rule: Answer, targets: Sequence[Answer], tags: Tags) -> Found | None:
    calls = [target for target in targets if ":function:" in target["Arn"]]
    functions = sorted({unqualified(target["Arn"]) for target in calls})
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
        **_failures(calls, functions),
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
        **_failures([read["Target"]], [function]),
    }
    return Found(TYPE, read["Arn"], read["Name"], config)


def _failures(targets: Sequence[Mapping[str, Any]], functions: Sequence[str]) -> dict[str, Any]:
    """Where events go that could not be delivered, and the functions whose events then go nowhere."""
    queues = [(target.get("DeadLetterConfig") or {}).get("Arn", "") for target in targets]
    bare = {unqualified(target["Arn"]) for target, queue in zip(targets, queues, strict=True) if not queue}
    # A schedule's target may be an API call, and only its input names the function.
    unguarded = functions if bare and len(functions) == 1 else sorted(bare)
    return {"dead_letters": sorted({*queues} - {""}), "unguarded": [*unguarded]}


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
