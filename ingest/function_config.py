"""The configuration of a Lambda function in our words, out of AWS's answers. Values of the environment stay outside.

https://docs.aws.amazon.com/lambda/latest/api/API_FunctionConfiguration.html
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.utils.crypto import salted_hmac

Answer = Mapping[str, Any]

LATEST = "$LATEST"
MOST_VERSIONS = 200
"""So many published versions are kept, the newest ones; a function can have thousands."""

OFF = {"Disabled", "Disabling"}


def listed(function: Answer) -> dict[str, Any]:
    """What ``ListFunctions`` says of one function. What is not there is told as empty, so that its end is noticed.

    ``version`` is not among it: which version runs is told by telemetry, the listing only knows ``$LATEST``.
    """
    vpc, logging = function.get("VpcConfig") or {}, function.get("LoggingConfig") or {}
    config = {
        "runtime": function.get("Runtime"),
        "handler": function.get("Handler"),
        "memory_mb": function["MemorySize"],
        "timeout_s": function["Timeout"],
        "architecture": (function.get("Architectures") or ["x86_64"])[0],
        "ephemeral_mb": (function.get("EphemeralStorage") or {}).get("Size", 512),
        "package_type": function.get("PackageType", "Zip"),
        "code_sha256": function["CodeSha256"],
        "code_bytes": function["CodeSize"],
        "description": function.get("Description", ""),
        "role": function["Role"],
        "layers": [{"arn": layer["Arn"], "code_bytes": layer["CodeSize"]} for layer in function.get("Layers") or ()],
        "log_group": logging.get("LogGroup") or f"/aws/lambda/{function['FunctionName']}",
        "log_format": logging.get("LogFormat", "Text"),
        "log_level": logging.get("ApplicationLogLevel", ""),
        "system_log_level": logging.get("SystemLogLevel", ""),
        "vpc": _vpc(vpc) if vpc.get("VpcId") else {},
        "tracing": (function.get("TracingConfig") or {}).get("Mode", "PassThrough"),
        "snap_start": (function.get("SnapStart") or {}).get("ApplyOn", "None"),
        "dead_letter": (function.get("DeadLetterConfig") or {}).get("TargetArn", ""),
        "file_systems": [system["Arn"] for system in function.get("FileSystemConfigs") or ()],
        "last_modified": moment(function["LastModified"]),
        **environment(function),
    }
    return {key: value for key, value in config.items() if value is not None}


def _vpc(vpc: Answer) -> dict[str, Any]:
    return {
        "id": vpc["VpcId"],
        "subnets": sorted(vpc.get("SubnetIds") or ()),
        "security_groups": sorted(vpc.get("SecurityGroupIds") or ()),
    }


def environment(function: Answer) -> dict[str, Any]:
    """Names of variables, each with a keyed digest: a change of a value shows, the value itself cannot be had from it.

    ``environment_bytes`` is what all take of the 4 KB there are: AWS measures them as compact JSON. It says nothing
    where AWS may not decrypt the variables for us.
    """
    told = function.get("Environment") or {}
    if told.get("Error"):
        return {}
    variables = told.get("Variables") or {}
    arn = unqualified(function["FunctionArn"])
    return {
        "environment": {name: digest(arn, name, value) for name, value in sorted(variables.items())},
        "environment_bytes": len(json.dumps(variables, ensure_ascii=False, separators=(",", ":")).encode()),
    }


def digest(arn: str, name: str, value: str) -> str:
    """Under ``settings.SECRET_KEY``, and other for the same value elsewhere. The part before the colon names the key:

    digests under different keys say nothing about whether the value changed.
    """
    key = salted_hmac("nightjar.environment.key", "", algorithm="sha256").hexdigest()[:6]
    text = "\0".join((arn, name, value))
    return f"{key}:{salted_hmac('nightjar.environment', text, algorithm='sha256').hexdigest()[:16]}"


def detailed(answers: Mapping[str, Any]) -> dict[str, Any]:
    """What the single calls say of one function; what was not answered is left out, which is not the same as empty."""
    config = {key: read(answers[key]) for key, read in DETAILS.items() if answers.get(key) is not None}
    if answers.get("versions") is not None:
        config["snapshots"] = _snapshots(answers["versions"])
    if answers.get("url") is not None:
        config["cors"] = _cors(answers["url"])
    return {**config.pop("configuration", {}), **config}


def _configuration(answer: Answer) -> dict[str, Any]:
    config = {
        "state": answer.get("State"),
        "state_reason": answer.get("StateReason", ""),
        "update_status": answer.get("LastUpdateStatus"),
        "runtime_version_arn": (answer.get("RuntimeVersionConfig") or {}).get("RuntimeVersionArn"),
    }
    return {key: value for key, value in config.items() if value is not None}


def _versions(pages: Sequence[Answer]) -> list[dict[str, Any]]:
    """Published versions, the newest first."""
    published = [each for page in pages for each in page["Versions"] if each["Version"] != LATEST]
    published.sort(key=lambda each: int(each["Version"]), reverse=True)
    return [
        {
            "version": each["Version"],
            "code_sha256": each["CodeSha256"],
            "code_bytes": each["CodeSize"],
            "runtime": each.get("Runtime", ""),
            "last_modified": moment(each["LastModified"]),
        }
        for each in published[:MOST_VERSIONS]
    ]


def _snapshots(pages: Sequence[Answer]) -> list[str]:
    """When each version was published of which SnapStart keeps a snapshot: it costs for as long as it is kept."""
    kept = (each for page in pages for each in page["Versions"] if each["Version"] != LATEST)
    return sorted(
        moment(each["LastModified"]) for each in kept if (each.get("SnapStart") or {}).get("OptimizationStatus") == "On"
    )


def _aliases(pages: Sequence[Answer]) -> dict[str, Any]:
    """By name: the version, and what part of the calls goes to others."""
    return {
        each["Name"]: {
            "version": each["FunctionVersion"],
            "weights": (each.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {},
        }
        for page in pages
        for each in page["Aliases"]
    }


def _concurrency(answer: Answer) -> int | None:
    return answer.get("ReservedConcurrentExecutions")


def _event_invoke(pages: Sequence[Answer]) -> list[dict[str, Any]]:
    found = [each for page in pages for each in page["FunctionEventInvokeConfigs"]]
    return [
        {
            "qualifier": qualifier(each["FunctionArn"]),
            "retries": each.get("MaximumRetryAttempts"),
            "max_age_s": each.get("MaximumEventAgeInSeconds"),
            "on_success": _destination(each, "OnSuccess"),
            "on_failure": _destination(each, "OnFailure"),
        }
        for each in sorted(found, key=lambda each: str(each["FunctionArn"]))
    ]


def _destination(each: Answer, outcome: str) -> str:
    return str(((each.get("DestinationConfig") or {}).get(outcome) or {}).get("Destination") or "")


def _urls(pages: Sequence[Answer]) -> list[dict[str, Any]]:
    found = [each for page in pages for each in page["FunctionUrlConfigs"]]
    return [
        {
            "qualifier": qualifier(each["FunctionArn"]),
            "url": each["FunctionUrl"],
            "auth": each["AuthType"],
            "invoke_mode": each.get("InvokeMode", "BUFFERED"),
        }
        for each in sorted(found, key=lambda each: str(each["FunctionArn"]))
    ]


def _cors(pages: Sequence[Answer]) -> dict[str, Any]:
    """Whose web pages may call a URL, by qualifier; no part of ``url``, whose change is a deployment."""
    found = [each for page in pages for each in page["FunctionUrlConfigs"] if each.get("Cors")]
    return {
        qualifier(each["FunctionArn"]): {
            "origins": sorted(each["Cors"].get("AllowOrigins") or ()),
            "credentials": bool(each["Cors"].get("AllowCredentials")),
        }
        for each in found
    }


def _provisioned(pages: Sequence[Answer]) -> list[dict[str, Any]]:
    found = [each for page in pages for each in page["ProvisionedConcurrencyConfigs"]]
    return [
        {
            "qualifier": qualifier(each["FunctionArn"]),
            "requested": each["RequestedProvisionedConcurrentExecutions"],
        }
        for each in sorted(found, key=lambda each: str(each["FunctionArn"]))
    ]


DETAILS: Mapping[str, Any] = {
    "configuration": _configuration,
    "versions": _versions,
    "aliases": _aliases,
    "reserved_concurrency": _concurrency,
    "event_invoke": _event_invoke,
    "url": _urls,
    "provisioned": _provisioned,
}


def event_source(mapping: Answer) -> dict[str, Any]:
    """What feeds a function. Filters are only said to be there: their patterns may tell of the customer's data."""
    topics = [*(mapping.get("Topics") or ()), *(mapping.get("Queues") or ())]
    return {
        "source": mapping.get("EventSourceArn") or "self-managed Kafka",
        "uuid": mapping["UUID"],
        "qualifier": qualifier(mapping["FunctionArn"]),
        "enabled": mapping.get("State") not in OFF,
        "topics": topics,
        "batch_size": mapping.get("BatchSize"),
        "window_s": mapping.get("MaximumBatchingWindowInSeconds") or 0,
        "parallel": mapping.get("ParallelizationFactor") or 1,
        "max_concurrency": (mapping.get("ScalingConfig") or {}).get("MaximumConcurrency"),
        "retries": mapping.get("MaximumRetryAttempts"),
        "filtered": bool((mapping.get("FilterCriteria") or {}).get("Filters")),
        "on_failure": _destination(mapping, "OnFailure"),
    }


def event_sources(mappings: Iterable[Answer]) -> list[dict[str, Any]]:
    return sorted(map(event_source, mappings), key=lambda each: (each["source"], each["uuid"]))


def unqualified(arn: str) -> str:
    """A function's ARN without version or alias."""
    return ":".join(arn.split(":")[:7])


def qualifier(arn: str) -> str:
    """The version or alias that an ARN names; ``$LATEST`` where it names none."""
    return ":".join(arn.split(":")[7:]) or LATEST


def moment(text: str) -> str:
    """AWS's ``2026-11-20T12:00:00.000+0000`` in the one form in which moments of a config can be compared."""
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()
