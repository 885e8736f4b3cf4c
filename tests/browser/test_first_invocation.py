"""From nothing to the first invocation of a connected account: the real processes, a real browser, a simulated AWS."""

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from psycopg.rows import dict_row

from demo.aws.estate import build
from demo.aws.live import Life
from demo.aws.server import PRINCIPAL, SimulatedAws, environment
from demo.catalogue import SHOP
from observability.aws.models import AwsAccount
from observability.aws.role import of_connection
from tests.flow.product import Product, eventually

pytestmark = pytest.mark.services
PATIENCE_S = 120.0


@pytest.fixture
def product(tmp_path: Path, simulated_aws: SimulatedAws) -> Iterator[Product]:
    """Everything that `make up` starts, with nobody in it yet."""
    variables = environment(simulated_aws.url) | {"AWS_PRINCIPAL": PRINCIPAL}
    product = Product(tmp_path, mail_port=9, variables=variables)
    try:
        product.start()
        yield product
    finally:
        product.stop()


def connection(product: Product) -> AwsAccount:
    """What the second step shows to whoever creates the role."""
    url = product.environment["DATABASE_URL"]
    with psycopg.connect(url, row_factory=dict_row) as database:
        row = database.execute("SELECT * FROM aws_awsaccount").fetchone()
    assert row is not None
    return AwsAccount(**row)


def create_role(product: Product, aws: SimulatedAws) -> None:
    role = of_connection(connection(product), principal=PRINCIPAL)
    iam = aws.account(SHOP).client("iam", "us-east-1")
    iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=role.trust())
    for name, text in role.policies().items():
        iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=text)


def test_a_stranger_connects_an_account_and_sees_an_invocation(
    page: Page, product: Product, simulated_aws: SimulatedAws
) -> None:
    build(simulated_aws)
    now = timezone.now()
    life = Life(simulated_aws, anchor=now, told_until=now, now=now)
    life.go_on(now)
    page.goto(product.url)
    page.get_by_label("Organization").fill("Shop")
    page.get_by_label("Your e-mail").fill("me@example.com")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Create owner and organization").click()
    began = time.monotonic()
    page.get_by_role("link", name="AWS accounts").click()
    page.get_by_role("link", name="Connect an account").first.click()
    page.get_by_label("Name", exact=True).fill("production")
    page.get_by_label("AWS account ID").fill(SHOP)
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("link", name="Watch the check").click()
    create_role(product, simulated_aws)
    created = time.monotonic()
    expect(page.get_by_text("Connected safely")).to_be_visible()
    waited = time.monotonic() - created
    page.get_by_role("link", name="Continue").click()

    def arrived() -> bool:
        life.go_on(timezone.now())
        page.wait_for_timeout(500)
        return page.locator("#account-progress").get_by_text("arrived").is_visible()

    eventually("the first invocation", arrived, PATIENCE_S)
    page.get_by_role("link", name="the functions").click()
    page.get_by_role("link", name="shop-orders-api").first.click()
    page.get_by_role("link", name="Invocations", exact=True).click()

    def shown() -> bool:
        life.go_on(timezone.now())
        page.reload()
        return page.locator("table tbody tr").first.is_visible()

    eventually("an invocation of this very function", shown, PATIENCE_S)
    print(f"{time.monotonic() - began:.1f} s in all, {waited:.1f} s of it for the role")  # noqa: T201  # For people.
