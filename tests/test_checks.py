"""What `manage.py check` says about values that cannot work."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.checks import CheckMessage
from pytest_django import Settings

from observability import checks
from observability.variables import Malformed, Variables

ROOT = Path(__file__).parents[1]
DATABASE = "postgres://postgres@127.0.0.1:5432/nightjar"
GOOD = {
    "PATH": "/usr/bin:/bin",
    "ENV_FILE": "/dev/null",
    "VAR_DIR": "/nonexistent",
    "SECRET_KEY": "s" * 20 + "0123456789abcdefghijklmnopqrstuvwxyz",
    "ENCRYPTION_KEYS": "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtMTI=",
    "DATABASE_URL": DATABASE,
    "REDIS_URL": "redis://127.0.0.1:6379/0",
}


@pytest.fixture
def variables(monkeypatch: pytest.MonkeyPatch) -> Variables:
    reader = Variables()
    monkeypatch.setattr(reader, "ENVIRON", {})
    return reader


@pytest.mark.parametrize(
    ("kind", "text", "default", "value"),
    [
        ("int", "", 7, 7),
        ("int", "12", 7, 12),
        ("bool", "", True, True),
        ("bool", "off", True, False),
        ("bool", "YES", False, True),
        ("str", "", "x", "x"),
        ("list", "", ["x"], ["x"]),
        ("list", "a,b", [], ["a", "b"]),
    ],
)
def test_a_variable_is_read_as_what_it_is(
    variables: Variables, kind: str, text: str, default: object, value: object
) -> None:
    variables.ENVIRON["X"] = text
    assert getattr(variables, kind)("X", default=default) == value
    assert variables.malformed == []


@pytest.mark.parametrize(("kind", "text"), [("int", "many"), ("int", "1.5"), ("bool", "maybe"), ("float", "x")])
def test_a_malformed_variable_leaves_its_default_and_a_note(variables: Variables, kind: str, text: str) -> None:
    variables.ENVIRON["X"] = text
    assert getattr(variables, kind)("X", default=3) == 3
    assert [note.name for note in variables.malformed] == ["X"]


@pytest.mark.parametrize(
    "text",
    ["nonsense", "mysql://h/d", "postgres://h:port/d", "postgres://h", "postgres://[::1/d", "sqlite:////tmp/d"],
)
def test_a_malformed_database_is_noted_without_its_password(variables: Variables, text: str) -> None:
    variables.ENVIRON["DATABASE_URL"] = text
    assert variables.db("DATABASE_URL", default=DATABASE)["NAME"] == "nightjar"
    assert variables.malformed == [Malformed("DATABASE_URL", "postgres://user:password@host:port/name")]


def test_a_database_url_is_read(variables: Variables) -> None:
    variables.ENVIRON["DATABASE_URL"] = "postgresql://ann:pass@db.example:5433/telemetry"
    config = variables.db("DATABASE_URL", default=DATABASE)
    assert (config["HOST"], config["PORT"], config["NAME"]) == ("db.example", 5433, "telemetry")
    assert variables.malformed == []


@pytest.mark.parametrize("text", ["nonsense", "pigeon://coop:1", "smtp://host:port"])
def test_a_malformed_mail_server_is_noted(variables: Variables, text: str) -> None:
    variables.ENVIRON["EMAIL_URL"] = text
    assert variables.email_url("EMAIL_URL", default="consolemail://")["EMAIL_BACKEND"].endswith("console.EmailBackend")
    assert [note.name for note in variables.malformed] == ["EMAIL_URL"]


def ids(messages: list[CheckMessage]) -> list[str]:
    return [str(message.id) for message in messages]


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("MALFORMED_VARIABLES", [Malformed("PORT", "a whole number")], "nightjar.E010"),
        ("MISSING_VARIABLES", frozenset({"DATABASE_URL"}), "nightjar.E011"),
        ("SECRET_KEY", "short", "nightjar.E012"),
        ("REDIS_URL", "localhost:6379", "nightjar.E013"),
        ("PUBLIC_URL", "nightjar.example.com", "nightjar.E014"),
        ("PUBLIC_URL", "https://localhost/monitoring", "nightjar.E014"),
        ("PUBLIC_URL", "https://localhost:port", "nightjar.E014"),
        ("PUBLIC_URL", "https://elsewhere.example.com", "nightjar.E015"),
        ("ALLOWED_HOSTS", ["testserver", "localhost", "https://x.example"], "nightjar.E016"),
        ("ALLOWED_HOSTS", ["localhost", "x.example:8000"], "nightjar.E016"),
        ("OUTBOUND_ALLOWED_HOSTS", ["intranet"], "nightjar.E017"),
        ("ROLE_TEMPLATE_URL", "https://templates.example.com/role.yaml", "nightjar.E021"),
        ("AWS_PRINCIPAL", "arn:aws:iam::999988887777:root", "nightjar.E018"),
        ("AWS_HOME_REGION", "Ireland", "nightjar.E019"),
        ("AWS_ENDPOINT_URL", "localhost:8027", "nightjar.E020"),
    ],
)
def test_each_bad_value_has_its_own_sentence(settings: Settings, name: str, value: object, expected: str) -> None:
    setattr(settings, name, value)
    assert ids(checks.environment()) == [expected]


def test_good_values_pass(settings: Settings) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = "https://[::1]:8000", ["[::1]"]
    settings.OUTBOUND_ALLOWED_HOSTS = ["10.0.0.5:8443"]
    settings.ROLE_TEMPLATE_URL = "https://templates.s3.cn-north-1.amazonaws.com.cn/nightjar/role.yaml"
    settings.AWS_PRINCIPAL, settings.AWS_HOME_REGION = "999988887777", "us-gov-west-1"
    settings.AWS_ENDPOINT_URL = "http://127.0.0.1:8027"
    assert checks.environment() == []


def test_a_deployment_is_warned_of_what_only_works_at_home(settings: Settings) -> None:
    settings.EMAIL_BACKEND, settings.DEMO = "django.core.mail.backends.console.EmailBackend", True
    settings.ALLOWED_HOSTS = ["*"]
    assert ids(checks.deployment()) == ["nightjar.W010", "nightjar.W011", "nightjar.W012"]


def check(**changes: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "manage.py", "check"]
    return subprocess.run(command, cwd=ROOT, env=GOOD | changes, capture_output=True, text=True, check=False)


def test_the_command_passes_on_a_good_environment() -> None:
    done = check()
    assert done.returncode == 0, done.stderr


def test_the_command_names_every_bad_value_without_a_traceback() -> None:
    bad = {"SECRET_KEY": "", "ENCRYPTION_KEYS": "", "DATABASE_URL": "", "REDIS_URL": "", "EMAIL_URL": "x", "PORT": "x"}
    done = check(**bad, RETENTION_RAW_DAYS="ever", ALLOWED_HOSTS="http://x")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    for name in (*bad, "RETENTION_RAW_DAYS", "ALLOWED_HOSTS"):
        assert name in done.stderr
