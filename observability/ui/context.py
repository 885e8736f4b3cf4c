"""What every page's shell shows."""

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    """The theme cookie, so that the server renders the right colours at once."""
    return {"theme": request.COOKIES.get("theme", "")}
