"""Why a cost changed."""

import pytest

from observability.costs.drivers import Driver, Spent, drivers, explained


def kinds(found: list[Driver]) -> list[str]:
    return [each.kind for each in found]


def test_the_parts_add_up_to_the_change() -> None:
    before, after = Spent(1_000, 100_000, 2.0, 1.0), Spent(2_500, 300_000, 9.0, 4.0)
    found = drivers(before, after)
    assert sum(each.usd for each in found) == pytest.approx(after.total - before.total)
    assert kinds(found) == ["invocations", "standing", "price", "duration"]


@pytest.mark.parametrize(
    ("after", "words"),
    [
        (Spent(2_400, 240_000, 4.8), "2.4 times as many invocations"),
        (Spent(1_000, 130_000, 2.6), "30 % longer invocations"),
        (Spent(1_000, 100_000, 3.0), "50 % dearer time, by memory or price"),
        (Spent(500, 50_000, 1.0), "50 % fewer invocations"),
        (Spent(3_000, 150_000, 3.0), "3.0 times as many invocations, but 50 % shorter invocations"),
        (Spent(1_000, 100_000, 2.0, 5.0), "more for logs and what stands ready"),
        (Spent(0, 0, 0.0), "it stopped running"),
        (Spent(1_000, 100_000, 2.0), ""),
    ],
)
def test_it_is_said_in_words(after: Spent, words: str) -> None:
    assert explained(drivers(Spent(1_000, 100_000, 2.0), after)) == words


def test_what_began_is_said_so() -> None:
    assert explained(drivers(Spent(0, 0, 0.0), Spent(10, 1_000, 0.5))) == "it began to run"


def test_a_thousand_requests_have_a_cost_where_there_are_any() -> None:
    assert Spent(4_000, 1, 1.0, 1.0).per_thousand == 0.5
    assert Spent(0, 0, 0.0, 1.0).per_thousand is None
