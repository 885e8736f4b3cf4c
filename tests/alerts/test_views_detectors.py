"""The thresholds of detectors, as people turn them."""

import pytest
from django.test import Client

from alerts.models import Tuning
from observability.tenants.models import User

URL = "/o/acme/detectors/"


@pytest.fixture
def alices(client: Client, alice: User) -> Client:
    client.force_login(alice)
    return client


class TestDetectors:
    def test_are_listed_with_their_thresholds(self, alices: Client) -> None:
        html = alices.get(URL).content.decode()
        for told in ("Oversized deployments", "Runaway spending", "Anomalies", "A warning from: 90 % of a limit"):
            assert told in html
        assert "Timeouts" not in html

    def test_can_be_turned_and_turned_back(self, alices: Client) -> None:
        answer = alices.post(
            f"{URL}oversized_deployment/", {"enabled": "on", "info": "70", "warning": "90"}, follow=True
        )
        assert "is saved" in answer.content.decode()
        assert Tuning.objects.get().values == {"info": 70}
        assert 'value="70' in alices.get(f"{URL}oversized_deployment/").content.decode()
        alices.post(f"{URL}oversized_deployment/", {"reset": "1"})
        assert Tuning.objects.get().values == {}

    def test_can_be_switched_off(self, alices: Client) -> None:
        alices.post(f"{URL}oversized_deployment/", {"info": ""})
        assert not Tuning.objects.get().enabled
        assert ">Off</span>" in alices.get(URL).content.decode()

    def test_refuse_impossible_numbers(self, alices: Client) -> None:
        answer = alices.post(f"{URL}oversized_deployment/", {"enabled": "on", "info": "-1"})
        assert answer.status_code == 422
        assert not Tuning.objects.exists()

    def test_are_for_admins_to_turn(self, client: Client, bob: User) -> None:
        client.force_login(bob)
        assert "Admins can change detectors." in client.get(f"{URL}oversized_deployment/").content.decode()
        assert client.post(f"{URL}oversized_deployment/", {"info": "1"}).status_code == 403

    @pytest.mark.parametrize("kind", ["timeouts", "nonsense"])
    def test_without_thresholds_have_no_page(self, alices: Client, kind: str) -> None:
        assert alices.get(f"{URL}{kind}/").status_code == 404
