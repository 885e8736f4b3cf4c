"""The brake: when too much of what comes in cannot be stored, our code is more likely wrong than the data."""

from collections import Counter, deque

LAST = 1_000
SHARE = 0.05
IN_A_ROW = 100


class BrakeError(Exception):
    """Stop putting events among the dead letters. ``organization_id`` is set when only that one is concerned."""

    def __init__(self, organization_id: int | None) -> None:
        super().__init__(organization_id)
        self.organization_id = organization_id


class Brake:
    """Watches the last 1,000 events: more than 5 % of them bad, or 100 in a row, is too much."""

    def __init__(self) -> None:
        self.runs: deque[tuple[int, bool, int]] = deque()
        self.reset()

    def reset(self) -> None:
        self.runs.clear()
        self.total = self.in_a_row = 0

    def passed(self, organization_id: int, count: int) -> None:
        """So many events were stored."""
        if count:
            self.in_a_row = 0
            self._add(organization_id, False, count)

    def failed(self, organization_id: int, count: int = 1) -> None:
        """So many events cannot be stored. Raises ``BrakeError``, and starts afresh, when that is too much."""
        self.in_a_row += count
        self._add(organization_id, True, count)
        bad = sum(size for _, is_bad, size in self.runs if is_bad)
        if self.in_a_row >= IN_A_ROW or (self.total >= LAST and bad > LAST * SHARE):
            raise self._tripped()

    def _tripped(self) -> BrakeError:
        culprits = Counter(organization_id for organization_id, is_bad, _ in self.runs if is_bad)
        others = any(not is_bad and organization_id not in culprits for organization_id, is_bad, _ in self.runs)
        self.reset()
        return BrakeError(next(iter(culprits)) if len(culprits) == 1 and others else None)

    def _add(self, organization_id: int, is_bad: bool, count: int) -> None:
        self.runs.append((organization_id, is_bad, count))
        self.total += count
        while self.total - self.runs[0][2] >= LAST:
            self.total -= self.runs.popleft()[2]
