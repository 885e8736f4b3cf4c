"""What the simulated customers deploy: one function gets a new release every half hour, the others stay as they are."""

from datetime import UTC, datetime, timedelta

from moto.awslambda.models import lambda_backends

from demo.aws.archives import CODE, archive
from demo.aws.server import SimulatedAws
from demo.catalogue import CATALOGUE, FLEET, Function

BUILT = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
EVERY = timedelta(minutes=30)
(RELEASED,) = (function for function in FLEET if function.name == "shop-order-worker")


def release_of(now: datetime) -> int:
    """The number of the release that is live."""
    return (now - BUILT) // EVERY


def deploy(aws: SimulatedAws, number: int) -> None:
    """Upload a release; each has other code and, in turn, a little more or less time."""
    client = aws.account(RELEASED.account).client("lambda", RELEASED.region)
    code = archive(CODE[RELEASED.name] | {"release": str(number)})
    client.update_function_code(FunctionName=RELEASED.name, ZipFile=code)
    client.update_function_configuration(
        FunctionName=RELEASED.name, Description=f"Release {number}", Timeout=RELEASED.timeout_s + number % 2 * 15
    )
    date(RELEASED, BUILT + number * EVERY)


def date_all() -> None:
    """Functions that were there before say so, whenever the simulation began."""
    for function in (*CATALOGUE, *FLEET):
        date(function, BUILT)


def date(function: Function, at: datetime) -> None:
    kept = lambda_backends[function.account][function.region]._lambdas._functions[function.name]
    for version in (kept["latest"], *kept["versions"]):
        version.last_modified = f"{at:%Y-%m-%dT%H:%M:%S}.000+0000"
