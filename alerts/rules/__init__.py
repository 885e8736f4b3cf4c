"""The catalogue of advice: registration and order. A new rule is one file here, one line in this list, one test."""

from collections.abc import Sequence

from alerts.rule import Rule

RULES: Sequence[Rule] = ()
BY_KIND = {rule.kind: rule for rule in RULES}
