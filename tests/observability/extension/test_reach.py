import pytest

from observability.extension.reach import doubt


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("http://localhost:8000", "every machine calls itself"),
        ("http://127.0.0.1:8000", "every machine calls itself"),
        ("https://[::1]", "every machine calls itself"),
        ("http://0.0.0.0:8000", "every machine calls itself"),
        ("https://10.1.2.3", "in a VPC"),
        ("https://192.168.0.4:8443", "in a VPC"),
        ("https://nightjar", "in a VPC"),
        ("https://nightjar.internal", "in a VPC"),
        ("http://nightjar.example.com", "unencrypted"),
    ],
)
def test_an_address_that_functions_may_not_reach_is_doubted(url: str, told: str) -> None:
    assert told in doubt(url)


@pytest.mark.parametrize(
    "url", ["https://nightjar.example.com", "https://nightjar.example.com:8443", "https://8.8.8.8"]
)
def test_a_public_address_is_not(url: str) -> None:
    assert doubt(url) == ""
