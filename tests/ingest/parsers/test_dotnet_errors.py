"""Unhandled exceptions of the .NET runtime."""

import pytest

from ingest.parsers import dotnet_errors
from tests.ingest.parsers import samples


@pytest.mark.parametrize("name", ["dotnet/null_reference.txt", "dotnet/null_reference.json"])
def test_exception_in_both_formats(name: str) -> None:
    found = samples.report(name)
    assert (found.type, found.certain) == ("System.NullReferenceException", True)
    assert found.message == "Object reference not set to an instance of an object."
    assert samples.places(found)[-2:] == [
        ("/src/Function.cs", 18, "Shop.Function.FunctionHandler", True),
        ("/src/Orders.cs", 31, "Shop.Orders.Total", True),
    ]


def test_runtime_frames_are_not_own() -> None:
    assert [frame.own for frame in samples.report("dotnet/null_reference.txt").frames] == [False, False, True, True]


def test_inner_exceptions() -> None:
    found = samples.report("dotnet/inner.txt")
    assert found.type == "System.InvalidOperationException"
    assert found.message.splitlines() == [
        "Could not save the order",
        "Caused by: Npgsql.NpgsqlException (0x80004005): Failed to connect",
        "Caused by: System.Net.Sockets.SocketException (111): Connection refused",
    ]
    assert [frame.function for frame in found.frames] == [
        "Shop.Function.FunctionHandler",
        "Shop.Store.Open",
        "System.Net.Sockets.Socket.Connect",
    ]


def test_crash_of_the_process() -> None:
    assert samples.report("dotnet/unhandled.txt").type == "System.TypeInitializationException"


def test_logged_exception_is_not_certain() -> None:
    assert not samples.report("dotnet/logged.json").certain


def test_text_before_the_type_is_a_log_message() -> None:
    assert dotnet_errors.parse("retrying\nSystem.TimeoutException: slow\n   at Shop.Client.Send()") is None
