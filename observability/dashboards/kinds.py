"""The types of resources: what each is called, and the service whose icon it wears."""

from typing import NamedTuple


class Kind(NamedTuple):
    """``service`` is a key of ``ui.awsicons``; ``one`` and ``many`` are how people call them."""

    service: str
    one: str
    many: str


KINDS = {
    "lambda_function": Kind("lambda", "Lambda function", "Lambda functions"),
    "schedule_rule": Kind("eventbridge", "Rule or schedule", "Rules and schedules"),
    "sqs_queue": Kind("sqs", "SQS queue", "SQS queues"),
    "dynamodb_table": Kind("dynamodb", "DynamoDB table", "DynamoDB tables"),
    "rest_api": Kind("apigateway", "REST API", "REST APIs"),
    "http_api": Kind("apigateway", "HTTP API", "HTTP APIs"),
    "state_machine": Kind("stepfunctions", "State machine", "State machines"),
    "kinesis_stream": Kind("kinesis", "Kinesis stream", "Kinesis streams"),
    "sns_topic": Kind("sns", "SNS topic", "SNS topics"),
    "log_group": Kind("logs", "Log group", "Log groups"),
    "aws_account": Kind("account", "AWS account", "AWS accounts"),
}
FUNCTION = "lambda_function"
HIGHLIGHTS = {
    "lambda_function": ("runtime", "memory_mb", "timeout_s"),
    "schedule_rule": ("expression", "state"),
    "sqs_queue": ("visibility_timeout_s", "retention_s", "fifo"),
    "dynamodb_table": ("billing", "items", "size_bytes"),
    "rest_api": ("endpoint",),
    "http_api": ("protocol", "url"),
    "state_machine": ("type", "status"),
    "kinesis_stream": ("mode", "shards", "retention_s"),
    "sns_topic": ("fifo",),
    "log_group": ("retention_days", "stored_bytes"),
}
"""What one wants to know of each type first; JSON keeps no order of its own."""

ACCOUNT = "aws_account"
HIDDEN = (ACCOUNT,)
"""Kept among the resources so that incidents can be about them, but found on pages of their own."""


def kind(type_: str) -> Kind:
    """A type that we do not know yet is called by its own name."""
    words = type_.replace("_", " ")
    return KINDS.get(type_) or Kind(type_.partition("_")[0], words.capitalize(), f"{words.capitalize()}s")


SERVICES = {
    "states": "stepfunctions",
    "events": "eventbridge",
    "scheduler": "eventbridge",
    "execute-api": "apigateway",
}
"""What the services are called in ARNs, where that is not the key of their icon."""


def service(arn_part: str) -> str:
    """The key of an icon for the third part of an ARN."""
    return SERVICES.get(arn_part, arn_part)
