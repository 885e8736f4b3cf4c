"""The Celery application of beat, which rings bells by name: no models and no tasks, so half the memory of a worker."""

from celery import Celery
from django.conf import settings
from django.utils.log import configure_logging

from observability.celery import redbeat

configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)
app = Celery("nightjar", fixups=[], set_as_current=False)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.add_defaults(redbeat)
