"""The filters and tags of every template (built in: no ``{% load %}``). The drawing itself is in plain modules."""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

import lucide as lucide_icons
from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from observability.ui import awsicons, graphics, treemap, units

register = template.Library()

register.filter("num", units.number)
register.filter("ms", units.milliseconds)
register.filter("usd", units.dollars)
register.filter("pct", units.percent)
register.filter("mb", units.megabytes)
register.filter("size", units.size)
register.filter("elapsed", units.elapsed)


@register.filter
def ago(moment: datetime | None, suffix: str = " ago") -> str | SafeString:
    """How long ago ``moment`` was; the absolute time in the tooltip, and the client keeps it fresh."""
    if moment is None:
        return units.NOTHING
    seconds = (timezone.now() - moment).total_seconds()
    return format_html(
        '<time datetime="{}" title="{}" data-ago="{}">{}{}</time>',
        moment.isoformat(), f"{moment:%d %b %Y %H:%M:%S} UTC", suffix, units.elapsed(seconds), suffix,
    )  # fmt: skip


@register.filter
def clock(moment: datetime, note: str = "") -> SafeString:
    """The time of day to the millisecond; date and ``note`` in the tooltip. For pages with hundreds of them."""
    return format_html(
        '<time datetime="{}" title="{} UTC{}">{}</time>',
        moment.isoformat(), f"{moment:%d %b %Y %H:%M:%S}", note, f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03}",
    )  # fmt: skip


@register.filter
def logmsg(message: str, attributes: str = "") -> str | SafeString:
    """A structured line as its event and ``key=value`` fields; any other line as it is.

    ``attributes`` is the JSON text of the line's fields when the store keeps them apart from the message.
    """
    fields = _json_object(attributes) or _json_object(message)
    if fields is None:
        return message
    event = fields.pop("event", None) or fields.pop("message", None) or fields.pop("msg", None)
    if event is None and attributes:
        event = message
    head = format_html('<b class="font-semibold">{}</b>', _text(event)) if event else SafeString()
    pairs = ((key, _text(value)) for key, value in fields.items())
    return head + format_html_join("", ' <span class="lk">{}=</span>{}', pairs)


def _json_object(text: str) -> dict[str, object] | None:
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@register.simple_tag
def spark(
    values: graphics.Values, width: int = 96, height: int = 24, css: str = "text-c1", points: int = 32, agg: str = "sum"
) -> SafeString:
    """A sparkline of ``values``, shrunk to ``points`` by ``agg`` (sum, max, avg)."""
    return graphics.sparkline(values, width, height, css, points, agg)


@register.simple_tag
def bars(
    values: graphics.Values, width: int = 96, height: int = 24, css: str = "text-err", points: int = 24
) -> SafeString:
    """Small columns of counts over time."""
    return graphics.columns(values, width, height, css, points)


@register.simple_tag
def strip(levels: Sequence[int]) -> SafeString:
    """A heat strip: one cell per level from 0 (nothing) to 4 (worst); see ``graphics.heat_levels``."""
    return graphics.heat_strip(levels)


@register.inclusion_tag("ui/treemap.html", name="treemap")
def treemap_tag(tiles: Sequence[treemap.Tile], aspect: float = 2.0) -> dict[str, object]:
    """Tiles in proportion to their values, each a link."""
    return {"tiles": treemap.squarify(tiles, aspect=aspect)}


@register.simple_tag
def chart(spec: object) -> SafeString:
    """The data of the surrounding ``<nj-chart>``; frontend/README.md describes it. Moments become epoch seconds."""
    text = json.dumps(spec, separators=(",", ":"), default=_plain).replace("<", "\\u003c")
    return mark_safe(f'<script type="application/json">{text}</script>')  # noqa: S308  # "<" is escaped above.


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.timestamp()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    raise TypeError(f"a chart cannot hold {type(value).__name__}")


@register.simple_tag
def svc(kind: str, size: int = 14) -> SafeString:
    """The icon of an AWS service, in its colour."""
    icon, css, name = awsicons.look(kind)
    return format_html('<span class="svc {}" title="{}">{}</span>', css, name, _icon(icon, size, ""))


@register.simple_tag
def svcname(kind: str) -> str:
    return awsicons.look(kind).name


@register.simple_tag
def lucide(name: str, *, size: int = 16, **attributes: str) -> SafeString:
    """An icon of the Lucide set, inline, hidden from screen readers. ``class="…"`` adds classes."""
    return _icon(name + "", size, attributes.pop("class", "") + "")


@lru_cache(maxsize=4096)
def _icon(name: str, size: int, css: str) -> SafeString:
    # Cached because reading an icon from its archive costs 0.1 ms and a page shows a hundred.
    attributes = {"aria-hidden": "true"} | ({"class": css} if css else {})
    return mark_safe(lucide_icons._render_icon(name, size, **attributes))  # noqa: S308  # Names come from templates.


@register.simple_tag(takes_context=True)
def org_url(context: Context, name: str, **kwargs: object) -> str:
    """``{% url %}`` inside the organization of the request."""
    return reverse(name, kwargs={"organization": context["request"].organization.slug, **kwargs})


@register.simple_tag
def delta(change: float | None, better: str = "") -> SafeString:
    """A relative change (``0.042`` is 4.2 %) with arrow and colour. ``better`` says which way is good: up or down."""
    if change is None:
        return SafeString()
    direction = "up" if change > 0 else "down"
    if abs(change) < 0.001:
        return format_html('<span class="delta-flat font-medium">{}</span>', "no change")
    verdict = {"": "flat", direction: "good"}.get(better, "bad")
    spoken = {"flat": "", "good": ", better", "bad": ", worse"}[verdict]
    return format_html(
        '<span class="delta-{} font-medium whitespace-nowrap"><span aria-hidden="true">{}</span>'
        '<span class="sr-only">{} </span> {}<span class="sr-only">{}</span></span>',
        verdict, "\N{UPWARDS ARROW}" if change > 0 else "\N{DOWNWARDS ARROW}", direction, _change(abs(change)), spoken,
    )  # fmt: skip


def _change(ratio: float) -> str:
    if ratio >= 10:
        return f"{ratio:,.0f}\N{MULTIPLICATION SIGN}"
    return f"{ratio * 100:.0f}%" if ratio >= 0.1 else f"{ratio * 100:.1f}%"


@register.filter
def initials(name: str) -> str:
    """At most two letters that stand for a person or an organization."""
    words = [word for word in name.partition("@")[0].replace(".", " ").replace("-", " ").split() if word[:1].isalnum()]
    return "".join(word[0] for word in words[:2]).upper() or "?"


@register.filter
def get(mapping: Mapping[object, object], key: object) -> object:
    """``mapping[key]``, or None."""
    return mapping.get(key)
