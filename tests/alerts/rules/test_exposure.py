"""Advice about who can run a function, and what it gives away."""

import pytest

from alerts.finding import Severity
from alerts.rules.function_url_any_origin import FunctionUrlAnyOrigin
from alerts.rules.function_url_public import FunctionUrlPublic
from alerts.rules.role_shared import RoleShared
from alerts.rules.secrets_in_environment import SecretsInEnvironment
from tests.alerts.rules.cases import case, function, twins

URL = {
    "qualifier": "$LATEST", "url": "https://abc.lambda-url.eu-west-1.on.aws/", "auth": "AWS_IAM",
    "invoke_mode": "BUFFERED",
}  # fmt: skip
ANY = {"url": [URL], "cors": {"$LATEST": {"origins": ["*"], "credentials": False}}}
OURS = {"url": [URL], "cors": {"$LATEST": {"origins": ["https://shop.example"], "credentials": True}}}
ROLE = {"role": "arn:aws:iam::123456789012:role/everything"}

PUBLIC = twins(
    FunctionUrlPublic(),
    problem=function(config={"url": [URL | {"auth": "NONE"}]}),
    clean=function(config={"url": [URL]}),
)
ORIGIN = twins(FunctionUrlAnyOrigin(), problem=function(config=ANY), clean=function(config=OURS))
SECRETS = twins(
    SecretsInEnvironment(),
    problem=function(config={"environment": {"STRIPE_API_KEY": "a:b", "DB_PASSWORD": "a:c", "STAGE": "a:d"}}),
    clean=function(config={"environment": {"DB_PASSWORD_SECRET_ARN": "a:b", "TOKEN_URL": "a:c", "STAGE": "a:d"}}),
)
SHARED = twins(
    RoleShared(),
    problem=case(*(function(f"f{number}", ROLE) for number in range(10))),
    clean=case(*(function(f"f{number}", ROLE) for number in range(3))),
)


def test_an_alias_has_a_url_of_its_own() -> None:
    live = URL | {"auth": "NONE", "qualifier": "live"}
    advice = case(function(config={"url": [URL | {"auth": "NONE"}, live]})).advice(FunctionUrlPublic())
    assert [each.topic for each in advice] == ["$LATEST", "live"]
    assert "--qualifier live" in advice[1].fixes[0].text
    assert "--qualifier" not in advice[0].fixes[0].text


def test_any_origin_with_credentials_is_worse() -> None:
    told = ANY | {"cors": {"$LATEST": {"origins": ["*"], "credentials": True}}}
    (advice,) = case(function(config=told)).advice(FunctionUrlAnyOrigin())
    assert advice.severity is Severity.WARNING
    assert ORIGIN.problem.advice(FunctionUrlAnyOrigin())[0].severity is None


@pytest.mark.parametrize(
    "name",
    ["JWT_SECRET", "GITHUB_TOKEN", "dbPassword", "SLACK_API_KEY", "AWS_SECRET_KEY", "private_key", "RDS_CREDENTIALS"],
)
def test_these_are_secrets(name: str) -> None:
    assert case(function(config={"environment": {name: "a:b"}})).advice(SecretsInEnvironment())


@pytest.mark.parametrize(
    "name",
    [
        "SECRET_NAME", "TOKEN_TTL", "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT", "MONKEY", "KEYBOARD", "TOKENIZER",
        "API_KEY_HEADER", "SECRETS_MANAGER_TTL", "PASSWORD_MIN_LENGTH",
    ],
)  # fmt: skip
def test_these_are_none(name: str) -> None:
    assert not case(function(config={"environment": {name: "a:b"}})).advice(SecretsInEnvironment())


def test_a_shared_role_is_told_once() -> None:
    names = [f"f{number}" for number in range(10)]
    others = [case(function(name, ROLE), *(function(each, ROLE) for each in names if each != name)) for name in names]
    assert sum(bool(each.advice(RoleShared())) for each in others) == 1
