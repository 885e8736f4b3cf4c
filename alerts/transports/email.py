"""E-mail, through whatever mail backend the settings name: one letter per recipient, threaded by incident."""

import hashlib
import logging
import smtplib
import time
from collections.abc import Iterator
from email.utils import parseaddr
from typing import Any

import mjml
from anymail.exceptions import AnymailError, AnymailRecipientsRefused
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMultiAlternatives, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.core.validators import validate_email
from django.template.loader import render_to_string

from alerts.finding import Severity
from alerts.message import Happening, Message
from alerts.text import block, duration, line
from alerts.transport import OWNERS, Audience, ConfigField, Receipt, TransportError

logger = logging.getLogger(__name__)
MOST_RECIPIENTS = 20
LONGEST = 900  # Characters of what a letter tells: the reasons of three metrics.
PATIENCE_S = 15.0  # How long one try goes on taking up letters; its lease must outlast it.
COLORS = {Severity.CRITICAL: "#cd2b31", Severity.WARNING: "#ad5700", Severity.INFO: "#1a61c9"}
GREEN, BLUE = "#18794e", "#1a61c9"


class Email:
    kind = "email"
    title = "E-mail"
    icon = "mail"
    audience = Audience.MAILBOX
    fields: tuple[ConfigField, ...] = (
        ConfigField(
            name="to",
            label="Recipients",
            help=f"One address a line, at most {MOST_RECIPIENTS}. Each gets a letter of its own. "
            "Leave it empty to reach the owners of the organization, whoever they are at the time.",
            kind="emails",
            required=False,
            placeholder="on-call@example.com",
        ),
    )

    def clean(self, config: dict[str, Any]) -> dict[str, Any]:
        given = config.get("to") or []
        lines = given.splitlines() if isinstance(given, str) else [str(address) for address in given]
        addresses = list(dict.fromkeys(address.strip() for address in lines if address.strip()))
        if not addresses:
            return {OWNERS: True}
        if len(addresses) > MOST_RECIPIENTS:
            raise ValueError(f"Enter at most {MOST_RECIPIENTS} addresses.")
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError:
                raise ValueError(f"“{line(address, 80)}” is not an e-mail address.") from None
        return {"to": addresses}

    def send(self, config: dict[str, Any], message: Message) -> Receipt:
        """Every recipient is tried, save those whom an earlier try reached."""
        recipients: list[str] = config["to"]
        reached = {_digest(recipient) for recipient in recipients} & message.reached
        failures: list[TransportError] = []
        for recipient, failure in _send_all(message, [to for to in recipients if _digest(to) not in reached]):
            if failure is None:
                reached.add(_digest(recipient))
            else:
                failures.append(failure)
        if temporary := [failure for failure in failures if not failure.permanent]:
            raise TransportError(str(temporary[0]), reached=reached)
        if not reached:
            raise failures[0]
        refused = f"; {len(failures)} refused" if failures else ""
        return Receipt(f"Handed over to {len(reached)} of {len(recipients)} recipients{refused}.")


def _send_all(message: Message, recipients: list[str]) -> Iterator[tuple[str, TransportError | None]]:
    """Each recipient and what went wrong. A slow server gets the rest of the letters with the next try."""
    text, html = plain(message), rich(message)
    begun = time.monotonic()
    with _open() as connection:
        for recipient in recipients:
            failure = None
            try:
                if time.monotonic() - begun > PATIENCE_S:
                    raise TransportError("The mail server is too slow to take all letters at once.")
                _send(connection, _letter(message, recipient, text, html))
            except TransportError as error:
                failure = error
            yield recipient, failure


def _open() -> BaseEmailBackend:
    try:
        connection: BaseEmailBackend = get_connection()
        connection.open()
    except (OSError, AnymailError):
        raise TransportError("The mail server could not be reached.") from None
    return connection


def _send(connection: BaseEmailBackend, letter: EmailMultiAlternatives) -> None:
    """Send one letter. What a mail server says can hold addresses and more, so only its code is repeated."""
    try:
        connection.send_messages([letter])
    except smtplib.SMTPRecipientsRefused as error:
        code = max((answer[0] for answer in error.recipients.values()), default=550)
        raise TransportError(f"The mail server refused the recipient ({code}).", permanent=code >= 500) from None
    except smtplib.SMTPResponseException as error:
        raise TransportError(f"The mail server answered {error.smtp_code}.") from None
    except AnymailRecipientsRefused:
        raise TransportError("The mail service refused the recipient.", permanent=True) from None
    except (OSError, AnymailError):
        raise TransportError("The mail server could not be reached.") from None


def _letter(message: Message, recipient: str, text: str, html: str) -> EmailMultiAlternatives:
    letter = EmailMultiAlternatives(subject(message), text, to=[recipient], headers=_headers(message, recipient))
    if html:
        letter.attach_alternative(html, "text/html")
    return letter


def _headers(message: Message, recipient: str) -> dict[str, str]:
    """The same delivery always has the same id, and all letters about one incident refer to the same root."""
    domain = parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
    root = f"<incident-{_digest(message.incident_url)}@{domain}>"
    return {
        "Message-ID": f"<{message.id}.{_digest(recipient)}@{domain}>",
        "References": root,
        "In-Reply-To": root,
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def subject(message: Message) -> str:
    """``[Critical] what in which function``: only the word in brackets changes over an incident's life."""
    if message.happening is Happening.TEST:
        return f"[Test] {line(message.title, 150)}"
    word = message.severity.title() if message.is_alarm else message.happening.title()
    return f"[{word}] {line(message.what, 180)}"


def state(message: Message) -> str:
    """What happened and when, as the first line of the letter."""
    at, by = f"{message.happened_at:%H:%M} UTC", f" by {line(message.actor, 100)}" if message.actor else ""
    return {
        Happening.TEST: "Test",
        Happening.SWITCHED_OFF: f"{message.severity.title()} · {at}",
        Happening.OPENED: f"{message.severity.title()} · opened {at}",
        Happening.REOPENED: f"{message.severity.title()} · back again {at}",
        Happening.ACKNOWLEDGED: f"Acknowledged{by} · {at}",
        Happening.RESOLVED: f"Resolved{by} after {duration(message.duration_s)} · {at}",
    }.get(message.happening, f"{message.happening.title()}{by} · {at}")


def plain(message: Message) -> str:
    """The text part."""
    rows = [state(message), line(message.title, 300), place(message), "", line(message.summary, LONGEST)]
    if message.is_alarm and message.next_step:
        rows += ["", f"Next: {line(message.next_step, 300)}"]
    if message.code:
        rows += ["", *(f"    {row}" for row in block(message.code, 3, 200).splitlines())]
    rows += ["", f"Open: {message.incident_url}?s=mail"]
    if message.acknowledge_url:
        rows.append(f"Acknowledge: {message.acknowledge_url}?s=mail")
    return "\n".join([*rows, "", "-- ", reason(message), message.settings_url, ""])


def rich(message: Message) -> str:
    """The HTML part. Django escapes the text; MJML only lays it out. No font is loaded from anywhere."""
    source = render_to_string("alerts/mail/incident.mjml", {
        "message": message, "title": line(message.title, 300), "summary": line(message.summary, LONGEST),
        "subject": subject(message), "state": state(message), "place": place(message), "reason": reason(message),
        "organization": line(message.organization, 80), "color": _color(message),
        "code": [_indented(row) for row in block(message.code, 3, 200).splitlines()],
        "next": line(message.next_step, 300) if message.is_alarm else "",
        "figures": _figures(message), "acknowledge": bool(message.acknowledge_url),
    })  # fmt: skip
    try:
        return mjml.mjml2html(source, disable_comments=True, fonts={})
    except ValueError:
        logger.exception("email.not_dressed", extra={"notification": message.id})
        return ""  # A letter in plain text beats none.


def place(message: Message) -> str:
    """Where it happened."""
    if message.is_about_channel:
        return line(message.organization, 80)
    return f"{line(message.resource, 140)} · {line(message.region, 40)} · incident #{message.incident_number}"


def reason(message: Message) -> str:
    """Why the reader gets this letter."""
    if message.happening is Happening.SWITCHED_OFF:
        return "You get this because one of your organization's channels cannot tell you any more."
    if not message.policy:
        return "You get this because somebody tested this channel in Nightjar."
    return f"You get this because of the policy “{line(message.policy, 80)}” in Nightjar."


def _figures(message: Message) -> list[tuple[str, str]]:
    if message.is_about_channel:
        return []
    last = f"{message.last_seen_at:%H:%M} UTC"
    events = [] if message.is_standing else [("Events", f"{message.events:,}")]
    return [*events, ("Since", f"{message.opened_at:%d %b %H:%M}"), ("Last seen", last)]


def _color(message: Message) -> str:
    if message.happening in {Happening.RESOLVED, Happening.TEST}:
        return GREEN
    return COLORS[message.severity] if message.is_alarm else BLUE


def _indented(row: str) -> str:
    """A line of code whose indentation HTML keeps."""
    body = row.lstrip(" ")
    return "\u00a0" * (len(row) - len(body)) + body
