"""Puts an incident into words: everything a transport needs to tell a person, as plain data."""

from datetime import datetime

from alerts.message import Message
from alerts.models import Notification


def compose(notification: Notification, *, now: datetime) -> Message:
    """The message of one outbox row; a row without a transition is a test of its channel. Only reads."""
    raise NotImplementedError
