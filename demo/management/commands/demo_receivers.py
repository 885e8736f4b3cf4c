"""`manage.py demo_receivers`: the pretend Slack, webhook and mailbox of the demo."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from demo import receivers


class Command(BaseCommand):
    help = "Receive what the demo's channels send, and keep it for /demo/inbox."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        receivers.serve(http_port=settings.DEMO_HTTP_PORT, smtp_port=settings.DEMO_SMTP_PORT)
