"""Check that the audit log is what was recorded."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from observability.tenants import audit
from observability.tenants.models import Organization


class Command(BaseCommand):
    help = "Check every organization's audit log, or one; fails when an entry was altered, removed or inserted."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", nargs="?", help="only this organization")

    def handle(self, *args: Any, slug: str | None = None, **options: Any) -> None:
        chosen = Organization.objects.filter(slug=slug) if slug else Organization.objects.all()
        if slug and not chosen:
            raise CommandError(f"There is no organization {slug}.")
        problems = 0
        for organization in chosen.order_by("slug"):
            problem = audit.verify(organization=organization)
            problems += problem is not None
            self.stdout.write(f"{organization.slug}: {problem or 'whole'}")
        if problems:
            raise CommandError(f"The audit log of {problems} organization(s) was tampered with.")
