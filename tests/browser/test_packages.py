"""The pages of packages in a browser: full and empty, in both themes at both widths."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from alerts import evaluation, incidents
from alerts.detector import FactWindow
from alerts.tuning import tunings
from alerts.watching.packages import fillings
from observability.inventory.models import Resource
from observability.telemetry.partitions import maintain
from observability.telemetry.store import get_store
from observability.tenants.models import Organization, User
from tests.browser.conftest import AssertAccessible, LoggedIn
from tests.observability.dashboards.conftest import invocation
from tests.packages import MIB, carry, grown, layer, package

pytestmark = pytest.mark.django_db(transaction=True)

GIB = 1 << 30
FOLDERS = (
    ("/var/task/node_modules/sharp", 62), ("/var/task/node_modules/@aws-sdk", 41),
    ("/var/task/node_modules/typescript", 38),
    ("/var/task/node_modules/a_package_whose_name_goes_on_and_on_and_on", 12), ("/var/task/dist/handlers", 3),
    ("/var/task", 1), ("/var/task/assets/fonts", 9),
)  # fmt: skip
DEPENDENCIES = (("sharp", "0.33.5", 62), ("@aws-sdk/client-s3", "3.600.0", 41), ("typescript", "5.9.2", 38))


def contents(scale: float = 1) -> dict[str, Any]:
    return {
        "folders": [{"path": path, "bytes": int(size * scale * MIB)} for path, size in FOLDERS],
        "dependencies": [
            {"name": name, "version": version, "ecosystem": "node", "bytes": int(size * scale * MIB)}
            for name, version, size in DEPENDENCIES
        ],
        "waste": {"development": 38 * MIB, "shipped": 41 * MIB, "maps": 6 * MIB, "tests": 900_000},
    }


@pytest.fixture
def company(checkout: Resource) -> Resource:
    """Functions of every kind: nearly full, growing, an image, one that could not be read, one that nobody knows."""
    now = timezone.now()
    maintain(now=now)

    def function(name: str, **config: Any) -> Resource:
        return Resource.objects.create(
            organization=checkout.organization, arn=f"arn:aws:lambda:eu-west-1:123456789012:function:{name}", name=name,
            region="eu-west-1", account="123456789012", config={"runtime": "nodejs22.x", **config},
            first_seen_at=now, last_seen_at=now,
        )  # fmt: skip

    layer(checkout, "numpy", 3, folders=[{"path": "/opt/python/numpy", "bytes": 40 * MIB}])
    layer(checkout, "numpy", 5)
    carry(checkout, "numpy:3", "tools:1", code_bytes=61 * MIB, environment_bytes=3600, versions=versions())
    layers = [f"{checkout.config['layers'][0]['arn']}"]
    grown(checkout, [160, 166, 166, 171], layers_bytes=40 * MIB, layers=layers, **contents(0.9))
    package(
        checkout, age=timedelta(minutes=20), code_bytes=183 * MIB, layers_bytes=40 * MIB, version="42", layers=layers,
        zipped_bytes=61 * MIB, **contents(),
    )  # fmt: skip
    records = [invocation(checkout, now - timedelta(hours=hours), 2 * hours) for hours in range(3, 72)]
    get_store().append(records, now=now)
    grown(function("pay-invoice-with-a-name-that-is-rather-long-for-a-phone", code_bytes=9 * MIB), [40, 44, 43])
    package(function("thumbnails", package_type="Image"), source="image", image_bytes=3 * GIB, code_bytes=None)
    package(function("broken", code_bytes=MIB), code_bytes=None, layers_bytes=None, problem="truncated")
    carry(function("unknown", code_bytes=70 * MIB), "tools:1", "numpy:5")
    Resource.objects.create(
        organization=checkout.organization, type="aws_account", arn="arn:aws:iam::123456789012:root", name="",
        region="", account="123456789012", first_seen_at=now, last_seen_at=now,
        config={"eu-west-1": {"code_storage_bytes": 71 * GIB, "code_storage_limit_bytes": 75 * GIB}},
    )  # fmt: skip
    return checkout


def versions() -> list[dict[str, Any]]:
    now = timezone.now()
    return [
        {
            "version": str(number),
            "code_bytes": 60 * MIB,
            "last_modified": (now - timedelta(days=42 - number)).isoformat(),
        }
        for number in range(42, 0, -1)
    ]


@pytest.mark.parametrize("view", ["functions", "layers", "storage"])
def test_every_view_is_accessible(
    company: Resource, alice: User, logged_in: LoggedIn, live_server: LiveServer, assert_accessible: AssertAccessible,
    view: str,
) -> None:  # fmt: skip
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/packages/?view={view}")
    assert_accessible(page)


@pytest.mark.parametrize("view", ["functions", "layers", "storage"])
def test_every_empty_view_is_accessible(
    acme: Organization, alice: User, logged_in: LoggedIn, live_server: LiveServer, assert_accessible: AssertAccessible,
    view: str,
) -> None:  # fmt: skip
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/packages/?view={view}")
    assert_accessible(page)


def test_a_functions_package_is_accessible(
    company: Resource, alice: User, logged_in: LoggedIn, live_server: LiveServer, assert_accessible: AssertAccessible
) -> None:
    page = logged_in(alice)
    for resource in Resource.objects.filter(type="lambda_function"):
        page.goto(f"{live_server.url}/o/acme/functions/{resource.pk}/?tab=package")
        assert_accessible(page)


def test_leads_from_the_fullest_into_its_folders_and_back(
    company: Resource, alice: User, logged_in: LoggedIn, live_server: LiveServer
) -> None:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/packages/")
    page.get_by_role("link", name="checkout", exact=True).click()
    expect(page.get_by_role("heading", name="What fills it")).to_be_visible()
    expect(page.get_by_title("numpy: 40 MB")).to_be_visible()
    page.get_by_title("sharp: 62 MB").click()
    expect(page.get_by_title("numpy: 40 MB")).not_to_be_visible()
    folder = page.get_by_role("navigation", name="Folder")
    expect(folder).to_contain_text("/var/task/node_modules")
    folder.get_by_role("link", name="Code").click()
    expect(page.get_by_title("node_modules: 153 MB")).to_be_visible()
    folder.get_by_role("link", name="Package").click()
    expect(page.get_by_title("numpy: 40 MB")).to_be_visible()


def test_finds_who_carries_a_layer(
    company: Resource, alice: User, logged_in: LoggedIn, live_server: LiveServer
) -> None:
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/packages/?view=layers")
    page.get_by_role("link", name="2 functions").click()
    expect(page.get_by_role("region", name="Functions").locator("tbody tr")).to_have_count(2)


def test_an_incident_and_its_thresholds_are_accessible(
    company: Resource, alice: User, logged_in: LoggedIn, live_server: LiveServer, assert_accessible: AssertAccessible
) -> None:
    with transaction.atomic():
        found = fillings(company.organization_id, tunings(company.organization_id), now=timezone.now())
        window = FactWindow(organization_id=company.organization_id, now=timezone.now(), packages=found)
        incidents.apply(organization_id=company.organization_id, findings=evaluation.detect(window), now=timezone.now())
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/incidents/1/")
    expect(page.get_by_role("heading", name="checkout fills 89 % of the 250 MB limit")).to_be_visible()
    assert_accessible(page)
    for place in ("detectors/", "detectors/oversized_deployment/"):
        page.goto(f"{live_server.url}/o/acme/{place}")
        assert_accessible(page)
