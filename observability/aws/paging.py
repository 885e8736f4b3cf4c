"""How to get from one page of a listing to the next, by botocore's rules."""

from collections.abc import Callable, Mapping
from typing import Any

Turn = Callable[[Mapping[str, Any]], dict[str, Any]]
"""From a page to the parameters that ask for the next one; empty after the last."""

USUAL_TOKENS = (("NextToken", "NextToken"), ("nextToken", "nextToken"), ("Marker", "NextMarker"))


def turning(rule: Mapping[str, Any] | None, asked: Any) -> Turn:
    """By botocore's rule for the operation; for the few without one by what it can be ``asked``, its input shape."""
    more = rule.get("more_results") if rule else None
    names = _tokens(rule) if rule else [pair for pair in USUAL_TOKENS if asked is not None and pair[0] in asked.members]

    def turn(page: Mapping[str, Any]) -> dict[str, Any]:
        if more and not page.get(more):
            return {}
        return {parameter: page[token] for parameter, token in names if page.get(token)}

    return turn


def _tokens(rule: Mapping[str, Any]) -> list[tuple[str, str]]:
    asked, answered = (
        [name] if isinstance(name, str) else name for name in (rule["input_token"], rule["output_token"])
    )
    names = list(zip(asked, answered, strict=True))
    if not all(answer.isidentifier() for _, answer in names):
        raise ValueError(f"These tokens need more than a name: {names}")
    return names
