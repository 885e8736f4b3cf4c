"""The fault proxy spoils what it is told to, repeatably, and nothing else."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, HTTPClientError

from bench.faults import FaultProxy, Faults, account, lateness
from demo.aws.server import Account, SimulatedAws

CUSTOMER = "720155190031"
GROUP = "/aws/lambda/a"


@pytest.fixture
def events(simulated_aws: SimulatedAws) -> list[str]:
    """Forty messages, a second apart, in the log group of a function."""
    logs = simulated_aws.account(CUSTOMER).client("logs")
    start = int(time.time() * 1000) - 60_000
    logs.create_log_group(logGroupName=GROUP)
    logs.create_log_stream(logGroupName=GROUP, logStreamName="s")
    messages = [f"line {number}" for number in range(40)]
    told = [{"timestamp": start + number * 1000, "message": message} for number, message in enumerate(messages)]
    logs.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=told)
    return messages


def read(proxy: FaultProxy, **wanted: Any) -> tuple[list[str], int]:
    """Every message to the last page, and how many pages that took."""
    logs = Account(CUSTOMER, proxy.url).client("logs")
    found: list[str] = []
    pages = 0
    token: dict[str, str] = {}
    while True:
        page = logs.filter_log_events(logGroupName=GROUP, **wanted, **token)
        pages += 1
        found += [event["message"] for event in page["events"]]
        if "nextToken" not in page:
            return found, pages
        token = {"nextToken": page["nextToken"]}


def outcomes(proxy: FaultProxy, calls: int = 40) -> list[str]:
    functions = Account(CUSTOMER, proxy.url).client("lambda")
    found = []
    for _ in range(calls):
        try:
            functions.list_functions()
            found.append("ok")
        except ClientError as error:
            found.append(error.response["Error"]["Code"])
    return found


def test_changes_nothing_when_nothing_is_asked(simulated_aws: SimulatedAws, events: list[str]) -> None:
    with FaultProxy(simulated_aws.url, Faults()) as proxy:
        assert read(proxy) == (events, 1)
        assert proxy.calls == {"logs:FilterLogEvents": 1}
        assert not proxy.spoiled


def test_refuses_a_share_of_the_calls_and_the_same_ones_again(simulated_aws: SimulatedAws) -> None:
    faults = Faults(seed=3, throttled=0.3, failing=0.2, expired=0.1)
    with FaultProxy(simulated_aws.url, faults) as proxy:
        first = outcomes(proxy)
        assert proxy.calls == {"lambda:ListFunctions": 40}
        assert sum(proxy.spoiled.values()) == 40 - first.count("ok")
    with FaultProxy(simulated_aws.url, faults) as proxy:
        assert outcomes(proxy) == first
    failures = {"InternalServerError", "ServiceUnavailableException"}
    assert set(first) == {"ok", "TooManyRequestsException", "ExpiredTokenException"} | failures
    assert 6 <= first.count("TooManyRequestsException") <= 18


def test_leaves_other_actions_alone(simulated_aws: SimulatedAws, events: list[str]) -> None:
    with FaultProxy(simulated_aws.url, Faults(actions=("lambda:*",), throttled=1.0)) as proxy:
        assert read(proxy)[0] == events
        assert outcomes(proxy, 2) == ["TooManyRequestsException"] * 2


def test_puts_empty_pages_before_each_page(simulated_aws: SimulatedAws, events: list[str]) -> None:
    with FaultProxy(simulated_aws.url, Faults(empty_pages=2)) as proxy:
        assert read(proxy, limit=20) == (events, 6)


def test_withholds_late_events_until_they_are_taken_in(simulated_aws: SimulatedAws, events: list[str]) -> None:
    now = time.time()
    clock = [now]
    with FaultProxy(simulated_aws.url, Faults(late_share=0.5, late_s=900), lambda: clock[0]) as proxy:
        early, _ = read(proxy)
        assert 5 < len(early) < 35
        clock[0] = now + 900
        assert read(proxy)[0] == events


def test_enforces_quotas_by_its_clock(simulated_aws: SimulatedAws) -> None:
    clock = [0.0]
    with FaultProxy(simulated_aws.url, Faults(quotas={"lambda:*": 5}), lambda: clock[0]) as proxy:
        assert outcomes(proxy, 7).count("ok") == 5
        clock[0] = 1.0
        assert outcomes(proxy, 7).count("ok") == 5
        assert proxy.spoiled["over_quota"] == 4


def test_hangs_up_after_hanging(simulated_aws: SimulatedAws) -> None:
    with FaultProxy(simulated_aws.url, Faults(hanging=1.0, hang_s=0.05)) as proxy, pytest.raises(HTTPClientError):
        Account(CUSTOMER, proxy.url).client("lambda").list_functions()


def test_lateness_belongs_to_the_event() -> None:
    faults = Faults(late_share=0.5, late_s=900)
    found = [lateness(str(number), faults) for number in range(1_000)]
    assert found == [lateness(str(number), faults) for number in range(1_000)]
    assert 400 < sum(delay > 0 for delay in found) < 600
    assert 800 < max(found) <= 900


def test_knows_whose_key_it_is(simulated_aws: SimulatedAws) -> None:
    iam = simulated_aws.account(CUSTOMER).client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="open", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    sts = simulated_aws.account("111111111111").client("sts")
    issued = sts.assume_role(RoleArn=role, RoleSessionName="acme")["Credentials"]
    assert account(issued["AccessKeyId"]) == CUSTOMER
