"""A store of made-up numbers: what watching reads, worked out when it is asked for, so that weeks cost nothing."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random

from observability.telemetry.grains import steps
from observability.telemetry.records import Bucket, Reading, Rollup, Standing, Watermark, Window

MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Runs:
    """What a function does in a minute: how often it runs, in which time (ms), at which price (USD) each."""

    number: float
    ms: float = 100.0
    usd: float = 1e-6
    errors: float = 0.0
    memory_mb: int = 90
    cold: float = 0.0


Course = Callable[[datetime], Runs | None]
"""None where nothing is known of a minute, as during an outage."""


def daily(at: datetime) -> float:
    """Quiet at 03:30 UTC, busy at 15:30, as in the demo."""
    hours = at.hour + at.minute / 60
    return 0.35 + 0.65 * (0.5 - 0.5 * math.cos((hours - 3.5) / 24 * 2 * math.pi))


def healthy(per_minute: float = 20.0, ms: float = 120.0, **changes: float) -> Course:
    """A busy function with a rhythm of the day."""
    return lambda at: Runs(per_minute * daily(at), ms * (1 + 0.1 * daily(at)), **changes)  # type: ignore[arg-type]


@dataclass
class Numbers:
    """The part of the store that watching reads. ``functions`` is resource → what it does."""

    functions: dict[int, Course] = field(default_factory=dict)
    points: dict[tuple[str, str], dict[int, Callable[[datetime], float | None]]] = field(default_factory=dict)
    noise: float = 0.05

    def by_resource(self, organization_id: int, window: Window) -> dict[int, Standing]:
        found = {key: self._standing(key, window) for key in self.functions}
        return {key: standing for key, standing in found.items() if standing and standing.rollup.invocations}

    def series(
        self, organization_id: int, window: Window, step: timedelta, resource_ids: Sequence[int] | None = None
    ) -> list[Bucket]:
        (resource_id,) = resource_ids or ()
        return self.series_by_resource(organization_id, window, step, [resource_id])[resource_id]

    def series_by_resource(
        self, organization_id: int, window: Window, step: timedelta, resource_ids: Sequence[int]
    ) -> dict[int, list[Bucket]]:
        return {
            key: [
                Bucket(
                    start,
                    (
                        self._standing(key, Window(start, min(start + step, window.end))) or Standing(Rollup(), None)
                    ).rollup,
                )
                for start in steps(window, step)
            ]
            for key in resource_ids
        }

    def measured_by_resource(
        self, organization_id: int, window: Window, *, metrics: Sequence[tuple[str, str]], step: timedelta
    ) -> dict[tuple[str, str], dict[int, list[Reading]]]:
        return {
            measure: {
                key: [Reading(start, course(start)) for start in steps(window, step)]
                for key, course in self.points[measure].items()
            }
            for measure in metrics
            if measure in self.points
        }

    def watermark(self, organization_id: int) -> Watermark | None:
        return None

    def _standing(self, resource_id: int, window: Window) -> Standing | None:
        """All of a window's minutes; the same window always has the same chance in it."""
        course = self.functions.get(resource_id)
        told = [course(at) for at in steps(window, MINUTE)] if course else []
        ran = [each for each in told if each]
        random = Random(f"{resource_id} {window.start.isoformat()} {window.end - window.start}")
        expected = sum(each.number for each in ran)
        if not expected:
            return None
        runs = self._count(expected, random)
        ms = sum(each.ms * each.number for each in ran) / expected * random.lognormvariate(0, self.noise)
        usd = sum(each.usd * each.number for each in ran) / expected
        rollup = Rollup(
            invocations=runs,
            errors=self._count(sum(each.errors * each.number for each in ran), random) if runs else 0,
            cold_starts=self._count(sum(each.cold * each.number for each in ran), random) if runs else 0,
            cost_usd=usd * runs,
            duration_ms=ms * runs,
            max_memory_mb=int(max(each.memory_mb for each in ran) * random.uniform(0.97, 1.03)),
        )
        return Standing(rollup, ms * 1.6 * random.lognormvariate(0, self.noise), ms * 2, ms)

    @staticmethod
    def _count(expected: float, random: Random) -> int:
        return max(0, round(random.gauss(expected, math.sqrt(expected)))) if expected else 0
