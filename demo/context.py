"""What every page's shell shows while the demo runs."""

from django.http import HttpRequest
from django.urls import reverse


def inbox(request: HttpRequest) -> dict[str, str]:
    """Where the messages that the demo's receivers took can be read."""
    return {"demo_inbox_url": reverse("demo:inbox")}
