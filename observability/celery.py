"""The Celery application: housekeeping ticks and doorbells, never the only copy of anything."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observability.settings")

app = Celery("nightjar")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
