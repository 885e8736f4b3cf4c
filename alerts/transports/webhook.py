"""A webhook, signed as https://www.standardwebhooks.com says; docs/howto/add-a-transport.md describes the payload."""

import base64
import binascii
import json
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import standardwebhooks

from alerts import calling
from alerts.message import Message
from alerts.text import block, line
from alerts.transport import Audience, ConfigField, Receipt

PREFIX = "whsec_"
SECRET_BYTES = 32
OVERLAP = timedelta(hours=24)
"""How long messages carry the old signature as well after the secret was replaced."""
DOUBLE_CLICK = timedelta(minutes=1)


class Webhook:
    kind = "webhook"
    title = "Webhook"
    icon = "webhook"
    audience = Audience.MACHINE
    fields: tuple[ConfigField, ...] = (
        ConfigField(
            name="url",
            label="URL",
            help="Receives a POST with JSON for each step of an incident and must answer with a 2xx within 15 seconds.",
            kind="url",
            placeholder="https://example.com/nightjar",
        ),
        ConfigField(
            name="secret",
            label="Signing secret",
            help="Leave it empty and Nightjar makes one. Your receiver checks the signature with it.",
            kind="secret",
            required=False,
            placeholder="whsec_…",
        ),
    )

    def clean(self, config: dict[str, Any]) -> dict[str, Any]:
        url = str(config.get("url", "")).strip()
        calling.check_url(url)
        secret = str(config.get("secret") or "").strip() or new_secret()
        _check_secret(secret)
        kept = {name: config[name] for name in ("previous_secret", "previous_until") if name in config}
        return {"url": url, "secret": secret} | kept

    def rotate(self, config: dict[str, Any], *, now: datetime) -> dict[str, Any]:
        if _signs_twice(config, now + OVERLAP - DOUBLE_CLICK):
            return config  # Else the second click would forget the only secret that receivers know.
        old = {"previous_secret": config["secret"], "previous_until": (now + OVERLAP).isoformat()}
        return config | old | {"secret": new_secret()}

    def send(self, config: dict[str, Any], message: Message) -> Receipt:
        body = json.dumps(dress(message), ensure_ascii=False)
        headers = sign(_secrets(config, message.composed_at), message, body)
        response = calling.post(config["url"], body.encode(), {"Content-Type": "application/json", **headers})
        calling.check(response)
        return Receipt(f"Answered {response.status}.")


def new_secret() -> str:
    """A signing secret of 32 random bytes, in the form that every Standard Webhooks library reads."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _check_secret(secret: str) -> None:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not secret.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("A signing secret is whsec_ and 24 to 64 bytes in base64.")


def _secrets(config: dict[str, Any], now: datetime) -> list[str]:
    """The secret, and the one before it while receivers may still have that."""
    return [config["secret"]] + ([config["previous_secret"]] if _signs_twice(config, now) else [])


def _signs_twice(config: dict[str, Any], now: datetime) -> bool:
    until: str = config.get("previous_until", "")
    return bool(until) and now < datetime.fromisoformat(until)


def sign(secrets: Sequence[str], message: Message, body: str) -> dict[str, str]:
    """The three headers; the timestamp is that of the attempt, because receivers refuse old ones."""
    signers = map(standardwebhooks.Webhook, secrets)
    return {
        "webhook-id": message.id,
        "webhook-timestamp": str(int(message.composed_at.timestamp())),
        "webhook-signature": " ".join(signer.sign(message.id, message.composed_at, body) for signer in signers),
    }


def dress(message: Message) -> dict[str, Any]:
    """The payload. Text of the customer's functions is cut and cleaned, but not escaped: JSON needs no help."""
    envelope = {"timestamp": message.happened_at.isoformat()}
    if message.is_about_channel:
        return {
            "type": message.happening.value,
            **envelope,
            "data": {"organization": message.organization, "summary": message.summary},
        }
    return {
        "type": f"incident.{message.happening}",
        **envelope,
        "data": {
            "organization": message.organization,
            "incident": _incident(message),
            "resource": {
                "name": line(message.resource, 140),
                "region": line(message.region, 40),
                "account": message.account,
                "url": message.resource_url,
            },
            "error": {
                "type": line(message.error_type, 200),
                "message": line(message.error_message, 1_000),
                "code": block(message.code, 3, 300),
                "request_id": line(message.request_id, 100),
            },
            "actor": line(message.actor, 100),
            "likely_cause": line(message.likely_cause, 900 if message.is_standing else 300),
            "next_step": line(message.next_step, 300),
            "policy": message.policy,
        },
    }


def _incident(message: Message) -> dict[str, Any]:
    return {
        "number": message.incident_number,
        "url": message.incident_url,
        "title": line(message.title, 300),
        "summary": line(message.summary, 500),
        "kind": message.kind,
        "severity": message.severity.value,
        "events": None if message.is_standing else message.events,
        "opened_at": message.opened_at.isoformat(),
        "last_seen_at": message.last_seen_at.isoformat(),
        "duration_s": message.duration_s,
    }
