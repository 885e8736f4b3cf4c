"""`manage.py demo_setup`: the demo's organization, owner, key and channels."""

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from demo import company


class Command(BaseCommand):
    help = "Create the demo's organization with its owner and channels, or bring them up to date."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        company.set_up(now=timezone.now())
