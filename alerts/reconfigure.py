"""Fixes that set something of a Lambda function: a command, and what to write in Terraform and in SAM.

What a stack deployed is best changed in its template, which then comes first: its next deployment undoes a command.
"""

from collections.abc import Sequence

from alerts.fixes import cli, option, sam, terraform
from alerts.rule import Fix, Subject

STACK, LATEST = "aws:cloudformation:stack-name", "$LATEST"


def configure(
    function: Subject, options: Sequence[str], in_terraform: Sequence[str], in_sam: Sequence[str]
) -> list[Fix]:
    """``options`` are those of ``aws lambda update-function-configuration``, the others lines of the resource."""
    command = function_cli(function, "update-function-configuration", *options)
    written = terraform("aws_lambda_function", function.name, *in_terraform), in_template(function, *in_sam)
    return in_order(function, [command, *written])


def function_cli(function: Subject, command: str, *options: str) -> Fix:
    """``aws lambda COMMAND`` about this function."""
    return cli(f"lambda {command}", function.region, option("function-name", function.name), *options)


def logging_config(function: Subject, level: str) -> str:
    """The option that logs as JSON from this level on, with all of its settings: AWS forgets those that are not named.

    The system's level stays. Above INFO there is no report of any run, and Nightjar reads those.
    """
    told = {
        "LogFormat": "JSON",
        "ApplicationLogLevel": level,
        "SystemLogLevel": function.config.get("system_log_level") or "INFO",
        "LogGroup": function.config.get("log_group"),
    }
    return option("logging-config", ",".join(f"{name}={value}" for name, value in told.items() if value))


def failure_queue(function: Subject) -> tuple[str, Fix]:
    """The ARN of a queue for what a function fails on, and the command that makes it."""
    name = f"{function.name}-failed"
    made = cli("sqs create-queue", function.region, option("queue-name", name))
    return f"arn:{function.arn.split(':')[1]}:sqs:{function.region}:{function.account}:{name}", made


def on_asynchronous(function: Subject, *options: str) -> Fix:
    """Set something of how it is called asynchronously. ``put`` would overwrite what is set, or may be, already."""
    told = function.config.get("event_invoke")
    verb = "put" if told is not None and not any(each.get("qualifier") == LATEST for each in told) else "update"
    return function_cli(function, f"{verb}-function-event-invoke-config", *options)


def on_failure(target: str) -> str:
    """The option that sends what fails to this ARN."""
    return option("destination-config", {"OnFailure": {"Destination": target}})


def in_template(function: Subject, *lines: str) -> Fix:
    return sam("AWS::Serverless::Function", function.name, *lines)


def in_order(function: Subject, fixes: Sequence[Fix]) -> list[Fix]:
    """The template first where a stack deployed the function."""
    return sorted(fixes, key=lambda fix: fix.way != "sam") if STACK in function.tags else list(fixes)
