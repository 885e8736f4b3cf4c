"""Whatever is posted: an answer that makes sense, and never a server error."""

import json

import pytest
from django.test import Client
from django.utils import timezone

from bench.hostile_bodies import HostileBody, bodies
from ingest.refusal import STATUS, EventCode
from observability.tenants import keys
from observability.tenants.models import Organization

LEAKS = ("Traceback", 'File "', "/ingest/", "SELECT ", "psycopg", "msgspec", "redis", "site-packages")


@pytest.fixture
def token(acme: Organization) -> str:
    return keys.issue(organization=acme, name="hostile", created_by=None, now=timezone.now())[1]


def check_answer(client: Client, token: str, hostile: HostileBody) -> None:
    response = client.post(
        "/ingest/v1/telemetry",
        hostile.body,
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}", **hostile.headers},
    )
    text = response.content.decode()
    assert not [leak for leak in LEAKS if leak in text], hostile.name
    answer = json.loads(text)
    if response.status_code == 202:
        assert {row["code"] for row in answer["rejected"]} <= set(EventCode), hostile.name
    else:
        assert response["Content-Type"] == "application/problem+json", hostile.name
        assert STATUS[answer["code"]] == response.status_code == answer["status"] < 500, (hostile.name, answer)


def test_nothing_hostile_gets_a_server_error(client: Client, token: str) -> None:
    count = 0
    for hostile in bodies(300, seed=7, now=timezone.now()):
        check_answer(client, token, hostile)
        count += 1
    assert count == 300


def test_sixty_and_more_are_written_by_hand() -> None:
    names = {hostile.name for hostile in bodies(1_000, seed=7, now=timezone.now())} - {"mutated"}
    assert len(names) >= 60
