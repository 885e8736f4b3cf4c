"""How each AWS service looks: icon, colour class, name. The keys are ``Resource.type`` values."""

from typing import NamedTuple


class Look(NamedTuple):
    icon: str
    css: str
    name: str


LOOKS = {
    "lambda": Look("square-function", "svc-lambda", "Lambda"),
    "sqs": Look("list-end", "svc-sqs", "SQS"),
    "dynamodb": Look("database", "svc-dynamodb", "DynamoDB"),
    "apigateway": Look("globe", "svc-apigateway", "API Gateway"),
    "stepfunctions": Look("workflow", "svc-stepfunctions", "Step Functions"),
    "kinesis": Look("waves-horizontal", "svc-kinesis", "Kinesis"),
    "ecs": Look("boxes", "svc-ecs", "ECS"),
    "sns": Look("megaphone", "svc-sns", "SNS"),
    "s3": Look("cylinder", "svc-s3", "S3"),
    "eventbridge": Look("calendar-clock", "svc-eventbridge", "EventBridge"),
    "logs": Look("scroll-text", "svc-logs", "CloudWatch Logs"),
    "account": Look("cloud", "svc-account", "AWS account"),
    "rds": Look("database", "svc-rds", "RDS"),
}
UNKNOWN = Look("box", "", "Resource")


def look(kind: str) -> Look:
    """The look of a service; a kind that we do not know yet gets a plain box, not an error."""
    return LOOKS.get(kind, UNKNOWN)
