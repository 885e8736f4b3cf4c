"""Unhandled exceptions as the Java runtime prints them: message, type, then the stack trace of the JVM.

The runtime's own source is the reference: https://github.com/aws/aws-lambda-java-libs (UserFault.reportableError)
"""

from collections.abc import Mapping, Sequence

from ingest.parser import ErrorReport
from observability.telemetry.records import Frame

_THREAD = 'Exception in thread "'
_TERMINATING = "Terminating due to java.lang.OutOfMemoryError:"
_CAUSE = "Caused by: "
_FOREIGN = (
    "java.", "javax.", "jakarta.", "jdk.", "sun.", "com.sun.", "lambdainternal.", "com.amazonaws.", "software.amazon.",
    "kotlin.", "kotlinx.", "scala.", "groovy.", "org.springframework.", "org.apache.", "org.hibernate.", "org.slf4j.",
    "com.fasterxml.", "com.google.", "io.netty.", "io.micronaut.", "io.quarkus.", "reactor.", "ch.qos.logback.",
    "org.postgresql.", "com.mysql.", "com.zaxxer.", "org.jboss.",
)  # fmt: skip


def parse(text: str) -> ErrorReport | None:
    """``boom: Type`` then ``Type: boom`` with ``\\tat`` lines; or what a dying JVM prints."""
    if "\tat " not in text and not text.startswith((_THREAD, _TERMINATING, "java.lang.OutOfMemoryError")):
        return None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    first = next((index for index, line in enumerate(lines) if line.startswith("\tat ")), len(lines))
    header = lines[:first]
    for index in range(len(header) - 1):
        type_ = header[index].rpartition(": ")[2].strip()
        if _is_type(type_) and header[index + 1].startswith(type_):
            return _report(header[index + 1 :], lines[first:], certain=True)
    return _dying(header, lines[first:])


def parse_json(record: Mapping[str, object]) -> ErrorReport | None:
    """The same text as the ``message`` of a JSON line."""
    message = record.get("message")
    return parse(message) if isinstance(message, str) else None


def _dying(header: list[str], trace: Sequence[str]) -> ErrorReport | None:
    """``Exception in thread "main" Type: boom``, or a bare trace, which a program may print of a caught one too."""
    if not header:
        return None
    line = header[0]
    certain = line.startswith((_THREAD, _TERMINATING))
    if line.startswith(_THREAD):
        line = line[len(_THREAD) :].partition('" ')[2]
    elif line.startswith(_TERMINATING):
        line = line.removeprefix("Terminating due to ")
    if not _is_type(line.partition(":")[0].strip()):
        return None
    return _report([line, *header[1:]], trace, certain=certain or "OutOfMemoryError" in line)


def _report(header: Sequence[str], trace: Sequence[str], *, certain: bool) -> ErrorReport:
    """Header and trace, with the causes: their messages below the message, their frames behind the frames."""
    type_, _, message = header[0].partition(":")
    messages = ["\n".join([message.strip(), *header[1:]]).strip()]
    sections: list[list[Frame]] = [[]]
    for line in trace:
        if line.startswith("\tat "):
            sections[-1].append(_frame(line[4:]))
        elif line.startswith(_CAUSE):
            messages.append(line.strip())
            sections.append([])
    frames = tuple(frame for section in sections for frame in reversed(section))
    return ErrorReport(type_.strip(), "\n".join(messages), frames, certain)


def _frame(place: str) -> Frame:
    """``app//example.Handler.handleRequest(Handler.java:12)``."""
    method, _, source = place.strip().partition("(")
    method = method.rpartition("/")[2]
    file, _, line = source.partition(")")[0].partition(":")
    file = "" if " " in file else file  # ``Native Method`` and ``Unknown Source`` are no files.
    return Frame(
        file, int(line) if line.isdecimal() and len(line) < 9 else 0, method, own=not method.startswith(_FOREIGN)
    )


def _is_type(text: str) -> bool:
    """A class with its package, such as ``java.io.IOException``."""
    return "." in text and len(text) < 300 and all(map(str.isidentifier, text.split(".")))
