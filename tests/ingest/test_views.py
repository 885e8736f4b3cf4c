"""What senders see: status, headers and bodies of every answer, and that the documents tell the same."""

import gzip
import json
from datetime import timedelta
from http import HTTPStatus
from pathlib import Path
from random import Random
from typing import Any

import jsonschema_rs
import pytest
import zstandard
from django.conf import settings
from django.test import Client
from django.utils import timezone

from bench.hostile_bodies import ARN, envelope, event
from ingest import middleware, views
from ingest.buffer import RedisBuffer, get_buffer
from ingest.entry import BufferedBatch, decode_entry
from ingest.openapi import OPENAPI
from ingest.refusal import STATUS, Code, EventCode, RefusedError
from observability.tenants import keys, steering
from observability.tenants.models import IngestKey, Organization, User

URL = "/ingest/v1/telemetry"
CHANCE = Random(3)
DOCS = Path(settings.BASE_DIR) / "docs" / "api.md"


@pytest.fixture
def key(acme: Organization) -> tuple[IngestKey, str]:
    keys.forget()
    return keys.issue(organization=acme, name="test", created_by=None, now=timezone.now())


class Sender:
    def __init__(self, client: Client, token: str) -> None:
        self.client, self.token = client, token

    def post(self, body: bytes, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.post(
            URL, body, content_type="application/json", headers={"Authorization": f"Bearer {self.token}"} | named
        )


@pytest.fixture
def sender(client: Client, key: tuple[IngestKey, str]) -> Sender:
    return Sender(client, key[1])


@pytest.fixture
def buffer() -> RedisBuffer:
    return get_buffer()


def some(count: int = 2, **changes: Any) -> list[dict[str, object]]:
    return [event(timezone.now(), CHANCE, **changes) for _ in range(count)]


def buffered(buffer: RedisBuffer) -> list[BufferedBatch]:
    buffer.ensure_group()
    return [decode_entry(delivery.fields) for delivery in buffer.read("test", count=100, block_ms=1)]


def validator(name: str) -> jsonschema_rs.Validator:
    return jsonschema_rs.validator_for({"$ref": f"#/components/schemas/{name}", **OPENAPI})


class TestAccepted:
    def test_an_envelope_is_buffered_in_one_entry(
        self, sender: Sender, buffer: RedisBuffer, acme: Organization, key: tuple[IngestKey, str]
    ) -> None:
        response = sender.post(envelope(some(3)))
        assert (response.status_code, response.json()) == (202, {"accepted": 3, "duplicates": 0, "rejected": []})
        [batch] = buffered(buffer)
        assert (batch.organization_id, batch.key_id, batch.function.arn) == (acme.pk, key[0].pk, ARN)
        assert len(batch.events) == 3

    @pytest.mark.parametrize("encoding", ["gzip", "zstd", "identity"])
    def test_every_encoding_is_understood(self, sender: Sender, encoding: str) -> None:
        body = envelope(some())
        packed = {"gzip": gzip.compress(body), "zstd": zstandard.compress(body), "identity": body}[encoding]
        assert sender.post(packed, Content_Encoding=encoding).json()["accepted"] == 2

    def test_a_bare_array_needs_the_header(self, sender: Sender, buffer: RedisBuffer) -> None:
        body = json.dumps([{k: e[k] for k in ("time", "type", "record")} for e in some()]).encode()
        assert sender.post(body).json()["code"] == "invalid_function"
        assert sender.post(body, X_Nightjar_Function_Arn=ARN + ":7").json()["accepted"] == 2
        [batch] = buffered(buffer)
        assert (batch.function.arn, batch.function.version) == (ARN, "7")

    def test_bad_events_are_listed_and_good_ones_kept(self, sender: Sender, buffer: RedisBuffer) -> None:
        old = (timezone.now() - timedelta(days=31)).isoformat()
        events = [*some(), *some(1, time=old), *some(1, id="x"), *some(1)]
        answer = sender.post(envelope([*events, events[0]])).json()
        assert (answer["accepted"], answer["duplicates"]) == (3, 1)
        assert [(row["index"], row["code"]) for row in answer["rejected"]] == [(2, "too_old"), (3, "invalid_id")]
        assert len(buffered(buffer)[0].events) == 3

    def test_nothing_accepted_leaves_nothing_behind(self, sender: Sender, buffer: RedisBuffer) -> None:
        assert sender.post(envelope([])).status_code == 202
        assert sender.post(envelope(some(1, id="x"))).json()["accepted"] == 0
        assert buffer.depth() == 0

    def test_secrets_never_reach_the_buffer(self, sender: Sender, buffer: RedisBuffer) -> None:
        sender.post(envelope(some(1, record="db password=hunter2hunter2")))
        assert buffered(buffer)[0].events[0].record == "db password=[scrubbed:password]"

    def test_the_answer_names_its_length(self, sender: Sender) -> None:
        response = sender.post(envelope(some()))
        assert response["Content-Length"] == str(len(response.content))

    def test_no_cookie_is_set_and_no_query_made_once_the_key_is_known(
        self, sender: Sender, django_assert_num_queries: Any
    ) -> None:
        sender.post(envelope(some()))
        with django_assert_num_queries(0):
            response = sender.post(envelope(some()))
        assert not response.cookies
        assert "config" not in response.json()

    def test_what_the_organization_asks_of_senders_is_in_the_answer(
        self, sender: Sender, acme: Organization, alice: User, django_assert_num_queries: Any
    ) -> None:
        now = timezone.now()
        steering.sample(organization=acme, percent=25, actor=alice, now=now)
        assert sender.post(envelope(some())).json()["config"] == {"sampling": 0.25}
        steering.pause(organization=acme, length=timedelta(minutes=10), actor=alice, now=now)
        keys.forget()
        answer = sender.post(envelope(some())).json()
        assert 590 <= answer["config"].pop("paused_s") <= 600
        assert answer["config"] == {"sampling": 0.25}
        with django_assert_num_queries(0):
            assert validator("Receipt").is_valid(sender.post(envelope(some())).json())


def problem_of(response: Any) -> dict[str, Any]:
    assert response["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = json.loads(response.content)
    assert STATUS[Code(body["code"])] == body["status"] == response.status_code
    assert body["title"] == HTTPStatus(response.status_code).phrase
    return body


class TestRefused:
    @pytest.mark.parametrize(
        ("body", "headers", "code"),
        [
            (b"{", {}, Code.INVALID_JSON),
            (b"{}", {"Content_Encoding": "gzip"}, Code.INVALID_ENCODING),
            (b" " * (1024 * 1024 + 1), {}, Code.TOO_LARGE),
            (
                gzip.compress(b" " * 1024 * 1024 * 64, 1, mtime=0),
                {"Content_Encoding": "gzip"},
                Code.TOO_LARGE_DECOMPRESSED,
            ),
            (envelope([{}] * 1001), {}, Code.TOO_MANY_EVENTS),
            (b"{}", {"Content_Encoding": "br"}, Code.UNSUPPORTED_ENCODING),
            (b"{}", {}, Code.INVALID_ENVELOPE),
            (envelope([], schema=9), {}, Code.UNKNOWN_SCHEMA),
            (b"[]", {}, Code.INVALID_FUNCTION),
            (b"{}", {"Authorization": ""}, Code.KEY_MISSING),
            (b"{}", {"Authorization": "Bearer njk_x"}, Code.KEY_UNKNOWN),
        ],
    )
    def test_a_problem_has_a_code(self, sender: Sender, body: bytes, headers: dict[str, str], code: Code) -> None:
        assert problem_of(sender.post(body, **headers))["code"] == code

    def test_a_body_without_length_is_empty(self, sender: Sender) -> None:
        assert problem_of(sender.post(b""))["code"] == Code.INVALID_JSON

    def test_an_unknown_key_is_asked_for(self, sender: Sender) -> None:
        assert sender.post(b"", Authorization="")["WWW-Authenticate"] == "Bearer"

    @pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "options"])
    def test_other_methods_are_not_allowed(self, client: Client, method: str) -> None:
        response = getattr(client, method)(URL)
        assert (response.status_code, response["Allow"]) == (405, "POST")
        assert method == "head" or problem_of(response)["code"] == Code.METHOD_NOT_ALLOWED

    @pytest.mark.parametrize("path", ["/ingest/", "/ingest/v1/", "/ingest/v2/telemetry", "/ingest/v1/telemetry/"])
    def test_other_addresses_do_not_exist(self, client: Client, path: str) -> None:
        assert problem_of(client.post(path))["code"] == Code.NOT_FOUND

    @pytest.mark.parametrize("code", [Code.QUOTA, Code.BUFFER_FULL, Code.UNAVAILABLE])
    def test_what_may_be_retried_says_when(
        self, sender: Sender, buffer: RedisBuffer, monkeypatch: pytest.MonkeyPatch, code: Code
    ) -> None:
        def refuse(*_: object) -> None:
            raise RefusedError(code, "Later.", retry_after=7)

        monkeypatch.setattr(RedisBuffer, "put", refuse)
        response = sender.post(envelope(some()))
        assert problem_of(response)["code"] == code
        assert response["Retry-After"] == "7"

    def test_a_failure_of_ours_tells_nothing_about_us(
        self, sender: Sender, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_: object, **__: object) -> None:
            raise RuntimeError("SELECT secret FROM /etc/passwd")

        monkeypatch.setattr(views, "receive", fail)
        response = sender.post(envelope(some()))
        assert problem_of(response)["code"] == Code.INTERNAL
        assert b"passwd" not in response.content
        assert middleware.__name__ in caplog.text or "ingest.failed" in caplog.text


class TestDocuments:
    def test_the_openapi_document_is_served(self, client: Client) -> None:
        response = client.get("/ingest/v1/openapi.json")
        assert response.json() == OPENAPI
        assert client.post("/ingest/v1/openapi.json").status_code == 405

    def test_its_codes_are_the_real_ones(self) -> None:
        responses = OPENAPI["paths"][URL]["post"]["responses"]
        told = set()
        for status, response in responses.items():
            if status == "202":
                continue
            schema = response["content"]["application/problem+json"]["schema"]
            told |= {(code, int(status)) for code in schema["properties"]["code"]["enum"]}
        beside = {Code.NOT_FOUND, Code.METHOD_NOT_ALLOWED, Code.INTERNAL}  # Not answers of this operation.
        assert told == {(code.value, STATUS[code]) for code in Code if code not in beside}

    def test_every_code_has_a_status(self) -> None:
        assert set(STATUS) == set(Code)

    @pytest.mark.parametrize("name", OPENAPI["components"]["schemas"])
    def test_its_schemas_are_valid(self, name: str) -> None:
        jsonschema_rs.meta.validate(OPENAPI["components"]["schemas"][name])

    def test_what_is_accepted_and_answered_fits_it(self, sender: Sender) -> None:
        body = envelope(some(2), sent_at=timezone.now().isoformat(), extension={"version": "1"})
        assert validator("Envelope").is_valid(json.loads(body))
        assert validator("Receipt").is_valid(sender.post(body).json())
        assert validator("Receipt").is_valid(sender.post(envelope(some(1, id="x"))).json())
        assert not validator("Envelope").is_valid({"schema": 2})

    def test_the_page_names_every_code(self) -> None:
        page = DOCS.read_text()
        missing = [code for code in (*Code, *EventCode) if f"`{code}`" not in page]
        assert not missing
