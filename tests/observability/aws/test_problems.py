"""What AWS says, in our words: every service has codes of its own for the same few troubles."""

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ReadTimeoutError,
)
from botocore.parsers import ResponseParserError

from observability.aws.problems import SENTENCES, AwsError, Trouble, classify, classify_assume, sentence


def answer(code: str, message: str = "", status: int = 400) -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response, "FilterLogEvents")  # type: ignore[arg-type, unused-ignore]  # Real answers hold more.


ANSWERED = [
    (Trouble.ACCESS_DENIED, "AccessDenied", "", 403),
    (Trouble.ACCESS_DENIED, "AccessDeniedException", "", 400),
    (Trouble.ACCESS_DENIED, "AuthorizationError", "", 403),  # SNS
    (Trouble.ACCESS_DENIED, "UnauthorizedOperation", "", 403),  # EC2
    (Trouble.ACCESS_DENIED, "Client.UnauthorizedOperation", "", 403),
    (Trouble.ACCESS_DENIED, "SomethingNew", "", 403),
    (Trouble.THROTTLED, "ThrottlingException", "Rate exceeded", 400),  # CloudWatch Logs, DynamoDB, tagging
    (Trouble.THROTTLED, "Throttling", "Rate exceeded", 400),  # CloudWatch, STS, SNS
    (Trouble.THROTTLED, "TooManyRequestsException", "", 429),  # Lambda, API Gateway
    (Trouble.THROTTLED, "RequestLimitExceeded", "", 503),  # EC2
    (Trouble.THROTTLED, "RequestThrottled", "", 403),  # SQS
    (Trouble.THROTTLED, "LimitExceededException", "", 400),  # Kinesis
    (Trouble.THROTTLED, "ProvisionedThroughputExceededException", "", 400),
    (Trouble.THROTTLED, "ServiceUnavailable", "Rate exceeded", 503),
    (Trouble.THROTTLED, "SomethingNew", "", 429),
    (Trouble.EXPIRED, "ExpiredToken", "", 403),
    (Trouble.EXPIRED, "ExpiredTokenException", "", 400),
    (Trouble.REGION_DISABLED, "UnrecognizedClientException", "", 403),
    (Trouble.REGION_DISABLED, "InvalidClientTokenId", "", 403),
    (Trouble.REGION_DISABLED, "AuthFailure", "", 401),  # EC2
    (Trouble.NOT_SUBSCRIBED, "OptInRequired", "", 403),
    (Trouble.NOT_SUBSCRIBED, "SubscriptionRequiredException", "", 403),
    (Trouble.REGION_DISABLED, "RegionDisabledException", "", 403),  # STS
    (Trouble.ACCOUNT_SUSPENDED, "AccessDeniedException", "Your account has been suspended.", 403),
    (Trouble.ACCOUNT_SUSPENDED, "Blocked", "This account is currently blocked and not recognized as valid", 400),
    (Trouble.ACCOUNT_SUSPENDED, "AllAccessDisabled", "", 403),
    (Trouble.CLOCK, "RequestTimeTooSkewed", "", 403),
    (Trouble.CLOCK, "RequestExpired", "", 400),
    (Trouble.CLOCK, "InvalidSignatureException", "Signature expired: 20261125T1 is now earlier than 20261125T2", 403),
    (Trouble.CLOCK, "SignatureDoesNotMatch", "Signature not yet current: 20261125T2 is still later than", 403),
    (Trouble.NOT_FOUND, "ResourceNotFoundException", "", 404),
    (Trouble.NOT_FOUND, "StateMachineDoesNotExist", "", 400),
    (Trouble.NOT_FOUND, "AWS.SimpleQueueService.NonExistentQueue", "", 400),
    (Trouble.NOT_FOUND, "QueueDoesNotExist", "", 400),
    (Trouble.NOT_FOUND, "NoSuchEntity", "", 404),
    (Trouble.NOT_FOUND, "RepositoryNotFoundException", "", 400),
    (Trouble.UNREACHABLE, "InternalFailure", "", 500),
    (Trouble.UNREACHABLE, "ServiceUnavailableException", "", 503),
    (Trouble.UNREACHABLE, "502", "Bad Gateway", 502),
    (Trouble.REFUSED, "InvalidParameterValueException", "", 400),
    (Trouble.REFUSED, "SignatureDoesNotMatch", "The request signature we calculated does not match", 400),
]


@pytest.mark.parametrize(("trouble", "code", "message", "status"), ANSWERED, ids=[f"{r[1]}-{r[3]}" for r in ANSWERED])
def test_every_answer_has_its_trouble(trouble: Trouble, code: str, message: str, status: int) -> None:
    problem = classify(answer(code, message, status), action="logs:FilterLogEvents")
    assert (problem.trouble, problem.action) == (trouble, "logs:FilterLogEvents")
    assert problem.detail == f"{code}: {message}"


@pytest.mark.parametrize(
    ("trouble", "error"),
    [
        (Trouble.UNREACHABLE, ConnectTimeoutError(endpoint_url="https://logs")),
        (Trouble.UNREACHABLE, ReadTimeoutError(endpoint_url="https://logs")),
        (Trouble.UNREACHABLE, EndpointConnectionError(endpoint_url="https://logs")),
        (Trouble.UNREACHABLE, ResponseParserError("not XML")),
        (Trouble.OWN_CREDENTIALS, NoCredentialsError()),
        (Trouble.REFUSED, ParamValidationError(report="Missing required parameter")),
    ],
)
def test_every_failure_on_the_way_has_its_trouble(trouble: Trouble, error: Exception) -> None:
    assert classify(error, action="logs:FilterLogEvents").trouble == trouble


def test_a_denial_names_the_action_that_was_denied() -> None:
    message = "User: arn:aws:sts::1:assumed-role/x/y is not authorized to perform: kms:Decrypt on resource: z"
    assert classify(answer("AccessDeniedException", message), action="logs:FilterLogEvents").action == "kms:Decrypt"


def test_what_is_not_aws_passes_through() -> None:
    with pytest.raises(ZeroDivisionError):
        classify(ZeroDivisionError(), action="logs:FilterLogEvents")


@pytest.mark.parametrize(
    ("trouble", "code", "status"),
    [
        (Trouble.ROLE_GONE, "AccessDenied", 403),
        (Trouble.ROLE_GONE, "NoSuchEntity", 404),
        (Trouble.OWN_CREDENTIALS, "InvalidClientTokenId", 403),
        (Trouble.OWN_CREDENTIALS, "OptInRequired", 403),
        (Trouble.OWN_CREDENTIALS, "ExpiredToken", 403),
        (Trouble.CLOCK, "RequestTimeTooSkewed", 403),
        (Trouble.THROTTLED, "Throttling", 400),
        (Trouble.UNREACHABLE, "InternalFailure", 500),
        (Trouble.REFUSED, "ValidationError", 400),
    ],
)
def test_taking_a_role_tells_their_mistakes_from_ours(trouble: Trouble, code: str, status: int) -> None:
    assert classify_assume(answer(code, status=status)).trouble == trouble


def test_every_trouble_has_a_sentence_for_people() -> None:
    assert set(SENTENCES) == set(Trouble)
    assert all(text.endswith(".") and len(text) < 260 for text in SENTENCES.values())
    assert sentence("role_gone").startswith("AWS does not let us assume the role.")
    assert sentence("of another version") == ""


def test_details_are_cut() -> None:
    assert len(classify(answer("ValidationException", "x" * 5_000), action="logs:FilterLogEvents").detail) == 300


def test_an_error_says_what_it_is() -> None:
    error = AwsError(Trouble.THROTTLED, "logs:FilterLogEvents", "Rate exceeded")
    assert str(error) == "logs:FilterLogEvents: throttled (Rate exceeded)"
    assert error.transient
    assert not AwsError(Trouble.ROLE_GONE, "sts:AssumeRole").transient
    assert AwsError(Trouble.CLOCK, "sts:AssumeRole").ours
