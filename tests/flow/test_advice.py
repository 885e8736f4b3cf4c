"""From the demo's simulated account to advice: every rule understands what the collectors find."""

from alerts import advising, snapshot
from alerts.rules import RULES
from alerts.tuning import tunings
from demo.aws.estate import EUROPE, build
from demo.aws.server import SimulatedAws
from demo.catalogue import SHOP
from observability.telemetry.store import get_store
from observability.tenants.models import Organization
from tests.aws_region import RootRegion
from tests.flow.test_inventory import NOW, Discovery


def test_every_rule_understands_what_is_found(simulated_aws: SimulatedAws, acme: Organization) -> None:
    build(simulated_aws)
    Discovery(RootRegion(simulated_aws.account(SHOP), EUROPE), acme).run(NOW)
    estate = snapshot.take(organization_id=acme.pk, store=get_store(), now=NOW)
    opinions = advising.ask(estate, tunings(acme.pk), RULES)
    assert not opinions.unknown
    told = {(kind, estate.subjects[resource_id].name) for resource_id, kind, _ in opinions.given}
    assert told >= {
        ("stream_unencrypted", "shop-stock"),
        ("rule_without_dead_letters", "shop-ledger-clock"),
        ("api_without_access_logs", "shop"),
        ("state_machine_without_logs", "shop-invoicing"),
    }
