"""`manage.py pulse writer|beat`: exit code 0 while that process works."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from redis import Redis
from redis.exceptions import RedisError

from observability import pulse


class Command(BaseCommand):
    help = "Say whether the writer or beat still works (for health checks)."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("process", choices=["writer", "beat"])

    def handle(self, *args: Any, **options: Any) -> None:
        client = Redis.from_url(settings.REDIS_URL, socket_timeout=5)
        try:
            alive = (
                pulse.writer_keeps_up(client, timezone.now())
                if options["process"] == "writer"
                else pulse.beat_rings(client, timezone.now())
            )
        except RedisError as error:
            raise CommandError(f"Redis does not answer: {error}") from error
        if not alive:
            raise CommandError(f"{options['process']} has left its work undone for {pulse.LONGEST_PAUSE:.0f} s")
