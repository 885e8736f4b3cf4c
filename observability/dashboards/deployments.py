"""Deployments and what followed them: the first thing to know about a function that has begun to fail."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from observability.dashboards.changes import Change, by_aws, changes, what
from observability.dashboards.figures import error_rate
from observability.inventory.models import Deployment
from observability.telemetry.records import Bucket, Rollup

FEWEST_ERRORS = 5
WORSE = 2.0
"""From this factor on, and with that many errors, a deployment is said to have made things worse."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A deployment with the error rates before and after it; None where nothing ran."""

    deployment: Deployment
    before: float | None
    after: float | None
    errors: int

    @property
    def bad(self) -> bool:
        """Whether clearly more invocations failed since than before."""
        return self.errors >= FEWEST_ERRORS and self.after is not None and self.after > WORSE * (self.before or 0.0)

    @property
    def name(self) -> str:
        return version_name(self.deployment.version)

    @property
    def changes(self) -> list[Change]:
        """What else changed than the version."""
        return changes(self.deployment.changes)

    @property
    def what(self) -> str:
        return what(self.deployment.changes)

    @property
    def by_aws(self) -> bool:
        return by_aws(self.deployment.changes)


def version_name(version: str) -> str:
    """``v42`` for a published version; any other name as it is."""
    return f"v{version}" if version.isdecimal() else version


def verdicts(deployments: Sequence[Deployment], buckets: Sequence[Bucket], step: timedelta) -> list[Verdict]:
    """One verdict per deployment, in their order (newest first), from one function's buckets of length ``step``.

    Each is judged on the time until the next one, against the time since the one before. The bucket in which it
    happened counts as after, because the errors that it brought begin there.
    """
    moments = [deployment.deployed_at - step for deployment in deployments]
    found = []
    for index, deployment in enumerate(deployments):
        until = moments[index - 1] if index else None
        since = moments[index + 1] if index + 1 < len(moments) else None
        before, after = _between(buckets, since, moments[index]), _between(buckets, moments[index], until)
        found.append(Verdict(deployment, error_rate(before), error_rate(after), after.errors))
    return found


def _between(buckets: Sequence[Bucket], after: datetime | None, until: datetime | None) -> Rollup:
    """The buckets that begin in ``(after, until]``; None is open."""
    found = Rollup()
    for bucket in buckets:
        if (after is None or bucket.start > after) and (until is None or bucket.start <= until):
            found.merge(bucket.rollup)
    return found
