"""What CloudWatch measured of a resource in the last days, out of its daily readings. None: nothing is known.

Of counts CloudWatch's zeros are not kept, so that None may mean none: ``wiring.reached`` says whether it was asked.
"""

from datetime import timedelta

from alerts.rule import Estate, Subject


def values(subject: Subject, metric: str, statistic: str, estate: Estate, *, days: int) -> list[float]:
    """The known readings of the last ``days`` whole days and of today, the newest last."""
    since = estate.now - timedelta(days=days + 1)
    told = subject.points.get((metric, statistic), ())
    return [each.value for each in told if each.value is not None and each.at > since]


def since_deployed(subject: Subject, metric: str, statistic: str, estate: Estate) -> list[float]:
    """The known readings of whole days after a deployment in the window, the newest last; none where there was none.

    So advice about what happened is over soon after it was followed, and not two weeks later.
    """
    at = subject.deployed_at
    told = subject.points.get((metric, statistic), ()) if at and at > estate.window.start else ()
    return [each.value for each in told if at and each.value is not None and each.at > at]


def total(subject: Subject, metric: str, estate: Estate, *, days: int) -> float | None:
    known = values(subject, metric, "Sum", estate, days=days)
    return sum(known) if known else None


def failures(subject: Subject, metric: str, of: str, estate: Estate, *, days: int) -> tuple[float, float, float]:
    """How many failed, out of how many, and their share; the two are counted apart, so that more can fail than were."""
    failed = total(subject, metric, estate, days=days) or 0
    tried = total(subject, of, estate, days=days) or 0
    return failed, tried, failed / max(tried, failed, 1)


def peak(subject: Subject, metric: str, estate: Estate, *, days: int) -> float | None:
    return max(values(subject, metric, "Maximum", estate, days=days), default=None)


def mean(subject: Subject, metric: str, estate: Estate, *, days: int) -> float | None:
    """The mean of daily averages, which is near that of all measurements."""
    known = values(subject, metric, "Average", estate, days=days)
    return sum(known) / len(known) if known else None
