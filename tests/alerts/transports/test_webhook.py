import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import standardwebhooks
import time_machine

from alerts import calling
from alerts.http import Response
from alerts.message import Message
from alerts.transport import TransportError
from alerts.transports.webhook import Webhook, dress, new_secret, sign
from tests.alerts.messages import HOSTILE_MESSAGE, MESSAGE

URL = "https://receiver.example/hook"


class TestDress:
    def test_it_looks_like_this(self, told: tuple[str, Message], golden: Callable[[str, str], None]) -> None:
        name, message = told
        golden(f"webhook-{name}.json", json.dumps(dress(message), indent=1, ensure_ascii=False) + "\n")

    def test_hostile_text_is_data(self) -> None:
        data = json.loads(json.dumps(dress(HOSTILE_MESSAGE)))["data"]
        assert data["incident"]["title"].startswith("<!channel> <@U123>")
        assert not set("\x1b\x00\r\n\u202e") & set(data["incident"]["title"])


class TestSignature:
    def test_the_standard_example(self) -> None:
        """The example of the specification, so that every Standard Webhooks library agrees."""
        message = replace(
            MESSAGE, id="msg_p5jXN8AQM9LWM0D4loKWxJek", composed_at=datetime.fromtimestamp(1614265330, UTC)
        )
        headers = sign(["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"], message, '{"test": 2432232314}')
        assert headers == {
            "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "webhook-timestamp": "1614265330",
            "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        }

    def test_a_receiver_verifies_it(self) -> None:
        secret, body = new_secret(), json.dumps(dress(HOSTILE_MESSAGE), ensure_ascii=False)
        message = replace(HOSTILE_MESSAGE, composed_at=datetime.fromtimestamp(1_900_000_000, UTC))
        headers = sign([secret], message, body)
        key = base64.b64decode(secret.removeprefix("whsec_"))
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
        expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"

    def test_another_secret_does_not(self) -> None:
        now = datetime.now(UTC)  # noqa: TID251 - the library compares with the real clock
        headers = sign([new_secret()], replace(MESSAGE, composed_at=now), "{}")
        with pytest.raises(standardwebhooks.WebhookVerificationError):
            standardwebhooks.Webhook(new_secret()).verify("{}", headers)


class TestRotation:
    def verifies(self, secret: str, sent: dict[str, str]) -> bool:
        body = sent.pop("body")
        with time_machine.travel(int(sent["webhook-timestamp"]), tick=False):
            try:
                standardwebhooks.Webhook(secret).verify(body, sent)
            except standardwebhooks.WebhookVerificationError:
                return False
        return True

    @pytest.mark.parametrize(("hours", "old_verifies"), [(0, True), (23, True), (25, False)])
    def test_the_old_secret_signs_as_well_for_a_day(
        self, monkeypatch: pytest.MonkeyPatch, hours: int, old_verifies: bool
    ) -> None:
        old = Webhook().clean({"url": URL})
        new = Webhook().clean(Webhook().rotate(old, now=MESSAGE.composed_at))
        assert new["secret"] != old["secret"]
        later = replace(MESSAGE, composed_at=MESSAGE.composed_at + timedelta(hours=hours))
        assert self.verifies(new["secret"], sent_by(monkeypatch, new, later))
        assert self.verifies(old["secret"], sent_by(monkeypatch, new, later)) is old_verifies

    def test_a_double_click_replaces_it_once(self) -> None:
        now = MESSAGE.composed_at
        once = Webhook().rotate(Webhook().clean({"url": URL}), now=now)
        assert Webhook().rotate(once, now=now + timedelta(seconds=1)) == once
        assert Webhook().rotate(once, now=now + timedelta(minutes=2))["previous_secret"] == once["secret"]


def sent_by(monkeypatch: pytest.MonkeyPatch, config: dict[str, str], message: Message) -> dict[str, str]:
    sent: dict[str, str] = {}

    def post(url: str, data: bytes, given: dict[str, str]) -> Response:
        sent.update(given, body=data.decode())
        return Response(204, {}, b"")

    monkeypatch.setattr(calling, "post", post)
    Webhook().send(config, message)
    return sent


class TestClean:
    def test_a_secret_of_32_bytes_is_made(self) -> None:
        config = Webhook().clean({"url": URL, "secret": ""})
        assert config["url"] == URL
        assert len(base64.b64decode(config["secret"].removeprefix("whsec_"))) == 32

    def test_a_given_secret_is_kept(self) -> None:
        secret = new_secret()
        assert Webhook().clean({"url": URL, "secret": secret})["secret"] == secret

    @pytest.mark.parametrize(
        "secret", ["short", "whsec_", "whsec_AAAA", "whsec_!!!!", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"]
    )
    def test_others_are_refused(self, secret: str) -> None:
        with pytest.raises(ValueError, match="signing secret"):
            Webhook().clean({"url": URL, "secret": secret})

    def test_the_url_is_checked(self) -> None:
        with pytest.raises(ValueError, match="user name"):
            Webhook().clean({"url": "https://user@receiver.example/"})


class TestSend:
    def send(self, monkeypatch: pytest.MonkeyPatch, status: int, **headers: str) -> dict[str, str]:
        sent: dict[str, str] = {}

        def post(url: str, data: bytes, given: dict[str, str]) -> Response:
            sent.update(given, body=data.decode())
            return Response(status, headers, b"SECRET")

        monkeypatch.setattr(calling, "post", post)
        Webhook().send({"url": URL, "secret": new_secret()}, MESSAGE)
        return sent

    def test_it_works(self, monkeypatch: pytest.MonkeyPatch) -> None:
        sent = self.send(monkeypatch, 204)
        assert sent["webhook-id"] == MESSAGE.id
        assert json.loads(sent["body"])["type"] == "incident.opened"

    def test_gone_is_for_good(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(TransportError, match="gone") as error:
            self.send(monkeypatch, 410)
        assert error.value.permanent

    @pytest.mark.parametrize("status", [301, 302, 307, 308])
    def test_a_redirect_is_a_failure(self, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
        with pytest.raises(TransportError, match="not followed") as error:
            self.send(monkeypatch, status, location="http://169.254.169.254/")
        assert not error.value.permanent

    def test_the_answer_is_not_quoted(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(TransportError) as error:
            self.send(monkeypatch, 500)
        assert "SECRET" not in str(error.value)

    def test_a_private_address_is_for_good(self) -> None:
        with pytest.raises(TransportError, match="private or reserved") as error:
            Webhook().send({"url": "http://169.254.169.254/latest/", "secret": new_secret()}, MESSAGE)
        assert error.value.permanent
