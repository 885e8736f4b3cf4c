"""Every function of a region: its configuration, versions, aliases, triggers, tags; and what the account may use.

One listing of all functions and a few of the region come with a run every five minutes. What has to be asked function
by function (six or seven calls, of 15 a second that AWS allows an account) is asked when a function is new or changed,
and else in turns, so that everything has been looked at within a day, and within an hour where there are few functions.
Where many are new, a run asks until its time is up, and the next ones go on at once with what is left, without listing.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ingest.collector import Found, Harvest, Permission, Scope
from ingest.extras import TAGS, Answer, Extras, Tags
from ingest.function_config import LATEST, detailed, event_sources, listed, unqualified
from observability.aws.problems import AwsError
from observability.aws.sessions import Region

EVERY = timedelta(minutes=5)
ROUND = timedelta(days=1)
"""Within so long every function is asked about in detail again, changed or not."""

RESTING = timedelta(hours=1)
"""And not sooner than this."""

FIRST, FEWEST = 10, 5
"""How many functions the very first run asks about, so that all are soon seen; and how many any, of those in turn."""

FUNCTIONS = "arn:${AWS::Partition}:lambda:*:${AWS::AccountId}:function:*"
NO_NAME = {"FunctionName": "nightjar-probe"}
NOT_FINER = "AWS allows nothing finer for this action."


@dataclass(frozen=True, slots=True)
class Raw:
    """AWS's answers; None is one that was not given. ``details`` has what the single calls said, by function.

    ``listed`` is false where the run only went on with what another had left.
    """

    functions: Sequence[Answer]
    mappings: Sequence[Answer] | None
    tags: Sequence[Answer] | None
    settings: Answer | None
    details: Mapping[str, Mapping[str, Any]]
    failed: frozenset[str]
    lacking: tuple[str, ...]
    listed: bool = True


def _each(action: str, why: str, without: str, operation: str) -> Permission:
    """A permission to ask about one function at a time."""
    return Permission(f"lambda:{action}", why, without, ("lambda", operation, NO_NAME), resource=FUNCTIONS)


class LambdaFunctions:
    """Functions every five minutes: what is new, what changed and what is gone."""

    kind = "lambda_functions"
    title = "Functions"
    every = EVERY
    permissions: tuple[Permission, ...] = (
        Permission(
            action="lambda:ListFunctions",
            why="Finds your functions, with their settings and the hash of their code, and sees when one changes.",
            without="Nothing works: functions are only known once their own extension reports.",
            probe=("lambda", "list_functions", {"MaxItems": 1}),
            wild=NOT_FINER,
        ),
        Permission(
            action="lambda:ListEventSourceMappings",
            why="Shows which queues, streams and topics feed a function.",
            without="Triggers are missing, and so are queues and streams on the pages of functions.",
            probe=("lambda", "list_event_source_mappings", {"MaxItems": 1}),
            wild=NOT_FINER,
        ),
        Permission(
            action="lambda:GetAccountSettings",
            why="Reads how many executions may run at once and how much code may be stored, and how much there is.",
            without="Nobody is warned before the account runs into its limits.",
            probe=("lambda", "get_account_settings", {}),
            wild=NOT_FINER,
        ),
        TAGS,
        _each(
            "GetFunctionConfiguration",
            "Tells whether a function is ready to run, and which build of its runtime AWS put under it.",
            "Failed updates and runtimes that AWS replaced are not noticed.",
            "get_function_configuration",
        ),
        _each(
            "ListVersionsByFunction",
            "Lists published versions: what each deployment was, and how much storage old ones take.",
            "Versions are only known once they run.",
            "list_versions_by_function",
        ),
        _each(
            "ListAliases",
            "Shows which version an alias sends its calls to, and notices when that is changed.",
            "A rollback or a gradual rollout does not show as a change.",
            "list_aliases",
        ),
        _each(
            "GetFunctionConcurrency",
            "Reads how many executions are reserved for a function, which is also how it is switched off.",
            "Throttling by a function's own limit cannot be told from throttling by the account's.",
            "get_function_concurrency",
        ),
        _each(
            "ListFunctionEventInvokeConfigs",
            "Reads how often failed asynchronous calls are tried again, and where lost ones go.",
            "Retries and failure destinations are not shown.",
            "list_function_event_invoke_configs",
        ),
        _each(
            "ListFunctionUrlConfigs",
            "Shows whether a function can be called by a URL, and by whom.",
            "Function URLs are not shown, public ones neither.",
            "list_function_url_configs",
        ),
        _each(
            "ListProvisionedConcurrencyConfigs",
            "Reads how many executions are kept warm, which costs money all day.",
            "Provisioned concurrency is not shown, and advice on it is not given.",
            "list_provisioned_concurrency_configs",
        ),
    )

    def fetch(self, aws: Region, scope: Scope) -> Raw:
        extras = Extras(aws)
        if left := left_over(scope):
            details, failed = _look(extras, left, scope)
            return Raw((), None, None, None, details, failed, extras.lacking, listed=False)
        functions = [each for page in aws.pages("lambda", "list_functions") for each in page["Functions"]]
        mappings = extras.pages("lambda", "list_event_source_mappings")
        tags = extras.tags("lambda:function")
        settings = extras.call("lambda", "get_account_settings")
        details, failed = _look(extras, due(functions, scope.cursor, now=scope.now), scope)
        return Raw(functions, mappings, tags, settings, details, failed, extras.lacking)

    def transform(self, raw: Raw, scope: Scope) -> Harvest:
        cursor = _cursor(raw, scope)
        return Harvest(
            found=[*_functions(raw), *_account(raw, scope)] if raw.listed else list(_parts(raw, scope)),
            complete=frozenset({"lambda_function"}) if raw.listed else frozenset(),
            cursor=cursor,
            lacking=_lacking(raw, scope),
            more="left" in cursor or not raw.listed,
        )


def left_over(scope: Scope) -> list[str]:
    """Whom to go on with; nobody when it is time for a listing, or somebody is there whom none has told of yet."""
    left, seen = scope.cursor.get("left", {}), scope.cursor.get("seen", {})
    recent = _minute(scope.now - EVERY) < scope.cursor.get("listed", 0)
    return _waiting(left, seen) if recent and not scope.functions.keys() - seen.keys() - left.keys() else []


def due(functions: Sequence[Answer], cursor: Mapping[str, Any], *, now: datetime) -> list[str]:
    """Whom to ask about in detail: those that are new or changed, longest waiting first, and those whose turn it is."""
    seen, names = cursor.get("seen", {}), {each["FunctionName"] for each in functions}
    changed = _changed(functions, seen)
    turns = max(FEWEST, math.ceil(len(functions) * (EVERY / ROUND)))
    rested = _minute(now - RESTING)
    stale = [name for name in _waiting(names - changed.keys(), seen) if seen[name][1] <= rested]
    return _waiting(changed, seen)[: None if seen else FIRST] + stale[:turns]


def _waiting(names: Iterable[str], seen: Mapping[str, Sequence[Any]]) -> list[str]:
    """Those who were never asked about first, then by how long ago that was."""
    return sorted(names, key=lambda name: (seen[name][1] if name in seen else 0, name))


def _changed(functions: Iterable[Answer], seen: Mapping[str, Sequence[Any]]) -> dict[str, str]:
    """The fingerprints of those that are other than when they were asked about, or never were."""
    prints = {each["FunctionName"]: fingerprint(each) for each in functions}
    return {name: now for name, now in prints.items() if name not in seen or seen[name][0] != now}


def fingerprint(function: Answer) -> str:
    """Other whenever AWS changed anything about the function."""
    told = (function.get("RevisionId", ""), function["LastModified"], function["CodeSha256"])
    return hashlib.sha256("\0".join(told).encode()).hexdigest()[:8]


def _minute(at: datetime) -> int:
    return int(at.timestamp()) // 60


def _look(extras: Extras, names: Sequence[str], scope: Scope) -> tuple[dict[str, dict[str, Any]], frozenset[str]]:
    """Ask about each until time is up or AWS has had enough; what was learnt by then is kept, the rest is left over."""
    details: dict[str, dict[str, Any]] = {}
    for name in names:
        if scope.time_is_up():
            break
        try:
            details[name] = dict(_details(extras, name))
        except AwsError as error:
            if not error.transient:
                raise
            return details, frozenset({name})
    return details, frozenset()


def _details(extras: Extras, name: str) -> Iterator[tuple[str, Any]]:
    versions = extras.pages("lambda", "list_versions_by_function", FunctionName=name)
    published = versions is None or any(each["Version"] != LATEST for page in versions for each in page["Versions"])
    yield "versions", versions
    yield "configuration", extras.call("lambda", "get_function_configuration", FunctionName=name)
    yield "aliases", extras.pages("lambda", "list_aliases", FunctionName=name)
    yield "reserved_concurrency", extras.call("lambda", "get_function_concurrency", FunctionName=name)
    yield "event_invoke", extras.pages("lambda", "list_function_event_invoke_configs", FunctionName=name)
    yield "url", extras.pages("lambda", "list_function_url_configs", FunctionName=name)
    if published:
        yield "provisioned", extras.pages("lambda", "list_provisioned_concurrency_configs", FunctionName=name)
    else:
        yield "provisioned", ()


def _functions(raw: Raw) -> Iterator[Found]:
    tags = Tags(raw.tags)
    feeding: dict[str, list[Answer]] = defaultdict(list)
    for page in raw.mappings or ():
        for mapping in page["EventSourceMappings"]:
            feeding[unqualified(mapping["FunctionArn"])].append(mapping)
    for function in raw.functions:
        name, arn = function["FunctionName"], unqualified(function["FunctionArn"])
        config = {**listed(function), **detailed(raw.details.get(name, {}))}
        if raw.mappings is not None:
            config["event_sources"] = event_sources(feeding[arn])
        yield Found("lambda_function", arn, name, config, tags.of(arn))


def _account(raw: Raw, scope: Scope) -> Iterator[Found]:
    """The account itself, which has no region; its limits in this one are under the region's name."""
    if raw.settings is None:
        return
    limit, usage = raw.settings["AccountLimit"], raw.settings["AccountUsage"]
    limits = {
        "concurrency_limit": limit["ConcurrentExecutions"],
        "unreserved_concurrency": limit.get("UnreservedConcurrentExecutions"),
        "code_storage_bytes": usage["TotalCodeSize"],
        "code_storage_limit_bytes": limit["TotalCodeSize"],
        "functions": usage["FunctionCount"],
    }
    yield Found("aws_account", f"arn:{scope.partition}:iam::{scope.account}:root", "", {scope.region: limits})


def _parts(raw: Raw, scope: Scope) -> Iterator[Found]:
    """The details of functions that were listed before. Of those that were deleted since, nothing is told."""
    silent = "lambda:GetFunctionConfiguration" in raw.lacking
    for name, answers in raw.details.items():
        config = detailed(answers)
        if config and (silent or answers["configuration"] is not None):
            arn = f"arn:{scope.partition}:lambda:{scope.region}:{scope.account}:function:{name}"
            yield Found("lambda_function", arn, name, config)


def _lacking(raw: Raw, scope: Scope) -> tuple[str, ...]:
    """What was denied, also to the listing that this run goes on from."""
    return tuple(sorted({*raw.lacking, *(() if raw.listed else scope.cursor["lacking"])}))


def _cursor(raw: Raw, scope: Scope) -> dict[str, Any]:
    """By function: what it looked like when it was last asked about in detail, and in which minute that was.

    A failure counts as asked, so that others come first, but the function stays due. Who is still to be asked about is
    ``left``, unless AWS has had enough before it told anything.
    """
    before, minute = scope.cursor.get("seen", {}), _minute(scope.now)
    changed = _changed(raw.functions, before) if raw.listed else scope.cursor["left"]
    names = [each["FunctionName"] for each in raw.functions] if raw.listed else [*before, *changed]
    asked = {name: [changed.get(name) or before[name][0], minute] for name in raw.details}
    seen = {name: before[name] for name in names if name in before} | asked
    seen |= {name: ["", minute] for name in raw.failed}
    left = {name: told for name, told in changed.items() if name not in raw.details and name not in raw.failed}
    if not left or (raw.failed and not raw.details):
        return {"seen": seen}
    listed = minute if raw.listed else scope.cursor["listed"]
    return {"seen": seen, "left": left, "listed": listed, "lacking": [*_lacking(raw, scope)]}
