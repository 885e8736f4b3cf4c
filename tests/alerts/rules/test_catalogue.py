"""Every rule carries the words that people read, tells of its problem, and is silent about everybody's health."""

from dataclasses import replace

import pytest

from alerts.finding import Severity
from alerts.rule import Advice, Confidence, Effort, Measure, Pillar, Rule
from alerts.rules import BY_KIND, RULES
from observability.telemetry.records import Rollup
from tests.alerts.rules.cases import NOW, Twins, case, load

TWINS = load()
WAYS = {"cli", "terraform", "sam", "steps"}

each_rule = pytest.mark.parametrize("rule", RULES, ids=[rule.kind for rule in RULES])


@each_rule
def test_a_rule_has_the_words_that_people_read(rule: Rule) -> None:
    assert rule.kind.replace("_", "").isalnum(), "Letters, digits and underscores."
    assert rule.kind.islower()
    assert 3 <= len(rule.kind) <= 40
    assert 5 <= len(rule.title) <= 80
    assert not rule.title.endswith("."), "A title is no sentence."
    assert rule.title[0] == rule.title[0].upper()
    assert rule.why.endswith("."), "Why it matters is a sentence or two."
    assert 20 <= len(rule.why) <= 400
    assert rule.source.startswith("https://")
    assert isinstance(rule.pillar, Pillar)
    assert isinstance(rule.severity, Severity)
    assert isinstance(rule.effort, Effort)
    assert isinstance(rule.measure, Measure)
    assert rule.types


@each_rule
def test_knobs_can_be_turned_within_limits_that_make_sense(rule: Rule) -> None:
    assert len({knob.name for knob in rule.knobs}) == len(rule.knobs)
    for knob in rule.knobs:
        assert knob.name.isidentifier()
        assert knob.label
        assert not knob.label.endswith(".")
        assert knob.least <= knob.default <= knob.most


def test_kinds_and_titles_are_unique() -> None:
    assert len(BY_KIND) == len(RULES)
    assert len({rule.title for rule in RULES}) == len(RULES)


@each_rule
def test_a_rule_speaks_up_about_its_problem(rule: Rule) -> None:
    advice = _twins(rule).problem.advice(rule)
    assert advice, "It is silent about its problem."
    assert len({each.topic for each in advice}) == len(advice), "Topics tell pieces of advice apart."
    for each in advice:
        _is_whole(each)


def _is_whole(advice: Advice) -> None:
    assert advice.text.endswith("."), f"No sentence: {advice.text}"
    assert len(advice.text) <= 500
    assert len(advice.topic) <= 140
    assert isinstance(advice.confidence, Confidence)
    assert advice.evidence, "Advice without figures is an opinion."
    assert all(label and value and isinstance(value, str) for label, value in advice.evidence)
    assert advice.fixes, "Say how to mend it."
    assert {fix.way for fix in advice.fixes} <= WAYS
    assert all(fix.text.strip() for fix in advice.fixes)
    if advice.usd_month is not None:
        low, high = advice.usd_month
        assert 0 <= low <= high


@each_rule
def test_a_rule_gives_the_same_advice_again(rule: Rule) -> None:
    assert _twins(rule).problem.advice(rule) == _twins(rule).problem.advice(rule)


@each_rule
def test_a_rule_is_silent_about_its_clean_twin(rule: Rule) -> None:
    assert _twins(rule).clean.advice(rule) == []


@each_rule
def test_no_rule_speaks_up_about_the_health_of_another_ones_twin(rule: Rule) -> None:
    told = {
        other.rule.kind: [each.text for each in advice]
        for other in TWINS.values()
        if rule.kind not in other.beside and (advice := other.clean.advice(rule))
    }
    assert not told


@each_rule
def test_a_rule_stands_what_little_is_known(rule: Rule) -> None:
    """Right after connecting, of most resources no more is known than that they are there."""
    subject = _twins(rule).problem.subject
    new = replace(subject, config={}, rollup=Rollup(), p95_ms=None, p99_ms=None, points={}, package=None)
    assert case(replace(new, first_seen_at=NOW)).advice(rule) == []


def _twins(rule: Rule) -> Twins:
    assert rule.kind in TWINS, f"Register the twins of {rule.kind} in its test module: see cases.py."
    return TWINS[rule.kind]
