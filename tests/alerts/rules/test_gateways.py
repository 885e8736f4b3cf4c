"""Advice about APIs of API Gateway."""

import json
import shlex
from dataclasses import replace
from datetime import timedelta
from typing import Any

from alerts.finding import Severity
from alerts.rules.api_client_errors import ApiClientErrors
from alerts.rules.api_server_errors import ApiServerErrors
from alerts.rules.api_slow import ApiSlow
from alerts.rules.api_times_out import ApiTimesOut
from alerts.rules.api_uncompressed import ApiUncompressed
from alerts.rules.api_unthrottled import ApiUnthrottled
from alerts.rules.api_unused import ApiUnused
from alerts.rules.api_without_access_logs import ApiWithoutAccessLogs
from alerts.rules.api_without_tracing import ApiWithoutTracing
from tests.alerts.rules.cases import NOW, case, daily, function, http_api, rest_api, stage, twins


def busy(**values: float | tuple[float, ...]) -> Any:
    return {**rest_api().points, **daily(**values)}


SLOW = twins(
    ApiSlow(),
    problem=rest_api(points=busy(Latency_Average=1_800, IntegrationLatency_Average=1_700)),
    clean=http_api(points=daily(Count_Sum=3, Latency_Average=1_800, Latency_Maximum=2_000)),
)
SERVER_ERRORS = twins(
    ApiServerErrors(),
    problem=rest_api(points=busy(**{"5XXError_Sum": 900})),
    clean=rest_api(points=busy(**{"5XXError_Sum": (900, 900, 20, 20)})),
)
CLIENT_ERRORS = twins(
    ApiClientErrors(),
    problem=http_api(points={**http_api().points, **daily(**{"4xx_Sum": 2_000})}),
    clean=http_api(points={**http_api().points, **daily(**{"4xx_Sum": 900})}),
)
TIMES_OUT = twins(
    ApiTimesOut(),
    problem=rest_api(points=busy(Latency_Maximum=29_002)),
    clean=rest_api(points=busy(Latency_Maximum=(29_002, 9_000, 9_000))),
)
UNCOMPRESSED = twins(
    ApiUncompressed(),
    problem=rest_api(config={"compresses_from_bytes": None}),
    clean=rest_api(config={"compresses_from_bytes": None}, points=daily(Count_Sum=20)),
)
ACCESS_LOGS = twins(
    ApiWithoutAccessLogs(),
    problem=rest_api(config={"stages": [stage(access_log=""), stage("test", access_log="")]}),
    clean=rest_api(),
)
TRACING = twins(
    ApiWithoutTracing(), problem=rest_api(config={"stages": [stage(tracing=False)]}), clean=rest_api()
)  # fmt: skip
UNTHROTTLED = twins(
    ApiUnthrottled(), problem=rest_api(config={"stages": [stage(throttled=False)]}), clean=http_api()
)  # fmt: skip
UNUSED = twins(ApiUnused(), problem=case(http_api(points={}), function()), clean=case(http_api(), function()))


def test_few_requests_tell_nothing_about_speed() -> None:
    assert SLOW.clean.advice(ApiSlow(), requests=1)


def test_many_server_errors_are_critical() -> None:
    (some,) = SERVER_ERRORS.problem.advice(ApiServerErrors())
    (many,) = case(rest_api(points=busy(**{"5XXError_Sum": 9_000}))).advice(ApiServerErrors())
    assert (some.severity, many.severity) == (None, Severity.CRITICAL)
    assert not SERVER_ERRORS.problem.advice(ApiServerErrors(), share=5)


def test_every_stage_is_told_apart() -> None:
    advice = ACCESS_LOGS.problem.advice(ApiWithoutAccessLogs())
    assert [each.topic for each in advice] == ["prod", "test"]


def test_a_command_is_what_a_shell_takes() -> None:
    advice = ACCESS_LOGS.problem.advice(ApiWithoutAccessLogs())[0]
    command = shlex.split(advice.fixes[0].text.partition("\n\n")[2].replace("\\\n", " "))
    assert command[:3] == ["aws", "apigateway", "update-stage"]
    patches = json.loads(command[-1])
    assert [patch["path"] for patch in patches] == ["/accessLogSettings/destinationArn", "/accessLogSettings/format"]
    assert json.loads(patches[1]["value"])["id"] == "$context.requestId"


def test_http_apis_have_their_own_commands() -> None:
    (advice,) = case(http_api(config={"stages": [stage("$default", throttled=False)]})).advice(ApiUnthrottled())
    assert "aws apigatewayv2 update-stage --region eu-west-1" in advice.fixes[0].text
    assert "--stage-name '$default'" in advice.fixes[0].text
    assert "ThrottlingRateLimit=50" in advice.fixes[0].text


def test_a_limit_leaves_room_for_the_busiest_day() -> None:
    busiest = rest_api(config={"stages": [stage(throttled=False)]}, points=daily(Count_Sum=(10, 8_640_000, 10)))
    (advice,) = case(busiest).advice(ApiUnthrottled())
    assert '"/*/*/throttling/rateLimit", "value": "2000"' in advice.fixes[0].text


class TestUnused:
    def test_apis_that_share_a_name_are_not_told_apart(self) -> None:
        assert not case(rest_api(points={}), replace(rest_api("other"), name="shop"), function()).advice(ApiUnused())

    def test_needs_its_days(self) -> None:
        new = http_api(points={}, first_seen_at=NOW - timedelta(days=10))
        assert not case(new, function()).advice(ApiUnused())
        assert case(new, function()).advice(ApiUnused(), days=7)
