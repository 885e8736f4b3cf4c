"""``manage.py dead_letters``: look, store after all, let go."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from ingest import dead_letters
from ingest.dead_letters import Letter, bury, seal, unseal
from ingest.entry import Fields, encode_entry
from ingest.models import DeadLetter
from observability.telemetry.records import Record
from observability.telemetry.store import get_store
from observability.tenants.models import Organization
from tests.ingest.test_writer import entry, messages
from tests.observability.telemetry.test_store_contract import fault, invocation, log_line


def run(*words: str) -> str:
    out = StringIO()
    call_command("dead_letters", *words, stdout=out)
    return out.getvalue()


@pytest.fixture
def _letters(acme: Organization, rival: Organization) -> None:
    now = timezone.now()
    mine = [Letter(acme.pk, f"{i}-0", 0, "parser_failed", "a bug", encode_entry(entry(acme, f"m{i}"))) for i in (1, 2)]
    bury([*mine, Letter(rival.pk, "3-0", 1, "refused", "NUL", log_line(organization_id=rival.pk, at=now))], now=now)


@pytest.mark.parametrize(
    "content",
    [
        invocation(),
        invocation(init_ms=1.5),
        log_line(message="\0 \ud800 ü"),
        fault(),
        {b"body": b"\xff\0", b"org": b"1"},
    ],
)
def test_what_is_sealed_comes_back_as_it_was(content: Record | Fields) -> None:
    assert unseal(seal(content)) == content


@pytest.mark.usefixtures("_letters")
class TestCommand:
    def test_list_tells_all(self) -> None:
        assert [line.split("\t")[2] for line in run("list").splitlines()] == ["acme", "acme", "rival"]
        assert len(run("list", "--organization", "rival").splitlines()) == 1

    def test_show_opens_them(self) -> None:
        letter = DeadLetter.objects.get(code="refused")
        assert "order 17 was paid" in run("show", str(letter.pk))

    def test_replay_stores_them_once(self, acme: Organization, rival: Organization) -> None:
        assert run("replay", "--organization", "acme").strip() == "2 stored, 0 kept"
        assert messages(get_store(), acme) == ["m1", "m2"]
        assert run("replay", "--all").strip() == "1 stored, 0 kept"
        assert messages(get_store(), rival) == ["order 17 was paid"]

    def test_drop_lets_them_go(self) -> None:
        first = DeadLetter.objects.earliest("id")
        assert run("drop", str(first.pk)).strip() == "1 dropped"
        assert DeadLetter.objects.count() == 2

    def test_all_must_be_said(self) -> None:
        with pytest.raises(CommandError):
            run("drop")

    def test_they_are_kept_for_14_days(self) -> None:
        assert dead_letters.forget_old(now=timezone.now() + timedelta(days=13)) == 0
        assert dead_letters.forget_old(now=timezone.now() + timedelta(days=15)) == 3
