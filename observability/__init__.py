"""The facts of a serverless estate (who, whose, what, when) and the pages that show them."""

from observability.celery import app as celery_app

__all__ = ["celery_app"]
