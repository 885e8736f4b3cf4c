"""What hangs together in an estate: who is fed by whom, where what fails ends up, who writes to which log group."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

from alerts.rule import Estate, Subject

NAMED_SO = re.compile(r"dlq|dead.?letter|(^|[-_.])(dead|failed|failures|poison)([-_.]|$)", re.IGNORECASE)
"""How people call queues of what failed; those may belong to something that Nightjar does not see."""

AT_EDGE = re.compile(r"/aws/lambda/us-east-1\.(.+)")
"""https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/edge-functions-logs.html"""

WEEKEND_DAYS = 3
"""Over so many days nothing may run anywhere."""

Place = tuple[str, str, str]
"""Account, region and name."""


@dataclass(frozen=True, slots=True)
class Feed:
    """A function that a queue or stream feeds, and its event source mapping as ``function_config`` tells it."""

    function: Subject
    mapping: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Wiring:
    """``feeds`` by the ARN of what feeds, ``failing`` by that of what takes failures in, ``writers`` by log group."""

    feeds: Mapping[str, Sequence[Feed]]
    failing: Mapping[str, Sequence[Subject]]
    writers: Mapping[Place, Sequence[Subject]]
    roles: Mapping[str, Sequence[Subject]]
    """Functions by their role, in the order of their ARNs."""
    at_edge: frozenset[tuple[str, str]]
    """Accounts and names of functions that ran for CloudFront, as Lambda@Edge: elsewhere, under another name."""
    heard: Mapping[tuple[str, str], frozenset[date]]
    """By account and region, the days of which CloudWatch told anything."""


_KEPT: WeakKeyDictionary[Estate, Wiring] = WeakKeyDictionary()


def wiring(estate: Estate) -> Wiring:
    """Made once for an estate, for every rule asks for every resource."""
    if estate not in _KEPT:
        _KEPT[estate] = _made(estate)
    return _KEPT[estate]


def _made(estate: Estate) -> Wiring:
    feeds: dict[str, list[Feed]] = defaultdict(list)
    failing: dict[str, list[Subject]] = defaultdict(list)
    writers: dict[Place, list[Subject]] = defaultdict(list)
    roles: dict[str, list[Subject]] = defaultdict(list)
    for subject in estate.subjects.values():
        for target in _dead_letters(subject):
            failing[target].append(subject)
        if subject.type == "lambda_function":
            for mapping in subject.config.get("event_sources") or ():
                feeds[mapping["source"]].append(Feed(subject, mapping))
            group = subject.config.get("log_group") or f"/aws/lambda/{subject.name}"
            writers[subject.account, subject.region, group].append(subject)
            if role := subject.config.get("role"):
                roles[role].append(subject)
    shared = {role: sorted(functions, key=lambda each: each.arn) for role, functions in roles.items()}
    return Wiring(dict(feeds), dict(failing), dict(writers), shared, _at_edge(estate), _heard(estate))


def _dead_letters(subject: Subject) -> Iterator[str]:
    """The ARNs of where its failures go, each once."""
    config = subject.config
    told = [config.get("dead_letter"), *(config.get("dead_letters") or ())]
    told += [each.get("on_failure") for key in ("event_invoke", "event_sources") for each in config.get(key) or ()]
    yield from sorted({arn for arn in told if arn})


def feeds(source: Subject, estate: Estate) -> Sequence[Feed]:
    """The functions that this queue or stream feeds, also those whose mapping is switched off."""
    return wiring(estate).feeds.get(source.arn, ())


def source_name(arn: str) -> str:
    """What an event source is called: the queue, stream or table of its ARN. Kafka of one's own has no ARN."""
    parts = arn.split(":", 5)
    place = parts[-1].split("/")
    return place[1] if len(parts) == 6 and len(place) > 1 else parts[-1]


def reached(subject: Subject, estate: Estate, *, days: float) -> bool:
    """Whether CloudWatch told of anything where the resource is, lately and on most of the last days.

    Only then silence means that nothing happened: an account that cannot be seen is silent, too.
    """
    heard = wiring(estate).heard.get((subject.account, subject.region), frozenset())
    ago = [(estate.now.date() - day).days for day in heard]
    return min(ago, default=days) <= WEEKEND_DAYS and 2 * sum(1 for each in ago if each <= days) >= days


def _at_edge(estate: Estate) -> frozenset[tuple[str, str]]:
    groups = ((each.account, AT_EDGE.match(each.name)) for each in estate.of_type("log_group"))
    return frozenset((account, found[1]) for account, found in groups if found)


def _heard(estate: Estate) -> Mapping[tuple[str, str], frozenset[date]]:
    found: dict[tuple[str, str], set[date]] = defaultdict(set)
    for subject in estate.subjects.values():
        days = found[subject.account, subject.region]
        if len(days) <= estate.days:
            days.update(each.at.date() for readings in subject.points.values() for each in readings)
    return {place: frozenset(days) for place, days in found.items()}


def holds_failures(queue: Subject, estate: Estate) -> bool:
    """Whether it is a dead-letter queue: by what points at it, by what it is called."""
    return queue.arn in wiring(estate).failing or bool(NAMED_SO.search(queue.name))
