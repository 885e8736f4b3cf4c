"""Deployments: were the errors there before?"""

from observability.dashboards.changes import Change
from observability.dashboards.deployments import Verdict, verdicts, version_name
from observability.inventory.models import Deployment
from observability.telemetry.records import Bucket
from tests.observability.dashboards.buckets import START, STEP, buckets, rollup

CALM, BROKEN = rollup(100, 1), rollup(100, 30)


def deployed(steps: float, **changes: list[object]) -> Deployment:
    return Deployment(version="42", deployed_at=START + STEP * steps, changes=changes)


def judged(deployments: list[Deployment], found: list[Bucket]) -> list[Verdict]:
    return verdicts(deployments, found, STEP)


def test_one_that_brought_errors_is_bad() -> None:
    (verdict,) = judged([deployed(2)], buckets(CALM, CALM, BROKEN, BROKEN))
    assert (verdict.before, verdict.after, verdict.bad) == (0.01, 0.3, True)


def test_the_bucket_in_which_it_happened_counts_as_after() -> None:
    (verdict,) = judged([deployed(1.5)], buckets(CALM, BROKEN))
    assert (verdict.before, verdict.after) == (0.01, 0.3)


def test_each_answers_only_until_the_next() -> None:
    fix, bad = judged([deployed(2), deployed(1)], buckets(CALM, BROKEN, CALM))
    assert (bad.bad, fix.bad) == (True, False)
    assert (bad.after, fix.before, fix.after) == (0.3, 0.3, 0.01)


def test_errors_that_were_there_before_are_not_its_fault() -> None:
    (verdict,) = judged([deployed(1)], buckets(BROKEN, BROKEN))
    assert not verdict.bad


def test_few_errors_are_no_verdict() -> None:
    (verdict,) = judged([deployed(1)], buckets(rollup(100), rollup(8, 4)))
    assert not verdict.bad


def test_one_before_the_window_has_no_before() -> None:
    (verdict,) = judged([deployed(-9)], buckets(CALM))
    assert (verdict.before, verdict.bad) == (None, False)


def test_changes_are_told_in_words_and_without_the_version() -> None:
    (verdict,) = judged([deployed(0, version=["41", "42"], memory_mb=[128, None])], [])
    assert verdict.name == "v42"
    assert verdict.changes == [Change("Memory", "128 MB", "\N{EN DASH}")]


def test_only_published_versions_get_a_v() -> None:
    assert version_name("$LATEST 2026-11-20 abc123") == "$LATEST 2026-11-20 abc123"
