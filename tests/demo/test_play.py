"""The order in which the demo tells its story: the last day, then live, and behind it what was long ago."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any

import pytest

from demo import play
from demo.catalogue import CATALOGUE
from demo.sender import Sender
from demo.state import State, load, save

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DAY = timedelta(days=1)


class Kept(Sender):
    """Keeps what it is to send."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []

    def send(self, body: dict[str, Any]) -> int:
        self.sent += body["events"]
        return len(body["events"])


@pytest.fixture(autouse=True)
def brief_story(monkeypatch: pytest.MonkeyPatch) -> None:
    """One function, a day and a half, no waiting."""
    monkeypatch.setattr("demo.traffic.CATALOGUE", CATALOGUE[6:7])
    monkeypatch.setattr(play, "LONG_AGO", DAY + 2 * play.STRETCH)
    monkeypatch.setattr(play, "TICK_S", 0.0)


@pytest.fixture
def begun() -> State:
    return State(key="key", anchor=NOW, told_until=NOW, told_from=NOW - DAY)


def times(sender: Kept) -> list[datetime]:
    return [datetime.fromisoformat(event["time"]) for event in sender.sent]


def rounds(sender: Sender, state: State, count: int) -> list[State]:
    clock = iter(NOW + timedelta(seconds=10 * (number + 1)) for number in range(count))
    return list(islice(play.follow(sender, state, lambda: next(clock)), count))


class TestLongAgo:
    def test_is_told_going_back_behind_what_is_live(self, begun: State) -> None:
        sender = Kept()
        told = rounds(sender, begun, 3)
        assert [each.told_from for each in told] == [NOW - DAY - play.STRETCH] + [NOW - DAY - 2 * play.STRETCH] * 2
        assert [play.is_told(each) for each in told] == [False, True, True]
        assert told[-1].told_until == NOW + timedelta(seconds=30)
        assert min(times(sender)) >= NOW - DAY - 2 * play.STRETCH

    def test_is_told_once_also_when_stopped_halfway(self, begun: State) -> None:
        first, again = Kept(), Kept()
        rounds(again, rounds(first, begun, 1)[-1], 3)
        earlier, later = ({event["id"] for event in sender.sent} for sender in (first, again))
        assert earlier
        assert later
        assert not earlier & later

    def test_says_no_more_than_what_each_invocation_took_and_used(self, begun: State) -> None:
        sender = Kept()
        play.remember(sender, begun, NOW)
        kinds = Counter(event["type"] for event in sender.sent)
        assert kinds["platform.report"] > 0.98 * (kinds.total() - kinds["nightjar.usage"])
        assert kinds["nightjar.usage"]

    def test_touches_nothing_of_the_last_day(self, begun: State) -> None:
        day, before = Kept(), Kept()
        play.catch_up(day, State(key="key", anchor=NOW, told_until=NOW - DAY), NOW, lambda _: None)
        play.remember(before, begun, NOW)
        assert max(times(before)) <= min(times(day)) + timedelta(milliseconds=5)
        assert not {event["id"] for event in before.sent} & {event["id"] for event in day.sent}

    def test_of_a_demo_that_began_without_it_stays_untold(self, begun: State) -> None:
        sender = Kept()
        old = begun.since(None)
        assert play.is_told(old)
        assert play.remember(sender, old, NOW) == old
        assert not sender.sent


def test_what_is_remembered_survives_a_restart(begun: State, tmp_path: Any) -> None:
    save(tmp_path / "state.json", begun)
    assert load(tmp_path / "state.json") == begun
