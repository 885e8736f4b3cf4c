from datetime import timedelta

from alerts.detector import Advised, FactWindow
from alerts.detectors.insight import Insights
from tests.alerts.facts import NOW

HOUR = timedelta(hours=1)


def advised(**fields: object) -> Advised:
    values = {
        "resource_id": 7,
        "rule": "public_url",
        "title": "checkout: URL that anybody can call",
        "text": "checkout can be called without signing in.",
        "fingerprint": "1:url",
        "opened_at": NOW,
        "at": NOW,
        "detail": {"fixes": [{"way": "cli", "text": "aws lambda update-function-url-config"}]},
    }
    return Advised(**(values | fields))  # type: ignore[arg-type]  # Fields of any type.


def test_each_piece_of_advice_is_a_problem_of_its_own() -> None:
    window = FactWindow(1, NOW, advice=[advised(), advised(fingerprint="1:other")])
    first, second = Insights().detect(window)
    assert (first.fingerprint, second.fingerprint) == ("1:url", "1:other")
    assert (first.kind, first.severity, first.resource_id) == ("insight", "critical", 7)
    assert first.detail["message"] == "checkout can be called without signing in."
    assert first.detail["fixes"][0]["text"] == "aws lambda update-function-url-config"


def test_it_counts_once_and_lasts_as_long_as_it_stands() -> None:
    new, old = (next(iter(Insights().detect(FactWindow(1, NOW, advice=[each])))) for each in (
        advised(), advised(at=NOW + HOUR)
    ))  # fmt: skip
    assert (new.count, new.first_at, new.last_at) == (1, NOW, NOW)
    assert (old.count, old.first_at, old.last_at) == (0, NOW, NOW + HOUR)


def test_it_outlasts_a_look_that_failed() -> None:
    assert Insights().quiet > 2 * HOUR
