"""The Celery application: housekeeping ticks and doorbells, never the only copy of anything."""

import os
from typing import Any

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observability.settings")


def redbeat() -> dict[str, Any]:
    """RedBeat looks for its settings without our prefix."""
    names = [name for name in dir(settings) if name.startswith("CELERY_REDBEAT_")]
    return {name.removeprefix("CELERY_").lower(): getattr(settings, name) for name in names}


app = Celery("nightjar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.add_defaults(redbeat)
app.steps["worker"].add("observability.watchdog:Watchdog")  # By name: only workers need to import it.
app.autodiscover_tasks()
