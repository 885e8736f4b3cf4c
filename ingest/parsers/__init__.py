"""From events to records. ``ERRORS`` is the registry of error dialects: the order of trial and the catalogue.

docs/howto/add-a-parser.md tells how to add one.
"""

from dataclasses import replace

from ingest.parser import Batch, ErrorDialect, Told
from ingest.parsers import (
    cloudwatch,
    custom_errors,
    dotnet_errors,
    extension_events,
    go_errors,
    java_errors,
    lambda_json,
    lambda_text,
    nodejs_errors,
    platform_errors,
    python_errors,
    ruby_errors,
    telemetry_api,
)
from observability.telemetry.records import Record

ERRORS: tuple[ErrorDialect, ...] = (
    platform_errors,
    python_errors,
    java_errors,
    dotnet_errors,  # It, Ruby and Go before Node.js: their JSON is Node's with a stricter shape.
    ruby_errors,
    go_errors,
    nodejs_errors,
    custom_errors,
)


def parse(batch: Batch) -> list[Record]:
    """Turn the events of one environment into records; what is not understood is left out, nothing raises."""
    return telemetry_api.parse(batch, read_text=lambda_text.read, read_json=lambda_json.read, errors=ERRORS)


def told(batch: Batch) -> Told:
    """What the extension says of itself and its environment in these events; nothing raises."""
    return extension_events.read(batch)


def parse_stream(batch: Batch) -> list[Record]:
    """As ``parse``, for the messages of one CloudWatch log stream: events whose records are lines of text."""
    return parse(replace(batch, events=cloudwatch.told(batch.events)))


def stream_of(name: str) -> tuple[str, str]:
    """The function and the version that a log stream's name tells of, each empty when it does not."""
    return cloudwatch.stream(name)
