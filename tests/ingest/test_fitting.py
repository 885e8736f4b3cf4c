"""The question that CI asks: would this package fit?"""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from observability.inventory.models import Layer, Package, Resource
from observability.tenants import keys
from observability.tenants.models import Organization
from tests.packages import LAYER, MIB, carry, layer, package

URL = "/ingest/v1/packages/check"
GIB = 1 << 30
STRANGE = "arn:aws:lambda:eu-west-1:464622532012:layer:Datadog-Extension:65"


class Asker:
    def __init__(self, client: Client, token: str) -> None:
        self.client, self.token = client, token

    def post(self, body: bytes, **headers: str) -> Any:
        told = {"Authorization": f"Bearer {self.token}", **headers}
        return self.client.post(URL, body, content_type="application/json", headers=told)

    def ask(self, **fields: Any) -> dict[str, Any]:
        response = self.post(json.dumps(fields).encode())
        assert response.status_code == 200, response.content
        answer: dict[str, Any] = response.json()
        return answer

    def refused(self, **fields: Any) -> tuple[int, str, str]:
        response = self.post(json.dumps(fields).encode())
        assert response["Content-Type"] == "application/problem+json"
        problem = response.json()
        return response.status_code, problem["code"], problem["detail"]


@pytest.fixture
def asker(client: Client, acme: Organization) -> Asker:
    keys.forget()
    return Asker(client, keys.issue(organization=acme, name="ci", created_by=None, now=timezone.now())[1])


class TestCode:
    def test_fits(self, asker: Asker) -> None:
        answer = asker.ask(unzipped_bytes=200 * MIB, zipped_bytes=40 * MIB)
        assert answer["fits"] is True
        assert answer["summary"] == "It fits: 200 MB of 250 MB, 80.0 %."
        assert (answer["used"], answer["allowed"], answer["share"]) == (200 * MIB, 262_144_000, 0.8)
        assert {limit["key"] for limit in answer["limits"]} == {"unzipped", "layers", "direct_upload"}

    @pytest.mark.parametrize(
        ("number", "fits", "told"),
        [
            (262_144_000, True, "It fits: 250 MB of 250 MB, 100.0 %."),
            (262_143_999, True, "It fits: 250 MB of 250 MB, 99.9 %."),
            (262_144_001, False, "It does not fit: 250 MB of 250 MB, 100.1 %. That is 1 B too much."),
            (300 * MIB, False, "It does not fit: 300 MB of 250 MB, 120.0 %. That is 50 MB too much."),
        ],
    )
    def test_is_judged_to_the_byte(self, asker: Asker, number: int, fits: bool, told: str) -> None:
        answer = asker.ask(unzipped_bytes=number)
        assert (answer["fits"], answer["summary"]) == (fits, told)

    def test_of_a_large_zip_needs_another_way(self, asker: Asker) -> None:
        answer = asker.ask(unzipped_bytes=200 * MIB, zipped_bytes=60 * MIB)
        assert answer["fits"] is True
        assert answer["notes"] == ["Zip, uploaded directly: A larger zip can only be deployed from an S3 bucket."]

    def test_tells_its_largest_folders(self, asker: Asker) -> None:
        folders = [{"path": "/var/task/a", "bytes": 1}, {"path": "/var/task/b", "bytes": 2}]
        assert asker.ask(unzipped_bytes=3, folders=folders)["largest"] == folders[::-1]


class TestLayers:
    def test_count_with_what_is_known_of_them(self, asker: Asker, checkout: Resource) -> None:
        layer(checkout, "numpy", 3, unzipped_bytes=60 * MIB)
        answer = asker.ask(unzipped_bytes=200 * MIB, layers=[f"{LAYER}numpy:3"])
        assert answer["fits"] is False
        assert (answer["code_bytes"], answer["layers_bytes"]) == (200 * MIB, 60 * MIB)
        assert answer["layers"] == [{"arn": f"{LAYER}numpy:3", "bytes": 60 * MIB, "source": "measured", "why": ""}]

    def test_are_those_of_the_function_unless_named(self, asker: Asker, checkout: Resource) -> None:
        carry(checkout, "numpy:3")
        layer(checkout, "numpy", 3, unzipped_bytes=60 * MIB)
        assert asker.ask(unzipped_bytes=200 * MIB, function="checkout")["fits"] is False
        assert asker.ask(unzipped_bytes=200 * MIB, function=f"{checkout.arn}:prod")["fits"] is False
        assert asker.ask(unzipped_bytes=200 * MIB, function="checkout", layers=[])["fits"] is True

    def test_that_nobody_knows_leave_it_open(self, asker: Asker) -> None:
        answer = asker.ask(unzipped_bytes=200 * MIB, layers=[STRANGE])
        assert answer["fits"] is None
        assert answer["summary"] == (
            "Nobody can tell: 200 MB of 250 MB, 80.0 % without a layer of unknown size, 50 MB are left."
        )
        assert "layer_bytes" in answer["layers"][0]["why"]
        assert asker.ask(unzipped_bytes=260 * MIB, layers=[STRANGE])["fits"] is False  # Whatever the layer takes.

    def test_may_be_told(self, asker: Asker) -> None:
        answer = asker.ask(unzipped_bytes=200 * MIB, layers=[STRANGE], layer_bytes={STRANGE: 40 * MIB})
        assert (answer["fits"], answer["layers"][0]["source"]) == (True, "given")

    def test_may_be_told_besides_those_of_the_function(self, asker: Asker, checkout: Resource) -> None:
        carry(checkout, "numpy:3", "tools:1")
        layer(checkout, "numpy", 3, unzipped_bytes=60 * MIB)
        told = {f"{LAYER}tools:1": 1 * MIB}
        answer = asker.ask(unzipped_bytes=200 * MIB, function="checkout", layer_bytes=told)
        assert (answer["fits"], answer["layers_bytes"]) == (False, 61 * MIB)
        package(checkout, source="extension", layers_bytes=70 * MIB)
        answer = asker.ask(unzipped_bytes=100 * MIB, function="checkout", layer_bytes={STRANGE: 5 * MIB})
        assert answer["layers_bytes"] == 75 * MIB
        answer = asker.ask(unzipped_bytes=1, function="brand-new", layer_bytes=told)
        assert (answer["layers_bytes"], len(answer["notes"])) == (1 * MIB, 1)

    def test_of_a_function_that_aws_never_listed(self, asker: Asker, checkout: Resource) -> None:
        """Only its extension knows it, and measures all layers as one."""
        answer = asker.ask(unzipped_bytes=200 * MIB, function="checkout")
        assert answer["fits"] is None
        assert "which layers it has" in answer["layers"][0]["why"]
        package(checkout, source="extension", layers_bytes=60 * MIB)
        answer = asker.ask(unzipped_bytes=200 * MIB, function="checkout")
        assert (answer["fits"], answer["layers_bytes"], answer["layers"][0]["source"]) == (False, 60 * MIB, "together")
        assert asker.ask(unzipped_bytes=200 * MIB, function="checkout", layers=[])["fits"] is True

    @pytest.mark.parametrize(
        ("named", "why"),
        [
            ("numpy", "It is not the ARN of a version of a layer."),
            (f"{LAYER}numpy", "It is not the ARN of a version of a layer."),
            (f"{LAYER}numpy:1", "Its zip could not be read (truncated)."),
            (f"{LAYER}numpy:2", "Its size is not known."),
        ],
    )
    def test_say_why_they_are_not_known(self, asker: Asker, checkout: Resource, named: str, why: str) -> None:
        layer(checkout, "numpy", 1, problem="truncated")
        layer(checkout, "numpy", 2, unzipped_bytes=None)
        assert asker.ask(unzipped_bytes=1, layers=[named])["layers"][0]["why"] == why

    def test_of_others_are_not_known_here(self, asker: Asker, rival: Organization, checkout: Resource) -> None:
        layer(checkout, "numpy", 3)
        Layer.objects.update(organization=rival)
        assert asker.ask(unzipped_bytes=1, layers=[f"{LAYER}numpy:3"])["fits"] is None

    def test_are_at_most_five(self, asker: Asker) -> None:
        named = {f"{LAYER}l{number}:1": 1 for number in range(6)}
        answer = asker.ask(unzipped_bytes=1, layers=list(named), layer_bytes=named)
        assert answer["fits"] is False
        assert answer["summary"] == "It does not fit: layers 6 of 5."

    def test_that_the_extension_measured_count_together(self, asker: Asker, checkout: Resource) -> None:
        carry(checkout, "numpy:3", "tools:1")
        deployed = package(checkout, source="extension", layers_bytes=70 * MIB)
        answer = asker.ask(unzipped_bytes=200 * MIB, function="checkout")
        assert (answer["fits"], answer["layers_bytes"]) == (False, 70 * MIB)
        assert [each["source"] for each in answer["layers"]] == ["together", "together"]
        Package.objects.filter(pk=deployed.pk).update(complete=False)
        assert asker.ask(unzipped_bytes=200 * MIB, function="checkout")["fits"] is None


class TestGrowth:
    def test_is_told_against_what_is_deployed(self, asker: Asker, checkout: Resource) -> None:
        package(
            checkout, code_bytes=100 * MIB, version="41",
            folders=[{"path": "/var/task/a", "bytes": 60}, {"path": "/opt/x", "bytes": 5}],
            dependencies=[{"name": "six", "bytes": 10}],
        )  # fmt: skip
        grown = asker.ask(
            function="checkout", unzipped_bytes=112 * MIB, folders=[{"path": "/var/task/a", "bytes": 72}]
        )["grown"]
        assert (grown["version"], grown["delta"]) == ("41", 12 * MIB)
        assert grown["folders"] == [{"name": "/var/task/a", "before": 60, "after": 72, "delta": 12}]
        assert grown["dependencies"] == []

    def test_is_not_told_of_what_nobody_measured(self, asker: Asker, checkout: Resource) -> None:
        assert asker.ask(function="checkout", unzipped_bytes=1)["grown"] is None
        package(checkout, code_bytes=None)
        assert asker.ask(function="checkout", unzipped_bytes=1)["grown"] is None


class TestFunction:
    def test_that_is_new_is_said_to_be(self, asker: Asker) -> None:
        answer = asker.ask(function="brand-new", unzipped_bytes=1)
        assert answer["fits"] is True
        assert "taken for a new one" in answer["notes"][0]
        assert "Name them" in answer["notes"][1]

    def test_of_others_is_not_known(self, asker: Asker, rival: Organization, checkout: Resource) -> None:
        Resource.objects.update(organization=rival)
        assert "not known here" in asker.ask(function="checkout", unzipped_bytes=1)["notes"][0]

    def test_must_be_one(self, asker: Asker, checkout: Resource) -> None:
        now = timezone.now()
        Resource.objects.create(
            organization=checkout.organization, arn=checkout.arn.replace("eu-west-1", "us-east-1"), name="checkout",
            region="us-east-1", account="123456789012", first_seen_at=now, last_seen_at=now,
        )  # fmt: skip
        status, code, detail = asker.refused(function="checkout", unzipped_bytes=1)
        assert (status, code) == (422, "ambiguous_function")
        assert "ARN" in detail
        asker.ask(function=checkout.arn, unzipped_bytes=1)


class TestImages:
    def test_have_a_limit_of_their_own(self, asker: Asker, checkout: Resource) -> None:
        package(checkout, age=timedelta(days=1), source="image", image_bytes=GIB, code_bytes=None, version="3")
        answer = asker.ask(function="checkout", package_type="Image", image_bytes=5 * GIB)
        assert (answer["fits"], answer["summary"]) == (True, "It fits: 5 GB of 10 GB, 50.0 %.")
        assert answer["grown"]["delta"] == 4 * GIB
        assert asker.ask(package_type="Image", image_bytes=11 * GIB)["fits"] is False


class TestRefusals:
    @pytest.mark.parametrize(
        "fields",
        [{}, {"unzipped_bytes": -1}, {"unzipped_bytes": "1"}, {"package_type": "Image", "unzipped_bytes": 1},
         {"package_type": "Tar", "unzipped_bytes": 1}, {"unzipped_bytes": 1, "layers": ["x"] * 51},
         {"unzipped_bytes": 1 << 60}, {"unzipped_bytes": 1, "function": "x" * 600}],
    )  # fmt: skip
    def test_say_what_is_wrong(self, asker: Asker, fields: dict[str, Any]) -> None:
        status, code, detail = asker.refused(**fields)
        assert (status, code) == (422, "invalid_package")
        assert detail

    def test_are_told_for_what_is_no_json(self, asker: Asker) -> None:
        for body in (b"", b"{", b"\xff", b'{"function": "\\ud800"}'):
            response = asker.post(body)
            assert (response.status_code, response.json()["code"]) == (400, "invalid_json")

    def test_need_no_database_for_nul(self, asker: Asker) -> None:
        assert asker.post(b'{"function": "a\\u0000b", "unzipped_bytes": 1}').status_code == 200

    def test_want_a_key(self, client: Client, acme: Organization) -> None:
        response = client.post(URL, b"{}", content_type="application/json")
        assert (response.status_code, response.json()["code"]) == (401, "key_missing")
        assert client.get(URL).status_code == 405


def test_the_script_is_there_for_everybody(client: Client) -> None:
    response = client.get("/ci/nightjar_fit.py")
    assert response.status_code == 200
    assert response["Content-Type"].startswith("text/x-python")
    assert b"NIGHTJAR_ENDPOINT" in response.content
    assert client.post("/ci/nightjar_fit.py").status_code == 405
