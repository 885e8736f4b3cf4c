"""What our calls cost the customer, said in advance."""

from datetime import timedelta

import pytest

from ingest.collectors import lambda_metrics, resource_metrics
from observability.aws import costs


def test_the_estimate_is_of_what_the_collector_asks() -> None:
    assert len(lambda_metrics.SIGNS) + len(lambda_metrics.DETAILS) == costs.PER_SWEEP
    assert timedelta(hours=1) / lambda_metrics.SWEEP_EVERY == costs.SWEEPS_AN_HOUR
    assert timedelta(minutes=1) == lambda_metrics.LambdaMetrics.every
    of_each = [len(each.signs) + len(each.details) for each in resource_metrics.MEASURED.values()]
    assert max(of_each) == costs.OTHERS_PER_SWEEP
    assert timedelta(hours=1) / resource_metrics.ResourceMetrics.every == costs.SWEEPS_AN_HOUR


def test_a_function_costs_only_while_it_runs() -> None:
    assert costs.metrics_an_hour() == 12 * 12 + 48
    assert costs.monthly_usd(functions=1) == pytest.approx(192 * 730 * 0.01 / 1_000)
    assert costs.monthly_usd(functions=100, others=100, hours=0) == 0
    assert [estimate.number for estimate in costs.estimates()] == [10, 50, 200]


def test_a_queue_costs_half_of_that() -> None:
    assert costs.monthly_usd(others=10) == pytest.approx(96 * 730 * 10 * 0.01 / 1_000)
    assert costs.monthly_usd(functions=1, others=2) == pytest.approx(2 * costs.monthly_usd(functions=1))
