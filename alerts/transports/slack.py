"""Slack, through an incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks.

Such a webhook cannot answer to buttons nor change what it has posted, so the buttons are links.
"""

import json
from typing import Any

from slack_sdk.models.attachments import BlockAttachment
from slack_sdk.models.blocks import ActionsBlock, Block, LinkButtonElement, MarkdownTextObject, SectionBlock

from alerts import calling
from alerts.finding import Severity
from alerts.http import Response
from alerts.message import Happening, Message
from alerts.text import block, duration, line
from alerts.transport import Audience, ConfigField, Receipt, TransportError

HOST = "hooks.slack.com"
COLORS = {Severity.CRITICAL: "#E0474C", Severity.WARNING: "#D98A00", Severity.INFO: "#4A78EE"}
SIGNS = {
    Severity.CRITICAL: ":red_circle:",
    Severity.WARNING: ":large_orange_circle:",
    Severity.INFO: ":information_source:",
}
BLUE, GREEN = "#4A78EE", "#2A9A67"

# What Slack says when this webhook will never work again. Only these words are repeated; other answers stay unread.
DEAD = frozenset({
    "action_prohibited", "channel_is_archived", "channel_not_found", "invalid_token", "no_active_hooks", "no_service",
    "no_service_id", "no_team", "posting_to_general_channel_denied", "team_disabled", "user_not_found",
})  # fmt: skip


class Slack:
    kind = "slack"
    title = "Slack"
    icon = "hash"
    audience = Audience.CHAT
    fields: tuple[ConfigField, ...] = (
        ConfigField(
            name="url",
            label="Incoming webhook URL",
            help="In Slack, add the app “Incoming Webhooks” to a channel and copy the URL that it gives you.",
            kind="secret",
            placeholder="https://hooks.slack.com/services/…",
        ),
    )

    def clean(self, config: dict[str, Any]) -> dict[str, Any]:
        url = str(config.get("url", "")).strip()
        target = calling.check_url(url)
        genuine = target.scheme == "https" and target.host == HOST and target.path.startswith("/services/")
        if not genuine and not target.allowed:
            raise ValueError(f"A Slack webhook URL begins with https://{HOST}/services/.")
        return {"url": url}

    def send(self, config: dict[str, Any], message: Message) -> Receipt:
        body = json.dumps(dress(message), ensure_ascii=False).encode()
        response = calling.post(config["url"], body, {"Content-Type": "application/json; charset=utf-8"})
        _check(response)
        return Receipt("Slack accepted it.")


def _check(response: Response) -> None:
    word = response.body[:64].decode("ascii", "replace").strip()
    if response.status in {403, 404, 410} or (response.status == 400 and word in DEAD):
        known = f" ({word})" if word in DEAD else ""
        raise TransportError(f"Slack no longer takes messages here: answered {response.status}{known}.", permanent=True)
    calling.check(response)


def dress(message: Message) -> dict[str, Any]:
    """The message as Slack's JSON: one attachment, which is the only way to get the coloured bar."""
    attachment = BlockAttachment(blocks=_blocks(message), color=_color(message))
    dressed = attachment.to_dict() | {"fallback": _escape(line(message.title, 200))}
    return {
        "text": _escape(_notification(message)),
        "attachments": [dressed],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def _escape(text: str) -> str:
    """Slack's three characters; with them gone, ``<!channel>``, ``<@U1>`` and links are only text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _inline(text: str, limit: int) -> str:
    """One line of somebody else's text within mrkdwn; marks that would change the text around it are replaced."""
    return _escape(line(text, limit).translate({ord("`"): "'", ord("*"): "\u2217", ord("~"): "\u223c"}))


def _notification(message: Message) -> str:
    """What phones and screen readers get."""
    what = line(message.what, 300)
    match message.happening:
        case Happening.TEST | Happening.SWITCHED_OFF:
            return line(message.title, 200)
        case Happening.ACKNOWLEDGED:
            return f"Acknowledged by {line(message.actor, 100)}: {what}" if message.actor else f"Acknowledged: {what}"
        case Happening.RESOLVED:
            return f"Resolved: {what} after {duration(message.duration_s)}"
        case Happening.REOPENED:
            return f"{message.severity.title()}, back again: {what}"
        case Happening.OPENED:
            return f"{message.severity.title()}: {what}. {line(message.summary, 300)}"
        case _:
            return f"{line(message.summary, 300)} {what}"


def _color(message: Message) -> str:
    if message.happening in {Happening.RESOLVED, Happening.TEST}:
        return GREEN
    return COLORS[message.severity] if message.is_alarm else BLUE


def _blocks(message: Message) -> list[Block]:
    if message.is_about_channel:
        return [_section(f"{_headline(message)}\n{_inline(message.summary, 300)}"), _buttons(message)]
    blocks: list[Block] = [_section(f"{_headline(message)}\n{_place(message)}")]
    if message.is_standing and message.is_alarm:
        blocks.append(_section("\n".join(_reason(message))))
    blocks.append(_facts(message))
    if message.code and message.happening is not Happening.RESOLVED:
        blocks.append(_section(f"```{_code(message.code)}```"))
    return [*blocks, _buttons(message)]


def _section(text: str) -> SectionBlock:
    return SectionBlock(text=MarkdownTextObject(text=text))


def _headline(message: Message) -> str:
    sign = SIGNS[message.severity]
    if message.happening in {Happening.RESOLVED, Happening.TEST}:
        sign = ":white_check_mark:"
    elif not message.is_alarm:
        sign = ":large_blue_circle:"
    return f"{sign} *<{_link(message.incident_url)}|{_inline(message.title, 250)}>*"


def _link(url: str) -> str:
    """An URL of our own, marked so that it is known where the reader came from."""
    return _escape(f"{url}?s=slack").replace("|", "%7C")


def _place(message: Message) -> str:
    by = f" by {_inline(message.actor, 100)}" if message.actor else ""
    state = {
        Happening.OPENED: message.severity.title(),
        Happening.REOPENED: f"{message.severity.title()}, back again",
        Happening.ACKNOWLEDGED: f"{message.severity.title()}, acknowledged{by}",
        Happening.RESOLVED: f"Resolved after {duration(message.duration_s)}{by}",
    }.get(message.happening, _inline(message.summary, 300))
    resource = f"`{_inline(message.resource, 140)}`"
    return "  ·  ".join([state, resource, _inline(message.region, 40), f"#{message.incident_number}"])


def _reason(message: Message) -> list[str]:
    """Why it is told, and what to look at first."""
    told = [_inline(message.likely_cause, 900), _inline(message.next_step, 300)]
    return [row for row in told if row] or [_inline(message.summary, 300)]


def _facts(message: Message) -> SectionBlock:
    since = f"{message.opened_at:%d %b %H:%M} UTC"
    facts = {
        "Events": f"{message.events:,}",
        "Since": f"<!date^{int(message.opened_at.timestamp())}^{{date_short_pretty}} {{time}}|{since}>",
        "Likely cause": _inline(message.likely_cause, 300) or "Not known",
        "Policy": _inline(message.policy, 80) or "None",
    }
    shown = ("Since", "Policy") if message.is_standing else tuple(facts)
    return SectionBlock(fields=[MarkdownTextObject(text=f"*{name}*\n{facts[name]}") for name in shown])


def _code(code: str) -> str:
    """At most three lines, which cannot end the code block they stand in."""
    return _escape(block(code, 3, 200).replace("`", "'"))


def _buttons(message: Message) -> ActionsBlock:
    buttons = [LinkButtonElement(text="Open", url=f"{message.incident_url}?s=slack", action_id="open")]
    if message.acknowledge_url:
        url = f"{message.acknowledge_url}?s=slack"
        buttons.insert(0, LinkButtonElement(text="Acknowledge", url=url, action_id="acknowledge", style="primary"))
    return ActionsBlock(elements=buttons)
