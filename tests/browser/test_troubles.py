"""What may go wrong with an account, as its owner sees it: said plainly, the rest goes on, nothing counts as deleted.

The simulated AWS takes something away, the real collectors meet it, and the page that is open all the time tells of it.
Then it is mended, and the page is well again by itself. Only the waiting is left out: what is due in a quarter of an
hour is due now.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from alerts import pipeline as alerting
from alerts.models import Incident, State
from demo.aws.estate import Place
from demo.aws.server import PRINCIPAL, SimulatedAws
from demo.catalogue import Function
from ingest import blindness, pipeline, schedule
from ingest.collectors import BY_KIND
from ingest.log_groups import UNREAD
from ingest.models import Collection, LogGroup
from observability.aws import connecting, permissions, quotas, sessions, verification
from observability.aws.models import AwsAccount
from observability.aws.quotas import Rate
from observability.aws.role import of_connection
from observability.inventory.models import Resource
from observability.telemetry.partitions import maintain
from observability.telemetry.records import Window
from observability.telemetry.store import get_store
from observability.tenants.models import Organization, User
from tests.alerts.estate import judge
from tests.browser.conftest import LoggedIn

pytestmark = pytest.mark.django_db(transaction=True)

FRANKFURT, MILAN = "eu-central-1", "eu-south-1"  # Milan can be opted out of, Frankfurt cannot.
HOUR, QUARTER = timedelta(hours=1), timedelta(minutes=15)
KINDS = ("lambda_functions", "lambda_logs", "queues")
"""The collectors that meet the troubles: all ten of them would say the same, and take their time."""

PRODUCTION, STAGING = "720155190031", "441022190087"
ORDERS, MAILS, PROBE = (
    Function(name, "python3.13", "arm64", 256, 10, 0, 0, 0, 8, 0, region=region, account=account)
    for name, region, account in (
        ("orders", FRANKFURT, PRODUCTION), ("mails", MILAN, PRODUCTION), ("probe", FRANKFURT, STAGING),
    )
)  # fmt: skip
RUN = "START RequestId: {0} Version: $LATEST\nEND RequestId: {0}\nREPORT RequestId: {0}\tDuration: 12.00 ms\t"
REPORT = "Billed Duration: 12 ms\tMemory Size: 256 MB\tMax Memory Used: 40 MB\t"
STREAM = "2026/11/25/[$LATEST]0123456789abcdef"


@dataclass
class Estate:
    """Two accounts of Acme: what runs in them, and what the puller does about them."""

    aws: SimulatedAws
    organization: Organization
    production: AwsAccount
    staging: AwsAccount

    def __post_init__(self) -> None:
        self.runs, self.passed = count(1), timedelta()

    def run(self, function: Function) -> str:
        """One invocation, half a minute ago."""
        request_id = f"00000000-0000-4000-8000-{next(self.runs):012}"
        at = int((timezone.now() - timedelta(seconds=30)).timestamp() * 1000)
        lines = (RUN.format(request_id) + REPORT).split("\n")
        events = [{"timestamp": at + place, "message": line} for place, line in enumerate(lines)]
        logs = self.aws.account(function.account).client("logs", function.region)
        logs.put_log_events(logGroupName=function.logs_to, logStreamName=STREAM, logEvents=events)
        return request_id

    def is_stored(self, request_id: str) -> bool:
        now = timezone.now()
        found = get_store().invocations(self.organization.pk, Window(now - HOUR, now), request_id=request_id)
        return len(found) == 1

    def pull(self, *kinds: str) -> datetime:
        """A run of collectors everywhere, then the look at connections that one of them asked for; since when."""
        began = timezone.now()
        Collection.objects.filter(kind__in=kinds or KINDS).update(due_at=began)
        LogGroup.objects.exclude(trouble__in=UNREAD).update(due_at=began)
        schedule.plan(now=began)
        while claimed := schedule.claim(now=timezone.now(), at_once=100):
            for pk in claimed:
                pipeline.collect(collection_id=pk, clock=timezone.now)
            Collection.objects.update(due_at=timezone.now() + QUARTER)
        self.look()
        return began

    def look(self, within: timedelta = timedelta()) -> None:
        """The looks at connections that are due, or will be so soon."""
        AwsAccount.objects.filter(check_at__lte=timezone.now() + within).update(check_at=timezone.now())
        for pk in verification.established(now=timezone.now()).values_list("pk", flat=True):
            account = verification.claim(account_pk=pk, now=timezone.now())
            if account and verification.verify(account=account, now=timezone.now()):
                permissions.probe(account=account, now=timezone.now())
        for account in AwsAccount.objects.all():
            blindness.notice(account=account, now=timezone.now() + self.passed)
        judge(self.organization, timezone.now() + self.passed)

    def pass_an_hour(self) -> None:
        """The last look was a while ago, and the next one is tomorrow's, unless a collector asks for it."""
        now, self.passed = timezone.now(), self.passed + HOUR
        AwsAccount.objects.update(checked_at=now - HOUR, check_at=now + 23 * HOUR)

    def goes_on(self, *functions: Function) -> bool:
        """Whether a run of each of these is stored with the next pull."""
        said = [self.run(function) for function in functions]
        self.pull()
        return all(self.is_stored(request_id) for request_id in said)

    def fresh(self, began: datetime, account: AwsAccount, region: str) -> set[str]:
        """The collectors that have worked there since."""
        rows = Collection.objects.filter(account=account, region=region, failures=0, succeeded_at__gte=began)
        return set(rows.values_list("kind", flat=True))

    def nothing_is_gone(self) -> bool:
        listed = Resource.objects.filter(organization=self.organization, type="lambda_function")
        return listed.count() == 3 and not Resource.objects.exclude(gone_at=None).exists()


def connect(aws: SimulatedAws, organization: Organization, name: str, *functions: Function) -> AwsAccount:
    """An account in which these functions run, connected by the role that the wizard asks for."""
    account_id = functions[0].account
    runs_as = Place(aws, account_id, FRANKFURT, "").make_role()
    for function in functions:
        Place(aws, account_id, function.region, runs_as).settle([function])
        logs = aws.account(account_id).client("logs", function.region)
        logs.create_log_stream(logGroupName=function.logs_to, logStreamName=STREAM)
    account = connecting.start(
        organization=organization, actor=None, name=name, account_id=account_id, tiers=["base"], selection={},
        regions=[function.region for function in functions], now=timezone.now(),
    )  # fmt: skip
    create_role(aws, account)
    assert verification.verify(account=account, now=timezone.now())
    permissions.probe(account=account, now=timezone.now())
    return account


def create_role(aws: SimulatedAws, account: AwsAccount) -> None:
    role = of_connection(account, principal=PRINCIPAL)
    iam = aws.account(account.account_id).client("iam", "us-east-1")
    iam.create_role(RoleName=role.name, AssumeRolePolicyDocument=role.trust())
    for name, text in role.policies().items():
        iam.put_role_policy(RoleName=role.name, PolicyName=name, PolicyDocument=text)


@pytest.fixture
def estate(
    simulated_aws: SimulatedAws, acme: Organization, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Estate:
    """Both accounts, with everything in them read once."""
    settings.AWS_PRINCIPAL = PRINCIPAL
    for wait in ("FIRST_WAIT_S", "LONGEST_WAIT_S"):
        monkeypatch.setattr(sessions, wait, 1e9)  # So long that nobody waits for what is throttled.
    monkeypatch.setattr(quotas, "RATES", {name: Rate(10_000, 1_000, rate.title) for name, rate in quotas.RATES.items()})
    sessions.forget()
    maintain(now=timezone.now())
    production = connect(simulated_aws, acme, "production", ORDERS, MAILS)
    staging = connect(simulated_aws, acme, "staging", PROBE)
    found = Estate(simulated_aws, acme, production, staging)
    found.pull(*BY_KIND)
    assert found.goes_on(ORDERS, MAILS, PROBE)
    return found


@pytest.fixture
def watched(estate: Estate, logged_in: LoggedIn, live_server: LiveServer, alice: User) -> Page:
    """The page of the production account, which stays open."""
    page = logged_in(alice)
    page.goto(f"{live_server.url}/o/acme/aws/{estate.production.pk}/")
    expect_well(page)
    return page


def refreshed(page: Page) -> Page:
    """What the page does every ten seconds, now."""
    page.evaluate("document.body.dispatchEvent(new Event('nj:morphed'))")
    return page


def region(page: Page, name: str) -> str:
    """The line of one region on the page."""
    return f"li:has(a:text-is('{name}'))"


def expect_well(page: Page) -> None:
    refreshed(page)
    expect(page.locator("#standing-pill")).to_have_text("Connected")
    expect(page.locator("#standing")).to_have_text("")
    for name in (FRANKFURT, MILAN):
        expect(page.locator(region(page, name))).to_contain_text("Fine")
    expect(page.get_by_text("Fails")).to_have_count(0)


def blind_incident() -> Incident:
    return Incident.objects.filter(kind="access_lost").latest("pk")


def expect_blind_until_mended(page: Page, estate: Estate, live_server: LiveServer) -> None:
    """The incident is open while nothing is seen; the other account goes on."""
    assert estate.goes_on(PROBE)
    assert estate.nothing_is_gone()
    incident = blind_incident()
    assert incident.state == State.OPEN
    assert re.fullmatch(r"Blind on account production since .*\d\d:\d\d UTC", incident.title)
    place = page.url
    page.goto(f"{live_server.url}/o/acme/incidents/{incident.number}/")
    expect(page.get_by_role("heading", name="Blind on account production since")).to_be_visible()
    page.goto(place)


def expect_resolved(page: Page, estate: Estate, live_server: LiveServer) -> None:
    place, incident = page.url, blind_incident()
    over = timezone.now() + estate.passed + timedelta(minutes=31)
    alerting.settle(organization_id=estate.organization.pk, now=over)
    incident.refresh_from_db()
    assert incident.state == State.RESOLVED
    page.goto(f"{live_server.url}/o/acme/incidents/?state=resolved")
    expect(page.get_by_text("Blind on account production since").first).to_be_visible()
    page.goto(place)


def test_every_trouble_is_said_plainly_and_ends_by_itself(
    watched: Page, estate: Estate, live_server: LiveServer
) -> None:
    a_permission_is_denied(watched, estate)
    a_region_is_throttled(watched, estate)
    a_region_is_opted_out(watched, estate)
    the_role_is_deleted(watched, estate, live_server)
    the_account_is_suspended(watched, estate, live_server)


def a_permission_is_denied(page: Page, estate: Estate) -> None:
    estate.pass_an_hour()
    estate.aws.deny(PRODUCTION, "lambda:ListFunctions")
    began = estate.pull()
    refreshed(page)
    expect(page.locator("#standing-pill")).to_have_text("Permissions missing")
    told = page.get_by_role("region", name="Update the role's stack")
    expect(told).to_contain_text("lambda:ListFunctions")
    expect(told).to_contain_text("Nothing works: functions are only known once their own extension reports.")
    expect(told).to_contain_text("update the stack of this role with the current template")
    expect(page.locator(region(page, MILAN))).to_contain_text("Functions. AWS denied this call. Update the role's")
    assert "lambda_functions" not in estate.fresh(began, estate.production, FRANKFURT)
    assert {"lambda_logs", "queues"} <= estate.fresh(began, estate.production, FRANKFURT)
    assert estate.goes_on(ORDERS, MAILS, PROBE)
    assert estate.nothing_is_gone()
    estate.aws.allow(PRODUCTION, "lambda:ListFunctions")
    estate.look(within=QUARTER)
    assert schedule.retry(now=timezone.now()) == 2
    estate.pull()
    expect_well(page)


def a_region_is_throttled(page: Page, estate: Estate) -> None:
    estate.pass_an_hour()
    estate.aws.throttle(PRODUCTION, MILAN)
    began = estate.pull()
    line = refreshed(page).locator(region(page, MILAN))
    expect(line).to_contain_text("Slowed")
    expect(line).to_contain_text("AWS turns calls away because this account makes more of them than it allows.")
    expect(line).to_contain_text("We slow down and try again; nothing is lost.")
    expect(page.locator(region(page, FRANKFURT))).to_contain_text("Fine")
    expect(page.locator("#standing-pill")).to_have_text("Connected")
    assert not estate.fresh(began, estate.production, MILAN)
    assert estate.goes_on(ORDERS, PROBE)
    assert estate.nothing_is_gone()
    missed = estate.run(MAILS)
    estate.aws.calm(PRODUCTION, MILAN)
    estate.pull()
    assert estate.is_stored(missed)
    expect_well(page)


def a_region_is_opted_out(page: Page, estate: Estate) -> None:
    estate.pass_an_hour()
    estate.aws.disable_region(PRODUCTION, MILAN)
    began = estate.pull()
    line = refreshed(page).locator(region(page, MILAN))
    expect(line).to_contain_text("Fails")
    expect(line).to_contain_text("This region is not enabled in the account. Enable it there, or take the region off")
    expect(page.locator(region(page, FRANKFURT))).to_contain_text("Fine")
    assert not estate.fresh(began, estate.production, MILAN)
    assert estate.goes_on(ORDERS, PROBE)
    assert estate.nothing_is_gone()
    page.get_by_role("link", name="AWS accounts").first.click()
    expect(page.get_by_role("row", name=re.compile("production"))).to_contain_text("eu-south-1 in trouble")
    expect(page.get_by_role("row", name=re.compile("staging"))).not_to_contain_text("in trouble")
    page.go_back()
    estate.aws.enable_region(PRODUCTION, MILAN)
    assert estate.goes_on(ORDERS, MAILS, PROBE)
    expect_well(page)


def the_role_is_deleted(page: Page, estate: Estate, live_server: LiveServer) -> None:
    estate.pass_an_hour()
    estate.aws.delete_role(estate.production.role_arn)
    estate.pull()
    told = refreshed(page).locator("#standing")
    expect(page.locator("#standing-pill")).to_have_text("No access")
    expect(told).to_contain_text(re.compile(r"No access since \d+ \w+ \d\d:\d\d UTC\."))
    expect(told).to_contain_text("It was deleted or renamed, or its trust policy does not name our account")
    expect(told).to_contain_text("create the role again from the template")
    expect(told).to_contain_text("nothing of this account is marked as deleted")
    expect(told.get_by_role("link", name="Template and command of the role")).to_be_visible()
    expect_blind_until_mended(page, estate, live_server)
    create_role(estate.aws, estate.production)
    estate.look(within=QUARTER)
    assert estate.goes_on(ORDERS, MAILS, PROBE)
    expect_well(page)
    expect_resolved(page, estate, live_server)


def the_account_is_suspended(page: Page, estate: Estate, live_server: LiveServer) -> None:
    estate.pass_an_hour()
    estate.aws.suspend(PRODUCTION)
    estate.pull()
    told = refreshed(page).locator("#standing")
    expect(page.locator("#standing-pill")).to_have_text("No access")
    expect(told).to_contain_text("AWS has suspended or closed this account. Its owner must settle that with AWS;")
    expect(told).to_contain_text("nothing of this account is marked as deleted")
    expect(page.get_by_text("create the role again")).to_have_count(0)
    expect_blind_until_mended(page, estate, live_server)
    estate.aws.resume(PRODUCTION)
    estate.look(within=QUARTER)
    assert estate.goes_on(ORDERS, MAILS, PROBE)
    expect_well(page)
    expect_resolved(page, estate, live_server)
