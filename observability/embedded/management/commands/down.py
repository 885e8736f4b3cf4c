"""`manage.py down`: stop what `make up` started in this checkout, also when it was killed."""

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from observability.embedded import leftovers, records
from observability.embedded.console import say

PATIENCE = 60


class Command(BaseCommand):
    help = "Stop the Nightjar that `make up` started here, and whatever a killed one left behind."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.VAR_DIR / "run" / "up.pid"
        record = records.read(path)
        running = record is not None and record.is_running()
        if record and running:
            records.end(record, signal.SIGTERM, PATIENCE, str(settings.VAR_DIR))
        path.unlink(missing_ok=True)
        ended = leftovers.end(settings.VAR_DIR)
        say("Nightjar has stopped." if running or ended else "Nothing was running.")
