"""Functions on runtimes that AWS ends: when, who runs how much on them, and which published versions too (F12)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from alerts.finding import Severity
from alerts.fixes import cli, option, steps
from alerts.reconfigure import configure, function_cli
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.inventory.runtimes import Runtime, label, runtimes, table
from observability.ui.units import number

OWNERS = ("owner", "team", "squad", "maintainer", "contact")
SHOWN = 5


class DeprecatedRuntime:
    kind = "deprecated_runtime"
    title = "Runtime comes to its end"
    why = (
        "A runtime that ended gets no more security patches. On a later date AWS refuses changes as well: then the "
        "function runs on, but nobody can mend it."
    )
    source = "https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html"
    pillar = Pillar.SECURITY
    severity = Severity.WARNING
    effort = Effort.DAYS
    measure = Measure.NONE
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("days", "Tell so long before the end", 180, "days"),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        today = estate.now.date()
        runtime = runtimes().get(subject.config.get("runtime") or "")
        if runtime and _ends_soon(runtime, today, knobs["days"]):
            yield _advice(subject, runtime, today)
        old = [
            each for each in subject.config.get("versions") or ()
            if (theirs := runtimes().get(each.get("runtime") or "")) and theirs != runtime
            and _ends_soon(theirs, today, knobs["days"]) and each["version"] in _called(subject.config)
        ]  # fmt: skip
        if old:
            yield _of_versions(subject, old, today)


def _ends_soon(runtime: Runtime, today: date, days: float) -> bool:
    return (runtime.deprecated - today).days <= days


def _advice(subject: Subject, runtime: Runtime, today: date) -> Advice:
    over = runtime.deprecated <= today
    ends = f"has had no security patches since {_day(runtime.deprecated)}" if over else (
        f"gets no more security patches from {_day(runtime.deprecated)} on"
    )  # fmt: skip
    return Advice(
        text=f"{runtime.label}, on which {subject.name} runs, {ends}{_blocked(runtime, today)}.",
        evidence=[
            ("Runtime", runtime.name),
            *_dates(runtime, today),
            ("Runs in two weeks", number(subject.rollup.invocations)),
            ("Owner", _owner(subject.tags)),
            ("Dates as of", str(table()["as_of"])),
        ],
        fixes=_fixes(subject, runtime),
        confidence=Confidence.HIGH,
        severity=None if over else Severity.INFO,
    )


def _blocked(runtime: Runtime, today: date) -> str:
    if runtime.update_block is None:
        return ""
    if runtime.update_block <= today:
        return ", and AWS refuses every change of it"
    return f"; from {_day(runtime.update_block)} on AWS refuses every change of it"


def _dates(runtime: Runtime, today: date) -> Iterator[tuple[str, str]]:
    told = (
        ("Security patches end", runtime.deprecated),
        ("New functions are refused from", runtime.create_block),
        ("Changes are refused from", runtime.update_block),
    )
    for name, day in told:
        if day is not None:
            left = (day - today).days
            yield name, f"{_day(day)}, {f'in {left:,} days' if left > 0 else f'{-left:,} days ago'}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def _owner(tags: Mapping[str, str]) -> str:
    """As its tags tell; who must be asked to do the work."""
    told = {name.lower(): value for name, value in tags.items()}
    return next((told[name] for name in OWNERS if told.get(name)), "no tag tells")


def _fixes(subject: Subject, runtime: Runtime) -> list[Any]:
    if not runtime.successor:
        return [steps("AWS has no successor yet. Plan for the next runtime of this language, or for an image.")]
    wanted = runtime.successor
    return [
        steps(
            f"Run the tests on {label(wanted)}, and build dependencies with compiled parts for it.",
            "Set the runtime, publish a version, and send a part of the calls to it with an alias.",
            "Move all calls when errors and duration stay as they were.",
        ),
        *configure(subject, [option("runtime", wanted)], [f'runtime = "{wanted}"'], [f"Runtime: {wanted}"]),
    ]


def _called(config: Mapping[str, Any]) -> set[str]:
    """Versions that an alias, a trigger, a URL or provisioned concurrency names."""
    named = {str(each.get("qualifier")) for key in ("event_sources", "url", "provisioned")
             for each in config.get(key) or ()}  # fmt: skip
    for alias in (config.get("aliases") or {}).values():
        named |= {str(alias["version"]), *map(str, alias.get("weights") or ())}
    return named


def _of_versions(subject: Subject, old: Sequence[Mapping[str, Any]], today: date) -> Advice:
    """A published version never changes: whoever calls it must be led to a newer one."""
    names = [str(each["version"]) for each in old]
    worst = min((runtimes()[each["runtime"]] for each in old), key=lambda runtime: runtime.deprecated)
    leading = sorted(
        name for name, alias in (subject.config.get("aliases") or {}).items()
        if {str(alias["version"]), *map(str, alias.get("weights") or ())} & set(names)
    )  # fmt: skip
    moves = [
        function_cli(subject, "update-alias", option("name", name), option("function-version", "NEW_VERSION"))
        for name in leading[:SHOWN]
    ]
    return Advice(
        text=f"Calls of {subject.name} still go to version {', '.join(names[:SHOWN])}, which was published with "
        f"{worst.label}{_blocked(worst, today)}.",
        evidence=[
            ("Versions in use", ", ".join(f"{each['version']} on {each['runtime']}" for each in old[:SHOWN])),
            ("Aliases that lead there", ", ".join(leading) or "none: they are named by number"),
            *_dates(worst, today),
            ("Owner", _owner(subject.tags)),
        ],
        fixes=[
            cli("lambda publish-version", subject.region, option("function-name", subject.name)),
            *moves,
            steps("Publish a version with a newer runtime, lead aliases and triggers to it, then delete the old one."),
        ],
        confidence=Confidence.HIGH,
        topic="versions",
    )
