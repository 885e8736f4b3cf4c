"""What a listing can do without: answers that may be denied, details that are read in turns, and tags."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from ingest.collector import Permission
from observability.aws.problems import AwsError, Trouble
from observability.aws.sessions import Region

logger = logging.getLogger(__name__)

Answer = dict[str, Any]
T = TypeVar("T")

TAGGING = "resourcegroupstaggingapi"
TAGS = Permission(
    action="tag:GetResources",
    why="Reads tags, so that you can choose and find things by them.",
    without="Nothing can be chosen or found by its tags.",
    probe=(TAGGING, "get_resources", {"ResourcesPerPage": 1}),
    wild="AWS allows nothing finer: the tagging API has no resources of its own.",
)

NO_ANSWER = {Trouble.NOT_FOUND, Trouble.REFUSED}
"""It was just deleted, or this region does not have the call."""


class Extras:
    """A region as collectors see it, where None is an answer: denied, and noted in ``lacking``, or not to be had."""

    def __init__(self, aws: Region) -> None:
        self._aws = aws
        self._lacking: set[str] = set()

    @property
    def lacking(self) -> tuple[str, ...]:
        """The actions that were denied."""
        return tuple(sorted(self._lacking))

    def call(self, service: str, operation: str, **parameters: Any) -> Answer | None:
        return self._ask(lambda: self._aws.call(service, operation, **parameters))

    def pages(self, service: str, operation: str, **parameters: Any) -> list[Answer] | None:
        """All pages, or None: half a listing says nothing about what it lacks."""
        return self._ask(lambda: list(self._aws.pages(service, operation, **parameters)))

    def first_pages(self, most: int, service: str, operation: str, **parameters: Any) -> list[Answer] | None:
        """At most so many pages, where a listing may be endless."""
        return self._ask(lambda: list(islice(self._aws.pages(service, operation, **parameters), most)))

    def tags(self, *types: str) -> list[Answer] | None:
        """The tags of every resource of these types, a hundred with each call: ``lambda:function``."""
        return self.pages(TAGGING, "get_resources", ResourceTypeFilters=list(types), ResourcesPerPage=100)

    def _ask(self, question: Callable[[], T]) -> T | None:
        try:
            return question()
        except AwsError as error:
            if error.trouble is Trouble.ACCESS_DENIED:
                self._lacking.add(error.action)
            elif error.trouble in NO_ANSWER:
                logger.info("collector.no_answer", extra={"action": error.action, "trouble": error.trouble.value})
            else:
                raise
            return None


class Tags:
    """Tags by ARN, out of the answers of ``Extras.tags``."""

    def __init__(self, answers: Sequence[Answer] | None) -> None:
        self._told = answers is not None
        self._by_arn = {
            each["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in each["Tags"]}
            for page in answers or ()
            for each in page["ResourceTagMappingList"]
        }

    def of(self, arn: str) -> Mapping[str, str] | None:
        """The tags of one resource; None when tags were not told at all."""
        return self._by_arn.get(arn, {}) if self._told else None


def in_turn(names: Iterable[str], after: str, most: int) -> list[str]:
    """The next of these names in their order, beginning behind ``after`` and going round, so that each has its turn."""
    ordered = sorted(set(names))
    later = [name for name in ordered if name > after]
    return (later + ordered[: len(ordered) - len(later)])[:most]
