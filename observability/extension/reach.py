"""Whether functions in AWS can reach this installation, as far as its address tells."""

from ipaddress import ip_address
from urllib.parse import urlsplit

LOCAL = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


def doubt(public_url: str) -> str:
    """Why functions may not reach it, in a sentence; empty when nothing speaks against it."""
    parts = urlsplit(public_url)
    host = parts.hostname or ""
    if host == "localhost" or _is_loopback(host):
        return f"{public_url}, the address of this installation, is what every machine calls itself."
    if _is_private(host):
        return f"Only functions in a VPC with a way into the network of {host} can reach this installation."
    if parts.scheme != "https":
        return "Telemetry and key would travel unencrypted: the address of this installation does not begin with https."
    return ""


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback or ip_address(host).is_unspecified
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith(LOCAL)
