import smtplib
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from html.parser import HTMLParser
from typing import Any
from unittest.mock import patch

import pytest
from django.core.mail.backends.locmem import EmailBackend

from alerts.message import Message
from alerts.transport import TransportError
from alerts.transports.email import Email, plain, rich, subject
from tests.alerts.messages import HOSTILE_MESSAGE, MESSAGE, MESSAGES, RESOLVED

TO = {"to": ["maja@example.com", "tom@example.com"]}


class Tags(HTMLParser):
    """What a reader's program would act on."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"href", "src"}]
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.text += data


class TestDress:
    def test_the_text_looks_like_this(self, told: tuple[str, Message], golden: Callable[[str, str], None]) -> None:
        name, message = told
        golden(f"email-{name}.txt", f"Subject: {subject(message)}\n\n{plain(message)}")

    def test_the_html_looks_like_this(self, golden: Callable[[str, str], None]) -> None:
        golden("email-opened.html", rich(MESSAGE) + "\n")

    @pytest.mark.parametrize("message", MESSAGES.values())
    def test_it_loads_nothing_and_is_not_clipped(self, message: Message) -> None:
        html = rich(message)
        assert not {"img", "link", "script"} & set(Tags(html).tags)
        assert "@import" not in html
        assert len(html) < 60_000

    def test_it_adapts_to_the_dark(self) -> None:
        assert 'name="color-scheme" content="light dark"' in rich(MESSAGE)

    def test_hostile_text_stays_text(self) -> None:
        found = Tags(rich(HOSTILE_MESSAGE))
        assert "script" not in found.tags
        assert all(link.startswith("https://nightjar.example/") for link in found.links)
        assert "<script>alert(1)</script> {{7*7}} {% include 'x' %}" in found.text
        assert not set("\x1b\x00\u202e\u2066") & set(found.text + plain(HOSTILE_MESSAGE))

    def test_no_character_breaks_it(self) -> None:
        every = "".join(map(chr, range(0x11000)))
        for start in range(0, len(every), 250):
            assert "</html>" in rich(
                replace(MESSAGE, title=every[start : start + 250], actor=every[start : start + 250])
            )


class TestSend:
    def test_each_recipient_gets_a_letter(self, mailoutbox: list[Any]) -> None:
        receipt = Email().send(TO, MESSAGE)
        assert receipt.detail == "Handed over to 2 of 2 recipients."
        assert [letter.to for letter in mailoutbox] == [["maja@example.com"], ["tom@example.com"]]

    def test_a_second_try_has_the_same_id_and_others_have_not(self, mailoutbox: list[Any]) -> None:
        Email().send(TO, MESSAGE)
        Email().send(TO, MESSAGE)
        ids = [letter.extra_headers["Message-ID"] for letter in mailoutbox]
        assert ids[:2] == ids[2:]
        assert len(set(ids)) == 2

    def test_letters_about_one_incident_form_a_thread(self, mailoutbox: list[Any]) -> None:
        Email().send(TO, MESSAGE)
        Email().send(TO, RESOLVED)
        assert len({letter.extra_headers["References"] for letter in mailoutbox}) == 1

    def test_hostile_text_adds_no_header(self, mailoutbox: list[Any]) -> None:
        Email().send(TO, HOSTILE_MESSAGE)
        letter = message_from_bytes(mailoutbox[0].message().as_bytes(), policy=policy.default)
        assert letter["Bcc"] is None
        assert len(letter.get_all("Subject", [])) == 1
        assert letter["To"] == "maja@example.com"

    @pytest.mark.parametrize(
        ("failure", "permanent"),
        [
            (smtplib.SMTPRecipientsRefused({"x": (550, b"SECRET")}), True),
            (smtplib.SMTPRecipientsRefused({"x": (450, b"SECRET")}), False),
            (smtplib.SMTPServerDisconnected("SECRET"), False),
            (smtplib.SMTPDataError(554, b"SECRET"), False),
            (ConnectionRefusedError("SECRET"), False),
        ],
    )
    def test_failures_are_told_without_the_servers_words(self, failure: Exception, permanent: bool) -> None:
        with (
            patch.object(EmailBackend, "send_messages", side_effect=failure),
            pytest.raises(TransportError) as error,
        ):
            Email().send(TO, MESSAGE)
        assert error.value.permanent is permanent
        assert "SECRET" not in str(error.value)

    def test_one_refused_recipient_does_not_stop_the_others(self, mailoutbox: list[Any]) -> None:
        outcomes = [smtplib.SMTPRecipientsRefused({"maja@example.com": (550, b"no")}), 1]
        with patch.object(EmailBackend, "send_messages", side_effect=outcomes):
            assert Email().send(TO, MESSAGE).detail == "Handed over to 1 of 2 recipients; 1 refused."

    def test_who_has_the_letter_does_not_get_it_again(self, mailoutbox: list[Any]) -> None:
        refusal = smtplib.SMTPRecipientsRefused({"tom@example.com": (450, b"greylisted")})
        with (
            patch.object(EmailBackend, "send_messages", side_effect=[1, refusal]),
            pytest.raises(TransportError) as error,
        ):
            Email().send(TO, MESSAGE)
        receipt = Email().send(TO, replace(MESSAGE, reached=error.value.reached))
        assert [letter.to for letter in mailoutbox] == [["tom@example.com"]]
        assert receipt.detail == "Handed over to 2 of 2 recipients."

    def test_a_slow_server_gets_the_rest_with_the_next_try(self, mailoutbox: list[Any]) -> None:
        with patch("alerts.transports.email.time.monotonic", side_effect=[0, 1, 16]):
            with pytest.raises(TransportError, match="too slow") as error:
                Email().send(TO, MESSAGE)
            assert not error.value.permanent
        Email().send(TO, replace(MESSAGE, reached=error.value.reached))
        assert [letter.to for letter in mailoutbox] == [["maja@example.com"], ["tom@example.com"]]


class TestClean:
    def test_lines_become_addresses(self) -> None:
        assert Email().clean({"to": "a@example.com\n\n b@example.com \r\na@example.com"}) == {
            "to": ["a@example.com", "b@example.com"]
        }

    @pytest.mark.parametrize("config", [{"to": " \n"}, {"to": "", "owners": True}, {}])
    def test_nobody_means_the_owners(self, config: dict[str, Any]) -> None:
        assert Email().clean(config) == {"owners": True}

    @pytest.mark.parametrize(
        "to",
        [
            "nobody",
            "a@example.com, b@example.com",
            "a@example.com\nx\ty@z",
            "Maja <a@b.example>",
            "\n".join(f"p{n}@b.example" for n in range(21)),
        ],
    )
    def test_others_are_refused(self, to: str) -> None:
        with pytest.raises(ValueError, match="address"):
            Email().clean({"to": to})
