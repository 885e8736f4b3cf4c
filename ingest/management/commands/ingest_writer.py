import gc
import signal
from threading import Event

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import DatabaseError
from django.utils import timezone

from ingest.brake import Brake
from ingest.buffer import RedisBuffer, connect
from ingest.digest import Digest
from ingest.lanes import Lanes
from ingest.writer import Writer
from observability.inventory.resources import Resources
from observability.telemetry import partitions
from observability.telemetry.store import get_store

READ_TIMEOUT_S = 5.0


class Command(BaseCommand):
    help = "Store buffered telemetry until told to stop (SIGTERM or SIGINT). Several may run at once."

    def handle(self, *args: object, **options: object) -> None:
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        redis = connect(settings.REDIS_URL, timeout_s=READ_TIMEOUT_S)
        buffer = RedisBuffer(redis, settings.INGEST_EVENTS_PER_SECOND)
        digest = Digest(get_store(), Resources(), Brake())
        try:
            partitions.maintain(now=timezone.now())
        except DatabaseError as error:
            self.stderr.write(f"partitions are left to the next maintenance: {error}")
        # What is loaded by now stays for ever; looking through it again and again takes a tenth of a writer's time.
        gc.collect()
        gc.freeze()
        Writer(buffer, digest, Lanes(redis), redis, timezone.now, stop).run()
