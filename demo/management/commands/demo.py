"""Sends the simulated functions' telemetry through the public ingest API: what was missed first, then live."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils import timezone

from demo import company, state
from demo.play import HISTORY, LONG_AGO, catch_up, follow, is_told
from demo.sender import Sender
from observability.tenants.models import Organization


class Command(BaseCommand):
    help = "Send the demo's telemetry: the last 24 hours first, then live and in brief some days before, until stopped."

    def handle(self, *_args: Any, **_options: Any) -> None:
        path = settings.VAR_DIR / "demo" / "state.json"
        remembered = state.load(path)
        try:
            self.play(path, remembered or self.first_state())
        except PermissionError:
            self.stdout.write("The remembered key is refused: the data was reset. Starting over.")
            self.play(path, self.first_state())

    def first_state(self) -> state.State:
        now = timezone.now()
        return state.State(key=company.issue_key(now), anchor=now, told_until=now - HISTORY, told_from=now - HISTORY)

    def play(self, path: Path, known: state.State) -> None:
        sender = Sender(settings.PUBLIC_URL, known.key)
        known = catch_up(sender, known, timezone.now(), self.stdout.write)
        state.save(path, known)
        for later in follow(sender, known, timezone.now):
            state.save(path, later)
            if not is_told(known):
                self.remembered(later)
            known = later

    def remembered(self, known: state.State) -> None:
        """What is worked out from history waits for all of it."""
        organization, now = Organization.objects.get(slug=company.SLUG), timezone.now()
        if is_told(known):
            company.let_watch(organization, since=known.anchor - LONG_AGO, now=now)
        else:
            company.hold_watching(organization, now=now)
