"""What the simulated customers deploy: one function gets a new release every half hour, the others stay as they are.

Each release of it takes a little more than the one before, until somebody cleans up.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from moto.awslambda.models import lambda_backends

from demo import packages
from demo.aws.archives import archive
from demo.aws.server import SimulatedAws
from demo.catalogue import CATALOGUE, FLEET, Function

BUILT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
EVERY = timedelta(minutes=30)
(RELEASED,) = (function for function in FLEET if function.name == packages.GROWING)
PAST = 5
"""So many releases before the current one are there as published versions when the simulation begins."""


def release_of(now: datetime) -> int:
    """The number of the release that is live."""
    return (now - BUILT) // EVERY


def catch_up(aws: SimulatedAws, number: int) -> None:
    """What was released before this one."""
    client = aws.account(RELEASED.account).client("lambda", RELEASED.region)
    for past in range(number - PAST, number):
        deploy(aws, past)
        client.publish_version(FunctionName=RELEASED.name, Description=f"Release {past}")
        stamp(versions(RELEASED)[-1], BUILT + past * EVERY)


def deploy(aws: SimulatedAws, number: int) -> None:
    """Upload a release; each has other code and, in turn, a little more or less time."""
    client = aws.account(RELEASED.account).client("lambda", RELEASED.region)
    client.update_function_code(FunctionName=RELEASED.name, ZipFile=archive(packages.release(number)))
    client.update_function_configuration(
        FunctionName=RELEASED.name, Description=f"Release {number}", Timeout=RELEASED.timeout_s + number % 2 * 15
    )
    stamp(latest(RELEASED), BUILT + number * EVERY)


def date_all() -> None:
    """Functions that were there before say so, whenever the simulation began."""
    for function in (*CATALOGUE, *FLEET):
        for version in (latest(function), *versions(function)):
            stamp(version, BUILT)


def latest(function: Function) -> Any:
    return kept(function)["latest"]


def versions(function: Function) -> list[Any]:
    """The published ones, the newest last."""
    found: list[Any] = kept(function)["versions"]
    return found


def kept(function: Function) -> dict[str, Any]:
    found: dict[str, Any] = lambda_backends[function.account][function.region]._lambdas._functions[function.name]
    return found


def stamp(version: Any, at: datetime) -> None:
    version.last_modified = f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"
