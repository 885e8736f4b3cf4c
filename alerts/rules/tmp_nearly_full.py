"""Functions that fill their /tmp."""

from collections.abc import Iterable, Mapping

from alerts.finding import Severity
from alerts.fixes import steps
from alerts.reconfigure import configure
from alerts.rule import Advice, Confidence, Effort, Estate, Knob, Measure, Pillar, Subject
from observability.inventory.limits import MIB, TMP_SIZE
from observability.ui.units import percent, size


class TmpNearlyFull:
    kind = "tmp_nearly_full"
    title = "Temporary storage is nearly full"
    why = "What a run leaves in /tmp is there for the next one. When it is full, writing fails for lack of space."
    source = "https://docs.aws.amazon.com/lambda/latest/dg/configuration-ephemeral-storage.html"
    pillar = Pillar.RELIABILITY
    severity = Severity.WARNING
    effort = Effort.MINUTES
    measure = Measure.ERRORS
    types: tuple[str, ...] = ("lambda_function",)
    knobs: tuple[Knob, ...] = (Knob("used", "Warn when more was used than", 85, "%", 1, 100),)

    def advise(self, subject: Subject, estate: Estate, knobs: Mapping[str, float]) -> Iterable[Advice]:
        given, used = (subject.config.get("ephemeral_mb") or 0) * MIB, subject.peak("tmp_used")
        if not given or not used or used / given * 100 <= knobs["used"]:
            return
        wanted = min(TMP_SIZE.value, -int(-used * 1.5 / MIB // 512) * 512)
        larger = configure(
            subject,
            [f"--ephemeral-storage Size={wanted}"],
            ["ephemeral_storage {", f"  size = {wanted}", "}"],
            ["EphemeralStorage:", f"  Size: {wanted}"],
        )
        yield Advice(
            text=f"{subject.name} has used {size(used)} of the {size(given)} of its /tmp.",
            evidence=[
                ("Size of /tmp", size(given)),
                ("Most that was used", size(used)),
                ("Share", percent(used / given)),
            ],
            fixes=[
                steps("Delete what a run wrote before it ends, also when it fails; or stream instead of writing."),
                *(larger if wanted * MIB > given else []),
            ],
            confidence=Confidence.MEDIUM,
        )
