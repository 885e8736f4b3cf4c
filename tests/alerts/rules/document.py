"""The list of rules in docs/insights.md: ``make insights`` writes it, ``test_document`` holds it to the catalogue."""

from itertools import groupby
from pathlib import Path

from alerts.rule import Knob, Pillar, Rule
from alerts.rules import RULES
from observability.dashboards.kinds import kind

PAGE = Path(__file__).parents[3] / "docs/insights.md"
MARK = "<!-- The rest is written by `make insights`. -->\n"


def written() -> str:
    """The page with its list made anew."""
    head, _, _ = PAGE.read_text().partition(MARK)
    return f"{head}{MARK}\n{listed()}"


def listed() -> str:
    order = list(Pillar)
    rules = sorted(RULES, key=lambda rule: (order.index(rule.pillar), rule.title))
    parts = [f"{len(rules)} rules.\n"]
    for pillar, group in groupby(rules, key=lambda rule: rule.pillar):
        parts.append(f"\n## {pillar.title()}\n")
        parts += [_entry(rule) for rule in group]
    return "".join(parts)


def _entry(rule: Rule) -> str:
    types = ", ".join(kind(each).many for each in rule.types)
    knobs = "".join(f" {knob.label}: {_number(knob)}." for knob in rule.knobs)
    measured = f" Afterwards its `{rule.measure.value}` is compared." if rule.measure.value else ""
    return (
        f"\n### {rule.title}\n\n`{rule.kind}` · {rule.severity} · {types} · takes {rule.effort}\n\n"
        f"{rule.why} [Source]({rule.source})\n{knobs and f'{chr(10)}Thresholds:{knobs}{chr(10)}'}"
        f"{measured and f'{chr(10)}{measured.strip()}{chr(10)}'}"
    )


def _number(knob: Knob) -> str:
    return f"{knob.default:,g} {knob.unit}".strip()


if __name__ == "__main__":
    PAGE.write_text(written())
