import socket
from collections.abc import Iterator

import pytest

from observability.embedded import ports


@pytest.fixture
def busy() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_listening_port_is_not_free(busy: int) -> None:
    assert not ports.is_free(busy)
    assert ports.answers(busy)


def test_a_port_taken_on_every_address_is_not_free() -> None:
    with socket.socket() as listener:
        listener.bind(("0.0.0.0", 0))  # noqa: S104  # As a careless other program does.
        listener.listen()
        assert not ports.is_free(listener.getsockname()[1])


def test_a_port_taken_for_localhost_of_ipv6_is_not_free() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with listener:
        assert not ports.is_free(listener.getsockname()[1])


def test_the_next_free_port_is_taken_instead(busy: int) -> None:
    assert ports.next_free(busy) > busy


def test_a_port_promised_to_another_process_is_passed_over(busy: int) -> None:
    first = ports.next_free(busy)
    assert ports.next_free(busy, taken=frozenset({first})) > first


def test_it_gives_up_where_no_port_is_left() -> None:
    with pytest.raises(OSError, match="no free port"):
        ports.next_free(65_536)
