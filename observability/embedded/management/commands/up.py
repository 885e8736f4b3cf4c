"""`manage.py up`: the whole product in one terminal."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from observability.embedded import kernel
from observability.embedded.console import say
from observability.embedded.installation import AlreadyRunningError, Installation
from observability.embedded.startup import STAGES, start
from observability.embedded.supervisor import StopRequested, Supervisor, ignore_stop, listen_for_stop

DEMO_EMAIL = "demo@nightjar.local"


class Command(BaseCommand):
    help = "Start PostgreSQL, Redis and every process of Nightjar, keep them alive, and stop them all on Ctrl-C."
    # The values that the checks look at are made by this very command.
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        installation = Installation(
            root=settings.BASE_DIR,
            folder=settings.VAR_DIR,
            listen=settings.LISTEN,
            port=settings.PORT,
            demo=settings.DEMO if "DEMO" in settings.GIVEN_VARIABLES else True,
            given=settings.GIVEN_VARIABLES,
        )
        try:
            installation.claim()
        except AlreadyRunningError as running:
            raise CommandError(f"Nightjar already runs at {running}; `make down` stops it.") from None
        supervisor = Supervisor(installation.folder, installation.root)
        kernel.adopt_orphans()
        listen_for_stop()
        try:
            say("Nightjar is starting.")
            start(installation, supervisor)
            welcome(installation)
            supervisor.watch()
        except StopRequested:
            say("\nStopping.")
        except (RuntimeError, OSError) as error:
            raise CommandError(str(error)) from error
        finally:
            ignore_stop()
            supervisor.stop(STAGES)
            (installation.folder / "run" / "up.pid").unlink(missing_ok=True)
            say("Nightjar has stopped; no process is left.")


def welcome(installation: Installation) -> None:
    """Where to look and how to get in."""
    url = installation.public_url
    say(f"\nNightjar is ready:  {url}\n")
    if installation.demo:
        password = installation.environment().get("DEMO_PASSWORD", settings.DEMO_PASSWORD)
        say(f"  Log in as         {DEMO_EMAIL}  with the password  {password}")
        say(f"  Messages it sent  {url}/demo/inbox")
    else:
        say(f"  First run?        Create your account at {url}")
    say(f"  Logs              {installation.folder}/log/")
    say("  Stop              Ctrl-C\n")
