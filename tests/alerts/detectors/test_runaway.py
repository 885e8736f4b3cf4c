from datetime import timedelta

from alerts.detector import FactWindow, Spending
from alerts.detectors.runaway import Runaway
from alerts.finding import Severity
from tests.alerts.facts import CHECKOUT, NOW

STOP = "aws lambda put-function-concurrency --function-name checkout --reserved-concurrent-executions 0"


def spending(loop: tuple[str, ...] = ()) -> Spending:
    return Spending(1, 14.0, 0.2, "It spends $14.00 an hour.", STOP, NOW - timedelta(minutes=3), NOW, loop)


def test_tells_what_it_costs_and_how_to_stop_it() -> None:
    (found,) = Runaway().detect(FactWindow(1, NOW, functions={1: CHECKOUT}, spending=[spending()]))
    assert (found.kind, found.severity) == ("runaway", Severity.CRITICAL)
    assert found.title == "checkout spends $14.00 an hour"
    assert found.detail["fixes"] == [{"way": "cli", "name": "Stop it", "text": STOP}]
    assert (found.first_at, found.last_at) == (NOW - timedelta(minutes=3), NOW)


def test_a_suspected_loop_is_in_the_title() -> None:
    (found,) = Runaway().detect(FactWindow(1, NOW, functions={1: CHECKOUT}, spending=[spending(("checkout", "q"))]))
    assert found.title == "checkout may be calling itself and spends $14.00 an hour"
    assert found.detail["loop"] == ["checkout", "q"]


def test_a_function_is_one_problem_however_often_it_is_seen() -> None:
    window = FactWindow(1, NOW, functions={1: CHECKOUT}, spending=[spending(), spending(("a", "b"))])
    assert len({found.fingerprint for found in Runaway().detect(window)}) == 1
