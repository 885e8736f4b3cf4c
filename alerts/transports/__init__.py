"""The shelf of transports, in the order in which they are offered. A new one is one file and one line here."""

from alerts.transport import Transport
from alerts.transports.email import Email
from alerts.transports.slack import Slack
from alerts.transports.webhook import Webhook

TRANSPORTS: tuple[Transport, ...] = (Slack(), Email(), Webhook())


def get_transport(kind: str) -> Transport:
    """The transport of this kind; raises ``KeyError``."""
    return {transport.kind: transport for transport in TRANSPORTS}[kind]
