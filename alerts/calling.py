"""How a transport calls a URL: through the guarded HTTP function, with answers read the same way everywhere."""

from collections.abc import Mapping

from alerts import http
from alerts.transport import TransportError

LONGEST_WAIT = 3_600.0


def post(url: str, body: bytes, headers: Mapping[str, str]) -> http.Response:
    """POST and return whatever was answered; raises ``TransportError`` when nothing was."""
    try:
        return http.post(url, body, headers)
    except http.AddressRefusedError as error:
        raise TransportError(str(error), permanent=True) from None
    except http.UnreachableError as error:
        raise TransportError(str(error)) from None


def check(response: http.Response) -> None:
    """Raise ``TransportError`` unless the answer is a 2xx: 410 is for good, the rest may pass."""
    status = response.status
    if 200 <= status < 300:
        return
    if status == 410:
        raise TransportError("The address is gone (answered 410).", permanent=True)
    if 300 <= status < 400:
        raise TransportError(f"Answered {status}, a redirect; redirects are not followed.")
    raise TransportError(f"Answered {status}.", retry_after=_retry_after(response))


def check_url(url: str) -> http.Target:
    """The parts of a URL typed into a form; raises ``ValueError`` with words for it. Nothing is looked up."""
    try:
        return http.parse(url)
    except http.AddressRefusedError as error:
        raise ValueError(str(error)) from None


def _retry_after(response: http.Response) -> float | None:
    """Seconds of a ``Retry-After`` on 429 or 503, at most an hour; its date form is rare and counts as absent."""
    value = response.headers.get("retry-after", "").strip()
    if response.status not in {429, 503} or not value.isdecimal() or not value.isascii():
        return None
    return min(float(value), LONGEST_WAIT)
