from django.core.management.base import BaseCommand
from django.utils import timezone

from observability.telemetry import partitions


class Command(BaseCommand):
    help = "Create the partitions of the coming days and drop those past their retention."

    def handle(self, *args: object, **options: object) -> None:
        now = timezone.now()
        partitions.maintain(now=now)
        self.stdout.write(f"partitions are ready for {partitions.days_ahead(now=now)} days ahead")
