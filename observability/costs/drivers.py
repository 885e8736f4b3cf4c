"""Why a cost changed: more invocations, longer ones, or dearer time. The parts add up to the whole change.

The logarithmic mean divides a change between factors without a rest, in whatever order they are taken.
https://doi.org/10.1016/j.enpol.2003.10.010 (Ang, LMDI)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log

NEGLIGIBLE = 1e-12


@dataclass(frozen=True, slots=True)
class Spent:
    """What a function, or many, did and cost in some time: ``running`` is USD by invocation, the rest stands."""

    invocations: float
    billed_ms: float
    running: float
    standing: float = 0.0

    @property
    def total(self) -> float:
        return self.running + self.standing

    @property
    def per_thousand(self) -> float | None:
        """USD for a thousand requests, what stands included."""
        return self.total / self.invocations * 1_000 if self.invocations else None


@dataclass(frozen=True, slots=True)
class Driver:
    """One reason and its part of the change in USD. ``ratio`` is how the factor itself changed, None where it began."""

    kind: str
    usd: float
    ratio: float | None = None


def drivers(before: Spent, after: Spent) -> list[Driver]:
    """The parts of a change, the largest first; nothing where nothing changed."""
    found = [Driver("standing", after.standing - before.standing)]
    if before.running > NEGLIGIBLE and after.running > NEGLIGIBLE:
        found += _factors(before, after)
    else:
        kind = "began" if after.running > before.running else "ended"
        found.append(Driver(kind, after.running - before.running))
    return sorted((each for each in found if abs(each.usd) > NEGLIGIBLE), key=lambda each: -abs(each.usd))


def _factors(before: Spent, after: Spent) -> list[Driver]:
    change = after.running - before.running
    ratio = after.running / before.running
    mean = change / log(ratio) if abs(ratio - 1) > NEGLIGIBLE else before.running
    ratios = {
        "invocations": _ratio(after.invocations, before.invocations),
        "duration": _ratio(_per(after.billed_ms, after.invocations), _per(before.billed_ms, before.invocations)),
    }
    ratios["price"] = ratio / (ratios["invocations"] * ratios["duration"])
    return [Driver(kind, mean * log(each), each) for kind, each in ratios.items()]


def _per(value: float, count: float) -> float:
    return value / count if count else 0.0


def _ratio(after: float, before: float) -> float:
    return after / before if after > 0 and before > 0 else 1.0


WORDS = {
    "invocations": ("more invocations", "fewer invocations", "as many invocations"),
    "duration": ("longer invocations", "shorter invocations", "as long invocations"),
    "price": (
        "dearer time, by memory or price",
        "cheaper time, by memory or price",
        "as dear time, by memory or price",
    ),
    "standing": ("more for logs and what stands ready", "less for logs and what stands ready", ""),
    "began": ("it began to run", "", ""),
    "ended": ("", "it stopped running", ""),
}
"""What each driver is called when it adds, when it takes away, and after "3.2 times"."""

WORTH_TELLING = 0.2
"""A part below this share of the largest explains nothing."""


def explained(found: Sequence[Driver]) -> str:
    """In words: ``30 % more invocations, 12 % longer invocations``; what went the other way follows a *but*."""
    total = sum(each.usd for each in found)
    most = max((abs(each.usd) for each in found), default=0.0)
    telling = [each for each in found if abs(each.usd) >= WORTH_TELLING * most]
    along = [_words(each) for each in telling if each.usd * total > 0]
    against = [_words(each) for each in telling if each.usd * total < 0]
    return ", but ".join(part for part in (", ".join(along), ", ".join(against)) if part)


def _words(driver: Driver) -> str:
    more, less, times = WORDS[driver.kind]
    if driver.ratio is None:
        return more if driver.usd > 0 else less
    if driver.ratio >= 2:
        return f"{driver.ratio:.1f} times {times}"
    return f"{min(abs(driver.ratio - 1), 0.99):.0%} {more if driver.usd > 0 else less}".replace("%", " %")
