"""Regions whose code storage fills up, when it will be full, and which versions nobody would miss (F2)."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.rule import Advice, Confidence, Effort, Estate, Fix, Knob, Measure, Pillar, Subject
from observability.inventory.code_storage import full_at, prunable, published
from observability.inventory.limits import CODE_STORAGE
from observability.ui.units import percent, size

NAMED, DELETED = 5, 20
"""So many functions are told of, and so many versions of each are in its command."""


class CodeStorage:
    kind = "code_storage"
    title = "Code storage fills up"
    why = "When it is full no function of the region can be deployed any more, also not to mend something."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html"
    pillar = Pillar.OPERATIONS
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.NONE
    types: tuple[str, ...] = ("aws_account",)
    knobs: tuple[Knob, ...] = (
        Knob("used", "Warn when more is used than", 80, "%", 1, 100),
        Knob("critical", "Critical when more is used than", 95, "%", 1, 100),
        Knob("days", "Warn when it is full within", 60, "days"),
    )

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        for region, told in sorted(subject.config.items()):
            if not isinstance(told, Mapping) or not told.get("code_storage_bytes"):
                continue
            functions = [
                each for each in estate.of_type("lambda_function")
                if (each.account, each.region) == (subject.account, region)
            ]  # fmt: skip
            used, allowed = told["code_storage_bytes"], told.get("code_storage_limit_bytes") or CODE_STORAGE.value
            lately = published((each.config for each in functions), now=estate.now)
            full = full_at(used=used, allowed=allowed, published=lately, now=estate.now)
            soon = full is not None and (full - estate.now).days < knobs["days"]
            if used / allowed * 100 > knobs["used"] or soon:
                critical = used / allowed * 100 > knobs["critical"]
                yield _advice(region, used, allowed, lately, full, functions, critical=critical)


def _advice(
    region: str, used: int, allowed: int, lately: int, full: datetime | None, functions: Sequence[Subject], *,
    critical: bool,
) -> Advice:  # fmt: skip
    spare = {each.resource_id: sum(version.bytes for version in prunable(each.config)) for each in functions}
    largest = sorted(functions, key=lambda each: (-spare[each.resource_id], each.name))[:NAMED]
    named = [each for each in largest if spare[each.resource_id]]
    when = f", and is full about {full:%d %B %Y} at the present pace" if full else ""
    return Advice(
        text=f"{percent(used / allowed)} of the code storage in {region} is used{when}; old versions take "
        f"{size(sum(spare.values()))} of it.",
        evidence=[
            ("Used", f"{size(used)} of {size(allowed)}"),
            ("Published in the last 30 days", size(lately)),
            ("Versions that nothing names", size(sum(spare.values()))),
            *(
                (each.name, f"{size(spare[each.resource_id])} in {len(prunable(each.config))} versions")
                for each in named
            ),
        ],
        fixes=[*map(_prune, named), _steps()],
        confidence=Confidence.MEDIUM,
        saved_bytes=sum(spare.values()) or None,
        topic=region,
        severity=Severity.CRITICAL if critical else None,
    )


def _prune(function: Subject) -> Fix:
    numbers = " ".join(version.number for version in prunable(function.config)[:DELETED])
    command = f"aws lambda delete-function --region {function.region} --function-name {function.name} --qualifier"
    return Fix("cli", f'for version in {numbers}; do\n  {command} "$version"\ndone')


def _steps() -> Fix:
    return steps(
        "Delete old versions with the commands: no alias, trigger or URL names them. Whoever calls one by its number, "
        "and CloudFront, would miss it.",
        "Keep only some versions when you deploy, or publish none where no alias needs them.",
        "Upload code from S3 and ask AWS for more storage if all of it is needed: the quota is L-2ACBD22F.",
    )
