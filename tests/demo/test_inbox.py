"""What the demo's receivers take, and how its inbox shows it."""

import json
import smtplib
import socket
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import standardwebhooks
from aiosmtpd.controller import Controller
from django.test import Client
from pytest_django import Settings

from demo import company, inbox, receivers
from demo.inbox import Kind, Message
from observability.tenants.models import Membership, Organization, Role, User

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _folder(settings: Settings, tmp_path: Path) -> None:
    settings.VAR_DIR = tmp_path
    company.folder().mkdir()


@pytest.fixture
def insider(db: None) -> Client:
    """Dana, who belongs to the demo's organization."""
    organization = Organization.objects.create(name=company.NAME, slug=company.SLUG)
    dana = User.objects.create_user(email="dana@example.com")
    Membership.objects.create(organization=organization, user=dana, role=Role.VIEWER)
    client = Client()
    client.force_login(dana)
    return client


@pytest.fixture
def address() -> Iterator[str]:
    server = ThreadingHTTPServer((receivers.HOST, 0), receivers.Web)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


def post(url: str, body: bytes, headers: dict[str, str] | None = None) -> int:
    request = urllib.request.Request(url, data=body, headers=headers or {})  # noqa: S310  # Our own server.
    try:
        with urllib.request.urlopen(request, timeout=5) as response:  # noqa: S310
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_only_the_newest_messages_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "KEPT", 3)
    for number in range(5):
        inbox.put(Message(Kind.SLACK, NOW, {"text": str(number)}))
    assert [message.content["text"] for message in inbox.latest(10)] == ["4", "3", "2"]


@pytest.mark.parametrize("name", ["../../embedded", "1-slack", "0" * 19 + "-slack", ""])
def test_a_name_that_is_none_of_ours_is_nothing(name: str) -> None:
    assert inbox.get(name) is None


def test_slack_answers_and_keeps(address: str) -> None:
    assert post(f"{address}/slack", b'{"text": "hello"}') == 200
    assert post(f"{address}/slack", b"{") == 400
    assert [message.content for message in inbox.latest(10)] == [{"text": "hello"}]


@pytest.mark.parametrize(("tampered", "verified"), [(False, True), (True, False)])
def test_a_webhook_is_checked_by_its_signature(address: str, tampered: bool, verified: bool) -> None:
    secret, body, moment = company.webhook_secret(), '{"a":1}', datetime.now(UTC)  # noqa: TID251  # It must be fresh.
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": standardwebhooks.Webhook(secret).sign("msg_1", moment, body),
    }
    assert post(f"{address}/webhook", b'{"a":2}' if tampered else body.encode(), headers) == 204
    [message] = inbox.latest(10)
    assert message.content["verified"] is verified
    assert json.loads(message.content["body"]) == {"a": 2 if tampered else 1}


def test_strangers_get_nothing(address: str) -> None:
    assert post(f"{address}/elsewhere", b"x") == 404
    assert post(f"{address}/slack", b"") == 413
    assert inbox.names() == []


def test_a_letter_is_opened() -> None:
    with socket.socket() as probe:
        probe.bind((receivers.HOST, 0))
        port = probe.getsockname()[1]
    letter = EmailMessage()
    letter["From"], letter["To"], letter["Subject"] = "n@example.com", "a@example.com", "Ünïcode"
    letter.set_content("plain")
    letter.add_alternative("<b>rich</b>", subtype="html")
    mailbox = Controller(receivers.Mailbox(), hostname=receivers.HOST, port=port)
    mailbox.start()
    try:
        with smtplib.SMTP(receivers.HOST, port) as client:
            client.send_message(letter)
    finally:
        mailbox.stop()
    [message] = inbox.latest(10)
    assert message.content == {
        "from": "n@example.com",
        "to": ["a@example.com"],
        "subject": "Ünïcode",
        "text": "plain\n",
        "html": "<b>rich</b>\n",
    }


def fill() -> None:
    block = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "*<https://x.example/1|Boom &lt;b&gt;>* `code` :red_circle:"},
    }
    inbox.put(Message(Kind.SLACK, NOW, {"text": "Boom", "attachments": [{"color": "#E0474C", "blocks": [block]}]}))
    inbox.put(Message(Kind.WEBHOOK, NOW, {"headers": {"webhook-id": "1"}, "verified": False, "body": "<script>"}))
    letter = {
        "from": "n@x",
        "to": ["a@x"],
        "subject": "Hi <b>",
        "text": "plain",
        "html": "<script>1</script><p>Hello</p>",
    }
    inbox.put(Message(Kind.MAIL, NOW, letter))


def test_the_page_shows_each_kind_and_trusts_none(insider: Client) -> None:
    fill()
    response = insider.get("/demo/inbox")
    page = response.content.decode()
    assert '<b><a class="prose-link" href="https://x.example/1">Boom &lt;b&gt;</a></b> <code>code</code>' in page
    assert "border-color: #E0474C" in page
    assert "signature wrong" in page
    assert "&lt;script&gt;" in page
    assert "Hi &lt;b&gt;" in page
    assert "frame-src 'self'" in response.headers["Content-Security-Policy"]


def test_the_tabs_narrow_the_list(insider: Client) -> None:
    fill()
    page = insider.get("/demo/inbox?kind=slack").content.decode()
    assert "Boom" in page
    assert "signature wrong" not in page
    assert insider.get("/demo/inbox?kind=pigeon").status_code == 404


def test_polling_brings_only_what_is_newer(insider: Client) -> None:
    fill()
    newest = inbox.names()[0]
    assert insider.get(f"/demo/inbox?after={newest}").status_code == 204
    inbox.put(Message(Kind.SLACK, NOW, {"text": "Later"}))
    page = insider.get(f"/demo/inbox?after={newest}").content.decode()
    assert "Later" in page
    assert "Boom" not in page
    assert "<html" not in page


def test_a_letter_may_style_itself_and_nothing_else(insider: Client) -> None:
    fill()
    response = insider.get(f"/demo/inbox/{inbox.names()[0]}/html")
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-popups" in policy
    assert response.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert insider.get(f"/demo/inbox/{inbox.names()[1]}/html").status_code == 404


def test_outsiders_find_no_inbox(insider: Client, charlie: User) -> None:
    outsider = Client()
    assert outsider.get("/demo/inbox").headers["Location"].startswith("/accounts/login/")
    outsider.force_login(charlie)
    assert outsider.get("/demo/inbox").status_code == 404
