"""The configuration page over what the collector of functions really stores."""

from typing import Any

from ingest.function_config import detailed, event_sources, listed
from observability.dashboards.configuration import OTHER, sections

ARN = "arn:aws:lambda:eu-west-1:123456789012:function:checkout"
LISTED: dict[str, Any] = {
    "FunctionName": "checkout", "FunctionArn": ARN, "Runtime": "python3.13", "Handler": "app.handler",
    "MemorySize": 512, "Timeout": 10, "CodeSha256": "q83vEjRWeJA=", "CodeSize": 14_900_000, "Description": "pays",
    "Role": "arn:aws:iam::123456789012:role/checkout", "LastModified": "2026-11-20T12:00:00.000+0000",
    "Layers": [{"Arn": "arn:aws:lambda:eu-west-1:1:layer:insights:38", "CodeSize": 1536}],
    "Environment": {"Variables": {"TOKEN": "secret"}}, "VpcConfig": {"VpcId": "vpc-1", "SubnetIds": ["subnet-1"]},
}  # fmt: skip
DETAILS: dict[str, Any] = {
    "configuration": {"State": "Active", "LastUpdateStatus": "Successful"},
    "versions": [{"Versions": [{
        "Version": "7", "CodeSha256": "x", "CodeSize": 1536, "LastModified": "2026-11-20T12:00:00.000+0000",
    }]}],
    "aliases": [{"Aliases": [{"Name": "prod", "FunctionVersion": "7"}]}],
    "reserved_concurrency": {"ReservedConcurrentExecutions": 100},
    "event_invoke": [{"FunctionEventInvokeConfigs": [{"FunctionArn": ARN, "MaximumRetryAttempts": 1}]}],
    "url": [{"FunctionUrlConfigs": [{"FunctionArn": ARN, "FunctionUrl": "https://x.on.aws/", "AuthType": "NONE"}]}],
    "provisioned": [{"ProvisionedConcurrencyConfigs": [
        {"FunctionArn": f"{ARN}:prod", "RequestedProvisionedConcurrentExecutions": 10},
    ]}],
}  # fmt: skip
MAPPING = {
    "UUID": "1", "FunctionArn": ARN, "EventSourceArn": "arn:aws:sqs:eu-west-1:123456789012:orders", "BatchSize": 10,
    "State": "Enabled",
}  # fmt: skip


def test_everything_that_is_stored_has_its_section_and_words() -> None:
    config = {**listed(LISTED), **detailed(DETAILS), "event_sources": event_sources([MAPPING])}
    found = {section.title: section.facts for section in sections(config)}
    assert OTHER not in found
    told = {value for facts in found.values() for fact in facts for value in fact.values}
    assert told >= {
        "512 MB", "10 s", "100", "TOKEN", "insights, version 38, 1.5 KB", "prod: version 7", "prod: 10 environments",
        "SQS orders: batches of 10", "$LATEST: 1 retry", "https://x.on.aws/: anybody may call it",
        "7: 1.5 KB, 2026-11-20",
    }  # fmt: skip
    assert "secret" not in str(found)
