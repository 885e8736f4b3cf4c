"""From events to records. ``ERRORS`` is the registry of error dialects: order and catalogue."""

from ingest.parser import Batch, ErrorDialect
from ingest.parsers import lambda_json, lambda_text, python_errors, telemetry_api
from observability.telemetry.records import Record

ERRORS: tuple[ErrorDialect, ...] = (python_errors,)


def parse(batch: Batch) -> list[Record]:
    """Turn the events of one environment into records; what is not understood is left out, nothing raises."""
    return telemetry_api.parse(batch, read_text=lambda_text.read, read_json=lambda_json.read, errors=ERRORS)
