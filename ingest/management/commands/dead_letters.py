import json
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError
from django.db.models import QuerySet
from django.utils import timezone

from ingest.dead_letters import unseal
from ingest.models import DeadLetter
from ingest.replay import replay
from observability.telemetry.store import get_store


class Command(BaseCommand):
    help = "Look at the events that could not be stored, store them after a fix, or let them go."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["list", "show", "replay", "drop"])
        parser.add_argument("ids", nargs="*", type=int, metavar="ID")
        parser.add_argument("--organization", metavar="SLUG", help="all of one organization")
        parser.add_argument("--all", action="store_true", help="all of all organizations")

    def handle(self, *args: object, **options: Any) -> None:
        action = options["action"]
        everything = options["all"] or action == "list"
        letters = self.chosen(options["ids"], options["organization"], everything=everything)
        if action == "list":
            self.list(letters)
        elif action == "show":
            self.show(letters)
        elif action == "replay":
            ids = list(letters.values_list("id", flat=True))
            stored, stay = replay(ids, get_store(), now=timezone.now())
            self.stdout.write(f"{stored} stored, {stay} kept")
        else:
            self.stdout.write(f"{letters.delete()[0]} dropped")

    def chosen(self, ids: "Sequence[int]", organization: str, *, everything: bool) -> "QuerySet[DeadLetter]":
        letters = DeadLetter.objects.select_related("organization").order_by("id")
        if ids:
            letters = letters.filter(id__in=ids)
        if organization:
            letters = letters.filter(organization__slug=organization)
        if not (ids or organization or everything):
            raise CommandError("name letters by id, by --organization, or --all")
        return letters

    def list(self, letters: "QuerySet[DeadLetter]") -> None:
        for letter in letters.defer("payload").iterator():
            self.stdout.write(
                f"{letter.id}\t{letter.created_at:%Y-%m-%d %H:%M:%S}\t{letter.organization.slug}\t{letter.code}\t"
                f"{letter.attempts}\t{letter.entry_id}#{letter.position}\t{letter.reason}"
            )

    def show(self, letters: "QuerySet[DeadLetter]") -> None:
        for letter in letters:
            content = unseal(bytes(letter.payload))
            plain = (
                {k.decode(): v.decode(errors="replace") for k, v in content.items()}
                if isinstance(content, dict)
                else msgspec.to_builtins(content)
            )
            self.stdout.write(f"# {letter} ({letter.attempts} attempts): {letter.reason}")
            self.stdout.write(json.dumps(plain, indent=2))
