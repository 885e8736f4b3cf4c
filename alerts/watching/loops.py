"""Which functions may be calling themselves, as far as the configuration of what is around them tells.

What a function's own code sends where is in no configuration, but where its failed and successful events go is, and
what reads from there. Destinations and dead letters are of events that came by themselves (asynchronously) only: what
a function reads from a queue or stream it answers for there, so that a queue with its dead letters, and a function
that takes its failed events up again from a queue, are no loops.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
AWS itself stops only some loops: https://docs.aws.amazon.com/lambda/latest/dg/invocation-recursion.html
"""

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple


class Node(NamedTuple):
    """A resource, and what is known of it."""

    arn: str
    name: str
    type: str
    config: Mapping[str, Any]


Edges = Mapping[str, set[str]]

READING = " reading "
"""Between a function's ARN and that of what it reads: it is another place than the function that is called."""


def edges(nodes: Iterable[Node]) -> dict[str, set[str]]:
    """ARN → ARNs that get something from there."""
    found: dict[str, set[str]] = {}
    for node in nodes:
        for start, end in _edges(node):
            if start and end:
                found.setdefault(_whole(start), set()).add(_whole(end))
    return found


def loop(arn: str, edges: Edges) -> list[str]:
    """The shortest way from a function back to itself, as ARNs without the return; empty when there is none."""
    before: dict[str, str] = {}
    waiting = deque([arn])
    while waiting:
        here = waiting.popleft()
        for there in sorted(edges.get(here, ())):
            if there == arn:
                return _way(here, arn, before)
            if there not in before:
                before[there] = here
                waiting.append(there)
    return []


def _way(end: str, start: str, before: Mapping[str, str]) -> list[str]:
    way = [end]
    while way[-1] != start:
        way.append(before[way[-1]])
    return [place.partition(READING)[0] for place in way[::-1]]


def _edges(node: Node) -> Iterator[tuple[str, str]]:
    config = node.config
    if node.type == "lambda_function":
        yield node.arn, config.get("dead_letter") or ""
        for invoke in config.get("event_invoke") or ():
            yield node.arn, invoke.get("on_success") or ""
            yield node.arn, invoke.get("on_failure") or ""
        for source in config.get("event_sources") or ():
            reading = f"{node.arn}{READING}{source.get('source') or ''}"
            if source.get("enabled", True) and source.get("source"):
                yield source["source"], reading
            yield reading, source.get("on_failure") or ""
    elif node.type == "sqs_queue":
        yield node.arn, config.get("dead_letter") or ""
    elif node.type == "sns_topic":
        for subscriber in config.get("subscribers") or ():
            yield node.arn, subscriber
    elif node.type == "schedule_rule" and config.get("pattern"):
        bus = config.get("bus") or "default"
        for target in config.get("targets") or ():
            yield _bus(node.arn, bus), target


def _bus(rule: str, bus: str) -> str:
    """The ARN of the bus that a rule listens to: what is sent there may reach the rule's targets."""
    if bus.startswith("arn:"):
        return bus
    partition, region, account = rule.split(":")[1], *rule.split(":")[3:5]
    return f"arn:{partition}:events:{region}:{account}:event-bus/{bus}"


def _whole(arn: str) -> str:
    """A function's ARN without version or alias, a table for its stream; others as they are."""
    if READING in arn:
        return arn
    parts = arn.split(":")
    if len(parts) > 7 and parts[2] == "lambda":
        return ":".join(parts[:7])
    return arn.partition("/stream/")[0] if ":dynamodb:" in arn else arn
