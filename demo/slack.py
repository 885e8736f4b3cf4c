"""Shows a Slack message about as Slack would: the attachment's colour bar, sections, fields, code and link buttons."""

import html
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

CIRCLES = {
    "red_circle": "#e0474c",
    "large_orange_circle": "#d98a00",
    "large_green_circle": "#2a9a67",
    "large_blue_circle": "#4a78ee",
    "information_source": "#4a78ee",
    "white_check_mark": "#2a9a67",
}
"""Drawn as coloured dots, because not every machine has a font with emoji."""
COLOR = re.compile(r"#[0-9A-Fa-f]{6}")
MARK = re.compile(
    r"```(?P<block>.+?)```"
    r"|`(?P<code>[^`\n]+)`"
    r"|<!date\^(?P<time>\d+)\^[^|>]*\|(?P<date>[^>]*)>"
    r"|<(?P<url>https?://[^|>\s]+)(?:\|(?P<label>[^>]*))?>"
    r"|(?<!\w)\*(?P<bold>[^*\n]+)\*(?!\w)"
    r"|(?<!\w)_(?P<italic>[^_\n]+)_(?!\w)"
    r"|(?<!\w)~(?P<strike>[^~\n]+)~(?!\w)"
    r"|:(?P<emoji>[a-z0-9_+-]+):",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Button:
    label: str
    url: str
    style: str


@dataclass(frozen=True, slots=True)
class Part:
    """One block: a text, or a grid of fields, or a row of buttons."""

    text: SafeString
    fields: tuple[SafeString, ...] = ()
    buttons: tuple[Button, ...] = ()
    is_small: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """What stands beside one colour bar; without a ``color`` there is no bar."""

    color: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Post:
    """A whole message. ``notification`` is what phones show of it."""

    notification: str
    cards: tuple[Card, ...]


def post(content: dict[str, Any]) -> Post:
    """The message that Slack would make of this JSON; unknown blocks are left out."""
    cards = [Card("", parts(content.get("blocks", [])))] if content.get("blocks") else []
    for attachment in content.get("attachments", []):
        color = str(attachment.get("color", ""))
        cards.append(Card(color if COLOR.fullmatch(color) else "#888888", parts(attachment.get("blocks", []))))
    return Post(html.unescape(str(content.get("text", ""))), tuple(cards))


def parts(blocks: list[dict[str, Any]]) -> tuple[Part, ...]:
    return tuple(part for block in blocks if (part := one(block)))


def one(block: dict[str, Any]) -> Part | None:
    """One block as a part; None for kinds that this page does not show."""
    match block.get("type"):
        case "header" | "section" | "markdown":
            fields = tuple(mrkdwn(text_of(each)) for each in block.get("fields", []))
            return Part(mrkdwn(text_of(block.get("text", ""))), fields=fields)
        case "context":
            return Part(mrkdwn("  ".join(text_of(each) for each in block.get("elements", []))), is_small=True)
        case "actions":
            return Part(SafeString(), buttons=tuple(map(button, block.get("elements", []))))
        case _:
            return None


def text_of(value: Any) -> str:
    return str(value.get("text", "")) if isinstance(value, dict) else str(value)


def button(element: dict[str, Any]) -> Button:
    url = str(element.get("url", ""))
    safe = url if url.startswith(("http://", "https://")) else ""
    return Button(text_of(element.get("text", "")), safe, str(element.get("style", "")))


def mrkdwn(text: str) -> SafeString:
    """Slack's markup as HTML; whatever else is in the text stays text."""
    pieces: list[str] = []
    position = 0
    for found in MARK.finditer(text):
        pieces += [plain(text[position : found.start()]), marked(found)]
        position = found.end()
    return mark_safe("".join([*pieces, plain(text[position:])]))  # noqa: S308  # Every piece was escaped.


def marked(found: re.Match[str]) -> str:
    """One piece of markup as HTML."""
    kind = found.lastgroup if found.lastgroup != "label" else "url"
    value = found[kind or 0]
    match kind:
        case "block":
            return format_html(
                '<pre class="code overflow-x-auto" tabindex="0">{}</pre>', html.unescape(value.strip("\n"))
            )
        case "code":
            return format_html("<code>{}</code>", html.unescape(value))
        case "date":
            moment = datetime.fromtimestamp(int(found["time"]), UTC)
            return format_html('<time datetime="{}">{}</time>', moment.isoformat(), html.unescape(value))
        case "url":
            label = found["label"] or value
            return format_html('<a class="prose-link" href="{}">{}</a>', html.unescape(value), mrkdwn(label))
        case "bold":
            return format_html("<b>{}</b>", mrkdwn(value))
        case "italic":
            return format_html("<i>{}</i>", mrkdwn(value))
        case "strike":
            return format_html("<s>{}</s>", mrkdwn(value))
        case _:
            return circle(value) if value in CIRCLES else plain(found[0])


def circle(name: str) -> str:
    return format_html('<span style="color: {}" role="img" aria-label="{}">\u25cf</span>', CIRCLES[name], name)


def plain(text: str) -> str:
    """Text between marks: Slack's three escapes undone, then escaped for HTML, with its line breaks."""
    return html.escape(html.unescape(text)).replace("\n", "<br>")
