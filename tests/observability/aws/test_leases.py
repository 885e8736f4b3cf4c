"""One lease per role: renewed at 80 % of its life by one thread, by a clock that nobody can set."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from observability.aws import leases as leases_module
from observability.aws.leases import Lease, Leases, Target
from observability.aws.problems import AwsError, Trouble

TARGET = Target("111122223333", "aws", "arn:aws:iam::111122223333:role/nightjar", "id", "acme")


class Bank:
    """Gives out leases of 100 seconds, and holds the clock."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.given = 0
        self.trouble: Trouble | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.leases = Leases(self.assume, clock=lambda: self.now)

    def assume(self, target: Target) -> Lease:
        self.given += 1
        number = self.given
        self.gate.wait(5)
        if self.trouble:
            raise AwsError(self.trouble, "sts:AssumeRole")
        return Lease(f"{target.organization}-{number}", "secret", "token", life_s=100)

    def key(self, after: float = 0) -> str:
        self.now += after
        return self.leases.of(TARGET).access_key


@pytest.fixture
def bank() -> Bank:
    return Bank()


def test_a_role_is_assumed_once_and_renewed_at_80_percent_of_its_life(bank: Bank) -> None:
    assert bank.key() == bank.key(after=79.9) == "acme-1"
    assert bank.key(after=0.1) == "acme-2"
    assert bank.key(after=79.9) == "acme-2"


def test_targets_have_leases_of_their_own(bank: Bank) -> None:
    other = replace(TARGET, external_id="other", organization="rival")
    assert bank.key() == "acme-1"
    assert bank.leases.of(other).access_key == "rival-2"


def test_one_thread_renews_while_the_others_go_on(bank: Bank) -> None:
    bank.key()
    bank.now += 90
    bank.gate.clear()
    with ThreadPoolExecutor(9) as pool:
        first = pool.submit(bank.key)
        while bank.given < 2:
            pass
        others = [pool.submit(bank.key).result(timeout=2) for _ in range(8)]
        bank.gate.set()
        assert first.result(timeout=2) == "acme-2"
    assert others == ["acme-1"] * 8


def test_without_a_good_lease_all_wait_for_the_one_that_asks(bank: Bank) -> None:
    bank.gate.clear()
    with ThreadPoolExecutor(9) as pool:
        keys = [pool.submit(bank.key) for _ in range(9)]
        while not bank.given:
            pass
        bank.gate.set()
        assert {key.result(timeout=2) for key in keys} == {"acme-1"}
    assert bank.given == 1


def test_waiting_ends(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases_module, "PATIENCE_S", 0.05)
    bank.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(bank.key)
        while not bank.given:
            pass
        with pytest.raises(AwsError, match="unreachable"):
            bank.key()
        bank.gate.set()
        assert first.result(timeout=2) == "acme-1"


def test_a_renewal_that_cannot_be_had_now_is_tried_again_while_the_lease_is_good(bank: Bank) -> None:
    bank.key()
    bank.trouble = Trouble.UNREACHABLE
    assert bank.key(after=80) == "acme-1"
    assert bank.key(after=10) == "acme-1"
    assert bank.given == 2  # Not with every call.
    with pytest.raises(AwsError):
        bank.key(after=20)
    bank.trouble = None
    assert bank.key() == "acme-4"


def test_a_role_that_was_taken_from_us_is_not_used_to_its_end(bank: Bank) -> None:
    bank.key()
    bank.trouble = Trouble.ROLE_GONE
    assert bank.key(after=79) == "acme-1"  # Nobody has told us yet.
    for _ in range(2):
        with pytest.raises(AwsError, match="role_gone"):
            bank.key(after=1)


def test_what_is_forgotten_is_assumed_anew(bank: Bank) -> None:
    old = bank.leases.of(TARGET)
    bank.leases.forget(TARGET)
    new = bank.leases.of(TARGET)
    bank.leases.forget(TARGET, old)  # Somebody else was quicker: the new one stays.
    assert bank.leases.of(TARGET) is new
    bank.leases.forget(TARGET, new)
    assert bank.key() == "acme-3"


def test_memory_stays_bounded(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases_module, "CAPACITY", 3)
    for number in range(10):
        bank.leases.of(replace(TARGET, external_id=str(number)))
    assert len(bank.leases._held) == 3


def test_secrets_are_not_printed() -> None:
    assert "secret" not in repr(Lease("key", "secret", "secret", 1))
    assert "hidden" not in repr(replace(TARGET, external_id="hidden"))
