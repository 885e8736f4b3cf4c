"""`manage.py demo_aws`: the simulated AWS of the demo, with two accounts in which something happens."""

import time
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from demo import state
from demo.aws import estate
from demo.aws.customers import Customers
from demo.aws.live import TICK_S, Life
from demo.aws.server import Listener, SimulatedAws


class Command(BaseCommand):
    help = "Answer for AWS to the demo: two accounts, their functions, logs and figures."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.VAR_DIR / "demo" / "aws.told"
        with SimulatedAws() as aws:
            estate.build(aws)
            customers = Customers(aws)
            customers.deploy_what_is_missing()
            now = timezone.now()
            told_until = datetime.fromisoformat(path.read_text()) if path.exists() else now
            life = Life(aws, anchor=anchor(now), told_until=told_until, now=now)
            life.go_on(now)
            # Whoever asked earlier would find accounts without roles, and take them for lost.
            with Listener(aws.proxy, settings.DEMO_AWS_PORT):
                self.stdout.write("The simulated AWS is open.")
                while True:
                    time.sleep(TICK_S)
                    life.go_on(timezone.now())
                    customers.deploy_what_is_missing()
                    path.write_text(life.told_until.isoformat())


def anchor(now: datetime) -> datetime:
    """When the demo first started: its bad releases are counted from then."""
    known = state.load(settings.VAR_DIR / "demo" / "state.json")
    return known.anchor if known else now
