"""What Lambda itself writes when it ends a function."""

import pytest

from ingest.parser import ErrorReport
from tests.ingest.parsers import samples


@pytest.mark.parametrize(
    ("name", "type_", "message"),
    [
        ("timed_out", "Sandbox.Timedout", "Task timed out after 3.00 seconds"),
        ("killed", "Runtime.ExitError", "Runtime exited with error: signal: killed"),
        ("exit_status", "Runtime.ExitError", "Runtime exited with error: exit status 129"),
        ("process_exited", "Runtime.ExitError", "Process exited before completing request"),
        ("exec_format", "Runtime.InvalidEntrypoint", "fork/exec /var/task/bootstrap: exec format error"),
        ("entrypoint", "Runtime.InvalidEntrypoint", "entrypoint requires the handler name to be the first argument"),
    ],
)
def test_platform_text(name: str, type_: str, message: str) -> None:
    assert samples.report(f"platform/{name}.txt") == ErrorReport(type_, message)


def test_a_program_may_speak_of_timeouts() -> None:
    assert samples.find("the upstream said: Task timed out after 3.00 seconds") is None
