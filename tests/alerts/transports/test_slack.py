import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from slack_sdk.models.blocks import Block

from alerts import calling
from alerts.http import Response
from alerts.message import Message
from alerts.transport import TransportError
from alerts.transports.slack import Slack, dress
from tests.alerts.messages import HOSTILE_MESSAGE, MESSAGE, MESSAGES

URL = "https://hooks.slack.com/services/T000/B000/secret"


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[bytes]]:
    """Let Slack answer this; gives the bodies that were posted."""

    def arrange(status: int, body: str = "", **headers: str) -> list[bytes]:
        posted: list[bytes] = []

        def post(url: str, data: bytes, sent: dict[str, str]) -> Response:
            posted.append(data)
            return Response(status, headers, body.encode())

        monkeypatch.setattr(calling, "post", post)
        return posted

    return arrange


def texts(value: Any) -> list[str]:
    """Every string anywhere in the JSON."""
    if isinstance(value, dict):
        return [text for part in value.values() for text in texts(part)]
    if isinstance(value, list):
        return [text for part in value for text in texts(part)]
    return [value] if isinstance(value, str) else []


class TestDress:
    def test_it_looks_like_this(self, told: tuple[str, Message], golden: Callable[[str, str], None]) -> None:
        name, message = told
        golden(f"slack-{name}.json", json.dumps(dress(message), indent=1, ensure_ascii=False) + "\n")

    @pytest.mark.parametrize("message", [*MESSAGES.values(), HOSTILE_MESSAGE])
    def test_blocks_are_valid(self, message: Message) -> None:
        (attachment,) = dress(message)["attachments"]
        for block in Block.parse_all(attachment["blocks"]):
            block.validate_json()

    def test_hostile_text_stays_text(self) -> None:
        dressed = json.dumps(dress(HOSTILE_MESSAGE), ensure_ascii=False)
        for attack in (
            "<!channel",
            "<@U123",
            "<https://evil",
            "<script",
            "\\u001b",
            "\x1b",
            "\\u0000",
            "\u202e",
            "\u2066",
        ):
            assert attack not in dressed
        assert "&lt;!channel&gt;" in dressed

    def test_hostile_text_cannot_leave_its_place(self) -> None:
        for text in texts(dress(HOSTILE_MESSAGE)):
            if text.startswith("```"):
                assert text.count("`") == 6
            assert text.count("<") == text.count(">")

    def test_long_text_is_cut(self) -> None:
        long = replace(MESSAGE, title="<" * 5_000, code="\n".join(["&" * 9_000] * 9), likely_cause="x" * 9_000)
        (attachment,) = dress(long)["attachments"]
        for block in Block.parse_all(attachment["blocks"]):
            block.validate_json()
        assert all(len(text) <= 3_000 for text in texts(attachment))
        assert len(json.dumps(attachment)) < 13_200

    def test_only_alarms_ask_to_be_acknowledged(self) -> None:
        asking = {name for name, message in MESSAGES.items() if 'Acknowledge"' in json.dumps(dress(message))}
        assert asking == {"opened", "reopened"}


class TestClean:
    def test_a_slack_url_is_kept(self) -> None:
        assert Slack().clean({"url": f" {URL} "}) == {"url": URL}

    @pytest.mark.parametrize(
        "url",
        [
            "", "nonsense", "http://hooks.slack.com/services/T/B/x", "https://hooks.slack.com/other/x",
            "https://hooks.slack.com.evil.example/services/x", "https://evil.example/services/x",
            "https://hooks.slack.com@evil.example/services/x", "http://127.0.0.1:8080/services/x",
        ],
    )  # fmt: skip
    def test_others_are_refused(self, url: str) -> None:
        with pytest.raises(ValueError, match=r"URL"):
            Slack().clean({"url": url})

    def test_the_operator_may_allow_a_receiver(self, settings: Any) -> None:
        settings.OUTBOUND_ALLOWED_HOSTS = ["127.0.0.1:8123"]
        assert Slack().clean({"url": "http://127.0.0.1:8123/services/x"}) == {"url": "http://127.0.0.1:8123/services/x"}


class TestSend:
    def test_it_works(self, answer: Callable[..., list[bytes]]) -> None:
        posted = answer(200, "ok")
        assert Slack().send({"url": URL}, MESSAGE).detail == "Slack accepted it."
        assert json.loads(posted[0]) == dress(MESSAGE)

    @pytest.mark.parametrize(
        ("status", "body"),
        [
            (404, "no_service"),
            (410, "channel_is_archived"),
            (403, "invalid_token"),
            (403, ""),
            (400, "no_team"),
        ],
    )
    def test_some_refusals_are_for_good(self, answer: Callable[..., list[bytes]], status: int, body: str) -> None:
        answer(status, body)
        with pytest.raises(TransportError) as error:
            Slack().send({"url": URL}, MESSAGE)
        assert error.value.permanent
        assert body in str(error.value)

    @pytest.mark.parametrize("status", [301, 302, 400, 408, 500, 503])  # One bad message is no reason to give up.
    def test_others_may_pass(self, answer: Callable[..., list[bytes]], status: int) -> None:
        answer(status, "SECRET")
        with pytest.raises(TransportError) as error:
            Slack().send({"url": URL}, MESSAGE)
        assert not error.value.permanent
        assert "SECRET" not in str(error.value)

    @pytest.mark.parametrize(("header", "seconds"), [("30", 30.0), ("999999", 3600.0), ("soon", None), ("-1", None)])
    def test_it_waits_as_long_as_slack_asks(
        self, answer: Callable[..., list[bytes]], header: str, seconds: float | None
    ) -> None:
        answer(429, "", **{"retry-after": header})
        with pytest.raises(TransportError) as error:
            Slack().send({"url": URL}, MESSAGE)
        assert error.value.retry_after == seconds
        assert not error.value.permanent
