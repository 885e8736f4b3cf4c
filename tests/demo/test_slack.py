import pytest

from demo.slack import mrkdwn, post


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain & <b>", "plain &amp; &lt;b&gt;"),
        ("a &lt;b&gt; c", "a &lt;b&gt; c"),
        ("*bold* _it_ ~no~", "<b>bold</b> <i>it</i> <s>no</s>"),
        ("2*3*4 a_b_c", "2*3*4 a_b_c"),
        ("`x <y>`", "<code>x &lt;y&gt;</code>"),
        ("<https://x.example/?a=1&amp;b=2>", '<a class="prose-link" href="https://x.example/?a=1&amp;b=2">https://x.example/?a=1&amp;b=2</a>'),
        ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
        ("<!channel>", "&lt;!channel&gt;"),
        ("<!date^1795420980^{time}|08:03 UTC>", '<time datetime="2026-11-23T08:03:00+00:00">08:03 UTC</time>'),
        ("one\ntwo", "one<br>two"),
        (":unknown_face:", ":unknown_face:"),
    ],
)  # fmt: skip
def test_slacks_markup_becomes_html(text: str, shown: str) -> None:
    assert mrkdwn(text) == shown


def test_a_colour_that_is_none_does_not_reach_the_page() -> None:
    assert post({"attachments": [{"color": "red; background: url(x)", "blocks": []}]}).cards[0].color == "#888888"


def test_a_button_leads_only_to_the_web() -> None:
    element = {"type": "button", "text": {"text": "Open"}, "url": "javascript:alert(1)"}
    [part] = post({"blocks": [{"type": "actions", "elements": [element]}]}).cards[0].parts
    assert part.buttons[0].url == ""


def test_unknown_blocks_are_left_out() -> None:
    assert (
        post({"blocks": [{"type": "video"}, {"type": "context", "elements": [{"text": "small"}]}]})
        .cards[0]
        .parts[0]
        .is_small
    )
