from datetime import timedelta

from alerts.detector import FactWindow, Unusual
from alerts.detectors.anomaly import Anomaly
from alerts.finding import Severity
from tests.alerts.facts import NOW


def unusual(**fields: object) -> Unusual:
    told = {
        "resource_id": 7, "metric": "duration_p95", "reason": "p95 duration is 4.1 s, usually 620-940 ms.",
        "surprise": 41.5, "started_at": NOW - timedelta(minutes=10), "at": NOW, "fingerprint": "1:one",
        "detail": {"title": "p95 duration of checkout is 4.1 s", "metrics": []},
    }  # fmt: skip
    return Unusual(**(told | fields))  # type: ignore[arg-type]


def test_what_is_odd_becomes_a_finding_with_its_reason() -> None:
    (found,) = Anomaly().detect(FactWindow(1, NOW, anomalies=[unusual()]))
    assert (found.kind, found.severity, found.fingerprint, found.count) == ("anomaly", Severity.WARNING, "1:one", 1)
    assert found.title == "p95 duration of checkout is 4.1 s"
    assert (found.first_at, found.last_at) == (NOW - timedelta(minutes=10), NOW)
    assert found.detail == {
        "title": found.title,
        "metrics": [],
        "message": "p95 duration is 4.1 s, usually 620-940 ms.",
        "surprise": 41.5,
    }


def test_without_a_title_the_reason_stands_in() -> None:
    (found,) = Anomaly().detect(FactWindow(1, NOW, anomalies=[unusual(detail={})]))
    assert found.title == "p95 duration is 4.1 s, usually 620-940 ms."


def test_nothing_odd_is_nothing_found() -> None:
    assert list(Anomaly().detect(FactWindow(1, NOW))) == []
