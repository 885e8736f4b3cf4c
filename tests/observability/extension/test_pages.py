"""The page that says how to install the extension, and whether it works."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from observability.extension.models import Layer
from observability.inventory.models import Resource
from observability.tenants import keys
from observability.tenants.models import IngestKey, Organization, User

URL = "/o/acme/extension/"
ARN = "arn:aws:lambda:eu-west-1:905418337712:layer:nightjar-extension-arm64:4"


@pytest.fixture
def signed_in(alice: User) -> Client:
    client = Client()
    client.force_login(alice)
    return client


@pytest.fixture
def published(acme: Organization) -> Layer:
    return Layer.objects.create(
        region="eu-west-1", architecture="arm64", arn=ARN, readers=["*"], published_at=timezone.now()
    )


def shown(answer: Any) -> str:
    content: bytes = answer.content
    return content.decode().replace("&quot;", '"').replace("&#x27;", "'")


class TestTheTexts:
    def test_are_filled_in_for_the_function(
        self, signed_in: Client, checkout: Resource, published: Layer, settings: Settings
    ) -> None:
        settings.PUBLIC_URL = "https://nightjar.example.com"
        page = shown(signed_in.get(URL, {"function": checkout.pk}))
        assert f'Layers: [Layers[?!contains(Arn, `":layer:nightjar-extension-"`)].Arn || `[]`, [`"{ARN}"`]][]' in page
        assert "--region eu-west-1 --function-name checkout " in page
        assert '"NIGHTJAR_ENDPOINT": "https://nightjar.example.com"' in page
        assert "Functions in AWS may not reach this Nightjar" not in page
        assert "publish it there yourself" not in page

    def test_name_a_region_and_an_architecture_without_one(self, signed_in: Client, published: Layer) -> None:
        page = shown(signed_in.get(URL, {"region": "eu-west-1", "architecture": "arm64"}))
        assert ARN in page
        assert "--function-name my-function " in page

    def test_are_whole_whatever_the_query_says(self, signed_in: Client) -> None:
        page = shown(signed_in.get(URL, {"region": "mars-1", "architecture": "`reboot`", "way": "'", "since": "x"}))
        assert "arn:aws:lambda:us-east-1:123456789012:layer:nightjar-extension-x86_64:1" in page
        assert "`reboot`" not in page
        assert 'id="cli" open' in page

    def test_say_how_to_publish_a_layer_that_nobody_published(
        self, signed_in: Client, checkout: Resource, built: Path
    ) -> None:
        page = shown(signed_in.get(URL, {"function": checkout.pk}))
        assert "aws lambda publish-layer-version --region eu-west-1 --layer-name nightjar-extension-arm64 " in page
        assert "arn:aws:lambda:eu-west-1:123456789012:layer:nightjar-extension-arm64:1" in page
        assert "/o/acme/extension/layers/arm64/" in page

    def test_do_not_name_a_layer_that_the_account_may_not_use(
        self, signed_in: Client, checkout: Resource, published: Layer
    ) -> None:
        Layer.objects.update(readers=["720155190031"])
        page = shown(signed_in.get(URL, {"function": checkout.pk}))
        assert ARN not in page
        assert "and account 123456789012, so publish it there yourself" in page

    def test_open_the_way_of_an_image(self, signed_in: Client, checkout: Resource) -> None:
        Resource.objects.update(config={"package_type": "Image", "architecture": "arm64"})
        page = shown(signed_in.get(URL, {"function": checkout.pk}))
        assert 'id="image" open' in page
        assert "publish it there yourself" not in page

    def test_hold_no_name_that_a_shell_could_take_for_a_command(self, signed_in: Client, checkout: Resource) -> None:
        Resource.objects.update(name="$(reboot)")
        page = shown(signed_in.get(URL, {"function": checkout.pk}))
        assert "--function-name my-function " in page

    def test_come_with_a_warning_where_functions_cannot_reach_us(self, signed_in: Client, settings: Settings) -> None:
        settings.PUBLIC_URL = "http://localhost:8000"
        assert "Functions in AWS may not reach this Nightjar" in shown(signed_in.get(URL))


@pytest.mark.parametrize("wanted", ["0", "x", "9" * 30, "-1"])
def test_a_function_that_is_not_there_is_not_found(signed_in: Client, wanted: str) -> None:
    assert signed_in.get(URL, {"function": wanted}).status_code == 404
    assert signed_in.get(URL + "working/", {"function": wanted}).status_code == 404


def test_functions_of_others_are_not_found(charlie: User, rival: Organization, checkout: Resource) -> None:
    client = Client()
    client.force_login(charlie)
    assert client.get("/o/rival/extension/", {"function": checkout.pk}).status_code == 404
    assert client.get("/o/rival/extension/working/", {"function": checkout.pk}).status_code == 404
    assert client.post(f"/o/rival/extension/?function={checkout.pk}").status_code == 404
    assert b"checkout" not in client.get("/o/rival/extension/").content


class TestTheKey:
    def test_is_shown_once_in_every_text_and_works(self, signed_in: Client, checkout: Resource) -> None:
        answer = signed_in.post(f"{URL}?function={checkout.pk}")
        assert answer.status_code == 201
        key = IngestKey.objects.get()
        assert key.name == "Extension of checkout"
        token = answer.context["token"]
        assert keys.verify(token, now=timezone.now()) == keys.VerifiedKey(key.pk, key.key_id, key.organization_id)
        assert shown(answer).count(token) > 10
        assert "no-store" in answer.headers["Cache-Control"]
        assert token not in shown(signed_in.get(URL))

    def test_is_not_offered_to_those_who_may_not_have_one(self, bob: User) -> None:
        client = Client()
        client.force_login(bob)
        assert "Create a key" not in shown(client.get(URL))
        assert client.post(URL).status_code == 403
        assert not IngestKey.objects.exists()


class TestIsItWorking:
    def asked(self, client: Client, **query: str | int) -> str:
        return shown(client.get(URL + "working/", query))

    def test_it_asks_again_until_the_function_has_sent_something(self, signed_in: Client, checkout: Resource) -> None:
        page = self.asked(signed_in, function=checkout.pk)
        assert f'hx-get="/o/acme/extension/working/?function={checkout.pk}&amp;since=' in page
        assert "Invoke checkout once" in page
        Resource.objects.update(pushed_at=timezone.now())
        page = self.asked(signed_in, function=checkout.pk)
        assert "hx-get" not in page
        assert "sent something" in page

    def test_what_was_sent_long_ago_is_told_and_proves_nothing(self, signed_in: Client, checkout: Resource) -> None:
        Resource.objects.update(pushed_at=timezone.now() - timedelta(days=2))
        page = self.asked(signed_in, function=checkout.pk)
        assert "hx-get" in page
        assert "It sent something" in page

    def test_any_function_counts_that_sent_since_the_page_was_opened(
        self, signed_in: Client, checkout: Resource
    ) -> None:
        opened = timezone.now()
        Resource.objects.update(pushed_at=opened - timedelta(seconds=1))
        assert "hx-get" in self.asked(signed_in, since=opened.isoformat())
        Resource.objects.update(pushed_at=opened + timedelta(seconds=1))
        page = self.asked(signed_in, since=opened.isoformat())
        assert "hx-get" not in page
        assert ">checkout</a>" in page

    def test_the_moment_survives_being_asked_again(self, signed_in: Client, checkout: Resource) -> None:
        opened = timezone.now() - timedelta(hours=1)
        page = self.asked(signed_in, since=opened.isoformat())
        assert opened.isoformat().replace(":", "%3A").replace("+", "%2B") in page
        assert 'hx-trigger="every 15s"' in page

    @pytest.mark.parametrize(
        "since", ["", "yesterday", "2026-13-45T00:00:00Z", "2026-01-01T00:00:00", "9999-12-31T23:59:59Z"]
    )
    def test_a_moment_that_is_none_is_now(self, signed_in: Client, checkout: Resource, since: str) -> None:
        Resource.objects.update(pushed_at=timezone.now() - timedelta(minutes=1))
        assert "hx-get" in self.asked(signed_in, since=since)


def test_the_layer_can_be_downloaded_where_it_was_built(signed_in: Client, built: Path) -> None:
    answer = signed_in.get(URL + "layers/arm64/")
    assert answer.content == (built / "nightjar-extension-arm64.zip").read_bytes()
    assert answer.headers["Content-Disposition"] == 'attachment; filename="nightjar-extension-arm64.zip"'


def test_there_is_nothing_to_download_elsewhere(signed_in: Client, built: Path) -> None:
    (built / "nightjar-extension-arm64.zip").unlink()
    assert signed_in.get(URL + "layers/arm64/").status_code == 204
    assert signed_in.get(URL + "layers/sparc/").status_code == 204


def test_the_function_page_leads_here_until_its_extension_was_heard(signed_in: Client, checkout: Resource) -> None:
    function = f"/o/acme/functions/{checkout.pk}/"
    assert f'href="/o/acme/extension/?function={checkout.pk}">' in shown(signed_in.get(function))
    assert "Install the extension" in shown(signed_in.get(function))
    Resource.objects.update(pushed_at=timezone.now())
    assert "Install the extension" not in shown(signed_in.get(function))
    assert "extension heard" in shown(signed_in.get(function))


def test_keys_and_the_empty_overview_lead_here(signed_in: Client) -> None:
    assert f'href="{URL}"' in shown(signed_in.get("/o/acme/settings/keys/"))
    assert f'href="{URL}"' in shown(signed_in.get("/o/acme/"))
