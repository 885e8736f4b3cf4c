"""The other end of the demo's channels: a pretend Slack, a webhook that checks signatures, and a mailbox."""

import email
import email.policy
import json
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import standardwebhooks
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.utils import timezone

from demo import company, inbox
from demo.inbox import Kind, Message

MOST_BYTES = 1_000_000
HOST = "127.0.0.1"


class Web(BaseHTTPRequestHandler):
    """``POST /slack`` and ``POST /webhook``; both answer as the real ones do."""

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 < length <= MOST_BYTES:
            return self.answer(413, b"too large")
        body = self.rfile.read(length)
        if self.path.startswith("/slack"):
            return self.slack(body)
        if self.path.startswith("/webhook"):
            return self.webhook(body)
        return self.answer(404, b"no such receiver")

    def slack(self, body: bytes) -> None:
        try:
            content = json.loads(body)
        except ValueError:
            return self.answer(400, b"invalid_payload")
        keep(Kind.SLACK, content)
        return self.answer(200, b"ok")

    def webhook(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower().startswith("webhook-")}
        keep(Kind.WEBHOOK, {"headers": headers, "verified": is_signed(body, headers), "body": readable(body)})
        return self.answer(204, b"")

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: what was received is in the inbox."""


class Mailbox:
    """Takes every letter, whomever it is for."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's.
        content = envelope.original_content or b""
        letter = email.message_from_bytes(content, policy=email.policy.default)
        keep(Kind.MAIL, opened(letter, envelope.rcpt_tos))
        return "250 Kept"


def opened(letter: EmailMessage, recipients: list[str]) -> dict[str, Any]:
    """The parts of a letter that the inbox shows."""
    plain, rich = (letter.get_body((kind,)) for kind in ("plain", "html"))
    return {
        "from": str(letter["From"] or ""),
        "to": recipients,
        "subject": str(letter["Subject"] or ""),
        "text": plain.get_content().replace("\r\n", "\n") if plain else "",
        "html": rich.get_content().replace("\r\n", "\n") if rich else "",
    }


def is_signed(body: bytes, headers: dict[str, str]) -> bool:
    """Whether the webhook's signature is ours, by the reference library of Standard Webhooks."""
    secret = company.known_webhook_secret()
    if not secret:
        return False
    try:
        standardwebhooks.Webhook(secret).verify(body, headers)
    except standardwebhooks.WebhookVerificationError:
        return False
    return True


def readable(body: bytes) -> str:
    """JSON with indentation, anything else as text."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        return body.decode(errors="replace")


def keep(kind: Kind, content: dict[str, Any]) -> None:
    inbox.put(Message(kind, timezone.now(), content))


def serve(*, http_port: int, smtp_port: int) -> None:
    """Receive until the process ends."""
    mailbox = Controller(Mailbox(), hostname=HOST, port=smtp_port, data_size_limit=MOST_BYTES)
    mailbox.start()
    web = ThreadingHTTPServer((HOST, http_port), Web)
    try:
        web.serve_forever()
    finally:
        web.server_close()
        mailbox.stop()
