from alerts.rules import RULES
from tests.alerts.rules.document import PAGE, written


def test_the_documented_rules_are_those_of_the_catalogue() -> None:
    assert PAGE.read_text() == written(), "Run `make insights`."


def test_every_rule_is_in_it() -> None:
    text = PAGE.read_text()
    assert [rule.kind for rule in RULES if f"`{rule.kind}`" not in text] == []
