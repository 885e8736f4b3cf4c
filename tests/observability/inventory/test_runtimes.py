"""The table of runtimes is whole: every row can be told, and leads somewhere that is still there."""

from datetime import date

import pytest

from observability.inventory.runtimes import Runtime, label, runtimes, table

each_runtime = pytest.mark.parametrize("runtime", runtimes().values(), ids=list(runtimes()))


def test_says_where_and_when_it_was_read() -> None:
    assert table()["source"].startswith("https://docs.aws.amazon.com/lambda/")
    assert isinstance(table()["as_of"], date)


@each_runtime
def test_a_successor_is_in_the_table_and_lives_longer(runtime: Runtime) -> None:
    if runtime.successor:
        successor = runtimes()[runtime.successor]
        assert not successor.successor
        assert successor.deprecated >= runtime.deprecated


@each_runtime
def test_changes_are_never_blocked_before_creation(runtime: Runtime) -> None:
    if runtime.create_block and runtime.update_block:
        assert runtime.create_block <= runtime.update_block


def test_knows_what_can_start_from_a_snapshot_and_run_on_graviton() -> None:
    able = {name for name, runtime in runtimes().items() if runtime.snap_start}
    assert {"python3.12", "java17", "dotnet8"} <= able
    assert not able & {"python3.11", "nodejs22.x", "java8.al2", "provided.al2023", "ruby3.4"}
    assert not runtimes()["go1.x"].arm64
    assert runtimes()["provided.al2023"].arm64


@pytest.mark.parametrize(
    ("name", "told"), [("python3.9", "Python 3.9"), ("nodejs18.x", "Node.js 18"), ("cobol74", "cobol74"), ("", "")]
)
def test_says_the_name_as_people_do(name: str, told: str) -> None:
    assert label(name) == told
