"""A simulated AWS for tests, loaded with ``-p tests.aws``; moto is only imported by the tests that ask for it.

def test_something(simulated_aws: SimulatedAws) -> None:
    customer = simulated_aws.account("720155190031")
    customer.client("lambda", "eu-central-1").create_function(…)
    simulated_aws.deny("720155190031", "lambda:GetFunction")
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from pytest_django import Settings

if TYPE_CHECKING:
    from demo.aws.server import SimulatedAws


@pytest.fixture(scope="session")
def aws_server() -> Iterator[SimulatedAws]:
    """One server for the whole run; use ``simulated_aws``, which starts every test with nothing in it."""
    from demo.aws.server import SimulatedAws  # Loading moto takes half a second and 100 MiB.

    with SimulatedAws() as aws:
        yield aws


@pytest.fixture
def simulated_aws(
    aws_server: SimulatedAws, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SimulatedAws]:
    """An empty AWS that the product reaches through its settings, with the credentials of Nightjar's own account."""
    from demo.aws.server import environment

    aws_server.reset()
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in environment(aws_server.url).items():
        monkeypatch.setenv(name, value)
    settings.AWS_ENDPOINT_URL = aws_server.url
    yield aws_server
    aws_server.reset()


@pytest.fixture
def aws_url(simulated_aws: SimulatedAws) -> str:
    """Where the simulated AWS answers."""
    return simulated_aws.url
