"""Seal every stored secret again under the newest key of ENCRYPTION_KEYS."""

from collections.abc import Iterator
from typing import Any

from allauth.mfa.models import Authenticator
from django.apps import apps
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.db.models import Model

from observability.tenants import encryption

# Apps above this one are named, not imported.
SEALED_COLUMNS = (("alerts", "Channel", "config"),)
SEALED_FACTORS = ("secret", "seed")  # Keys of the JSON that allauth keeps per second factor.


class Command(BaseCommand):
    help = "Seal every stored secret under the first key of ENCRYPTION_KEYS. Afterwards the older keys can go."

    def handle(self, *args: Any, **options: Any) -> None:
        done = lost = 0
        for model, pk in self._rows():
            try:
                with transaction.atomic():
                    self._rotate(model, pk)
                done += 1
            except encryption.DecryptionError:
                lost += 1
                self.stderr.write(f"{model.__name__} {pk}: no key opens it")
        self.stdout.write(f"{done} sealed under the newest key")
        if lost:
            raise CommandError(f"{lost} could not be opened; put their key back into ENCRYPTION_KEYS.")

    def _rows(self) -> Iterator[tuple[type[Model], Any]]:
        for model in (Authenticator, *(apps.get_model(app, name) for app, name, _ in SEALED_COLUMNS)):
            for pk in model._default_manager.order_by("pk").values_list("pk", flat=True).iterator():
                yield model, pk

    def _rotate(self, model: type[Model], pk: Any) -> None:
        """One row, locked, so that nobody changes it meanwhile."""
        row: Any = model._default_manager.select_for_update().filter(pk=pk).first()
        if row is None:
            return
        columns = [column for app, name, column in SEALED_COLUMNS if model is apps.get_model(app, name)]
        for column in columns:
            setattr(row, column, encryption.rotate(bytes(getattr(row, column))))
        if model is Authenticator:
            columns = ["data"]
            sealed = {
                key: encryption.rotate(row.data[key].encode()).decode() for key in SEALED_FACTORS & row.data.keys()
            }
            row.data |= sealed
        row.save(update_fields=columns)
