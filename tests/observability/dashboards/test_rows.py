"""Rows of the functions table."""

from dataclasses import replace
from datetime import timedelta

import pytest

from observability.dashboards.figures import p95_ms
from observability.dashboards.rows import SORTS, Function, Row, ordered, row, rows, with_trends
from observability.telemetry.records import Rollup, Standing, Window
from tests.observability.dashboards.buckets import START, STEP, buckets, rollup


def function(pk: int, name: str, **config: float) -> Function:
    return Function(pk, name, "eu-west-1", dict(config))


def made(name: str, found: Rollup, **config: float) -> Row:
    return row(function(1, name, **config), Standing(found, p95_ms(found)))


class TestRow:
    def test_of_a_function_that_never_ran_knows_no_rates(self) -> None:
        (found,) = rows([function(1, "idle", timeout_s=3, memory_mb=128)], {})
        assert (found.error_rate, found.p95_ms, found.of_timeout, found.of_memory, found.cold_rate) == (None,) * 5
        assert found.alarming == ""

    def test_never_uses_more_than_all_of_its_limits(self) -> None:
        found = made("full", replace(rollup(9, ms=4000), max_memory_mb=200), timeout_s=3, memory_mb=128)
        assert (found.of_timeout, found.of_memory) == (1.0, 1.0)

    @pytest.mark.parametrize(("errors", "pill"), [(0, ""), (2, ""), (4, "warn"), (9, "crit")])
    def test_gets_a_pill_by_its_error_rate(self, errors: int, pill: str) -> None:
        assert made("checkout", rollup(1000, errors)).alarming == pill


class TestOrder:
    TABLE = (made("b", rollup(5)), made("c", rollup(90, 3)), made("a", rollup(5, ms=900)))

    @pytest.mark.parametrize(
        ("sort", "names"),
        [("invocations", "cab"), ("errors", "cab"), ("slowest", "abc"), ("name", "abc"), ("?", "abc")],
    )
    def test_is_largest_first_and_then_by_name(self, sort: str, names: str) -> None:
        assert "".join(entry.name for entry in ordered(self.TABLE, sort)) == names

    @pytest.mark.parametrize("sort", SORTS)
    def test_copes_with_functions_that_never_ran(self, sort: str) -> None:
        assert ordered([*self.TABLE, made("idle", Rollup())], sort)[-1].rollup.errors == 0


class TestTrend:
    def test_shows_whole_buckets_only(self) -> None:
        series = {1: buckets(rollup(1), rollup(50), rollup(50), rollup(2))}
        window = Window(START + timedelta(minutes=5), START + 4 * STEP)
        (found,) = with_trends([made("checkout", Rollup())], series, window, partial=True)
        assert found.trend == [50, 50]
