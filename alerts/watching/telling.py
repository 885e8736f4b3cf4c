"""From odd values to what people see: anomalies as marks on charts, and those few that become incidents.

What goes wrong together is one incident: the metrics of a resource while they are odd, and many resources of an account
at once. A quiet account stays quiet: beyond so many incidents a day only what is far out is told, the rest is marked.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from alerts.detector import Unusual
from alerts.fingerprint import fingerprint
from alerts.models import Anomaly
from alerts.text import shorten
from alerts.watching import accounts, reasons
from alerts.watching.frames import Estate
from alerts.watching.judging import Sight
from alerts.watching.series import BY_NAME, STEP
from alerts.watching.surroundings import Surroundings

DAY = timedelta(days=1)
GAP = timedelta(hours=1)
"""What is odd again within so long still is."""

OLD = timedelta(hours=6)
"""What was odd longer ago than this when it becomes known is history: marked, but nobody is told."""

FAR = 2.0
"""From so many times the threshold on it is told at once, and whatever the budget says."""

PATIENT = frozenset({"cold_starts"})
"""However far out, one step of them is no emergency: a deployment or a restart starts everything cold."""

LASTING = 2
"""Anything else is told once it was odd in so many steps: a single one is a blip, and stays a mark."""

NAMED = 50
"""So many metrics of an incident are kept with it; of an outage of everything there are ten thousands."""

CHANGED = ["ended_at", "value", "low", "high", "surprise", "reason", "told", "detail"]


@dataclass(frozen=True, slots=True)
class Rules:
    """From which surprise on somebody is told, how often a day, and how many resources make one problem."""

    threshold: float
    a_day: float
    together: float
    on: bool = True


@dataclass(slots=True)
class Group:
    """What went wrong together: anomalies of one incident, if they are told."""

    key: str
    resource_id: int
    told: bool
    began_at: datetime
    ended_at: datetime
    steps: int = 0
    last_at: datetime | None = None
    rows: list[Anomaly] = field(default_factory=list)


class Teller:
    """Takes the sights of an organization in order of time; ``finish`` stores what became of them."""

    def __init__(
        self, organization_id: int, estate: Estate, rules: Rules, surroundings: Surroundings, now: datetime
    ) -> None:
        self.organization_id, self.estate, self.rules, self.now = organization_id, estate, rules, now
        self.surroundings = surroundings
        self.far = FAR * rules.threshold
        self.recent: dict[tuple[int, str], Anomaly] = {}
        self.groups: dict[str, Group] = {}
        self.of_resource: dict[int, Group] = {}
        self.of_account: dict[str, Group] = {}
        self.changed: dict[tuple[int, str, datetime], Anomaly] = {}
        self.alarming: dict[str, datetime] = {}

    def recall(self, since: datetime) -> None:
        """What was odd before, and may go on."""
        rows = Anomaly.objects.filter(organization=self.organization_id, ended_at__gte=since - DAY)
        for row in rows.order_by("started_at", "pk"):
            self.recent[row.resource_id, row.metric] = row
            self._join(row, row.detail.get("group") or "", row.detail.get("home") or row.resource_id)

    def take(self, at: datetime, sights: Sequence[Sight]) -> None:
        """The sights of one step, all at once, for it counts how many there are."""
        beginning = [sight for sight in sights if not self._goes_on(sight)]
        alone = [sight for sight in beginning if self._group(sight) is None]
        for account in accounts.crowded(alone, self.estate, self.rules.together):
            home = accounts.resource_of(self.organization_id, account, self.estate, now=self.now)
            self.of_account[account] = self._open(home, at)
        for sight in sorted(beginning, key=lambda each: -each.surprise):
            self._begin(sight)

    def finish(self) -> list[Unusual]:
        """Store what is new or changed; answers with what the detectors are to see."""
        rows = list(self.changed.values())
        Anomaly.objects.bulk_create([row for row in rows if row.pk is None], batch_size=500)
        Anomaly.objects.bulk_update([row for row in rows if row.pk is not None], CHANGED, batch_size=500)
        return [self._unusual(self.groups[key], at) for key, at in self.alarming.items()]

    # One sight -----------------------------------------------------------------------------------
    def _goes_on(self, sight: Sight) -> bool:
        """Whether it belongs to what was odd already. After some quiet only what is worse, or a day later, is new."""
        row = self.recent.get((sight.resource_id, sight.metric.name))
        if row is None or sight.at > row.ended_at + GAP:
            return not sight.fresh
        row.ended_at = max(row.ended_at, sight.at + STEP)
        if sight.surprise > row.surprise:
            self._describe(row, sight)
        self._changed(row, sight.at, alarming=row.feedback != Anomaly.Feedback.EXPECTED)
        return True

    def _group(self, sight: Sight) -> Group | None:
        """The incident that it belongs to, while that goes on."""
        account = self.estate[sight.resource_id].account
        for group in (self.of_account.get(account), self.of_resource.get(sight.resource_id)):
            if group is not None and sight.at <= group.ended_at + GAP:
                return group
        return None

    def _begin(self, sight: Sight) -> None:
        group = self._group(sight) or self._open(sight.resource_id, sight.at)
        self.of_resource[sight.resource_id] = group
        row = Anomaly(
            organization_id=self.organization_id,
            resource_id=sight.resource_id,
            metric=sight.metric.name,
            started_at=sight.at,
            ended_at=sight.at + STEP,
            told=group.told,
            detail={"group": group.key, "home": group.resource_id, "steps": 0},
        )
        self._describe(row, sight)
        self.recent[sight.resource_id, sight.metric.name] = row
        self._join(row, group.key, group.resource_id)
        self._changed(row, sight.at, alarming=True)

    def _describe(self, row: Anomaly, sight: Sight) -> None:
        row.value, row.low, row.high, row.surprise = sight.value, sight.low, sight.high, sight.surprise
        told = self.surroundings.of(sight, row.started_at)
        row.detail = {**row.detail, "side": sight.side, "expected": sight.expected, **told}
        row.reason = shorten(reasons.sentence(sight, told), 300)

    def _changed(self, row: Anomaly, at: datetime, *, alarming: bool) -> None:
        group = self.groups[row.detail["group"]]
        group.steps += group.last_at != at  # The same step may be told of twice: CloudWatch measures later.
        group.last_at, group.ended_at = at, max(group.ended_at, row.ended_at)
        row.detail = {**row.detail, "steps": group.steps, "last": at.isoformat()}
        self._note(row)
        if alarming and not group.told and self._may_tell(group, at):
            group.told = True
            for each in group.rows:
                each.told = True
                self._note(each)
        if alarming and group.told and row.ended_at > self.now - OLD:
            self.alarming[group.key] = group.ended_at

    def _note(self, row: Anomaly) -> None:
        self.changed[row.resource_id, row.metric, row.started_at] = row

    # Groups --------------------------------------------------------------------------------------
    def _open(self, resource_id: int, at: datetime) -> Group:
        key = fingerprint(resource_id=resource_id, kind="anomaly", error_type=at.isoformat())
        return self.groups.setdefault(key, Group(key, resource_id, False, at, at + STEP))

    def _may_tell(self, group: Group, at: datetime) -> bool:
        """Whether it is news, far out or no blip, not what every deployment brings, and within the day's budget."""
        if not self.rules.on or at <= self.now - OLD or all(_is_usual(row) for row in group.rows):
            return False
        if max((row.surprise for row in group.rows if row.metric not in PATIENT), default=0) >= self.far:
            return True
        lately = sum(each.told and each.began_at > at - DAY for each in self.groups.values())
        return group.steps >= LASTING and lately < self.rules.a_day

    def _join(self, row: Anomaly, key: str, home: int) -> None:
        group = self.groups.setdefault(key, Group(key, home, row.told, row.started_at, row.ended_at))
        group.rows.append(row)
        if (row.detail.get("steps") or 0) > group.steps:
            group.steps = row.detail["steps"]
            group.last_at = datetime.fromisoformat(row.detail["last"]) if row.detail.get("last") else None
        group.began_at, group.ended_at = min(group.began_at, row.started_at), max(group.ended_at, row.ended_at)
        self.of_resource[row.resource_id] = group
        if home != row.resource_id and row.resource_id in self.estate:
            self.of_account[self.estate[row.resource_id].account] = group

    def _unusual(self, group: Group, at: datetime) -> Unusual:
        lead = leader(group.rows)
        names = {row.resource_id: self._name(row.resource_id) for row in group.rows}
        many = len(names) > 1
        detail: dict[str, Any] = {
            "title": reasons.title_of_many(group.rows, names) if many else reasons.title(lead, names[lead.resource_id]),
            "at": at.isoformat(),
            "metrics": [_told(row, names) for row in ordered(group.rows)[:NAMED]],
            "resources": len(names),
            "next": reasons.next_step(lead, many=many),
        }
        reason = reasons.reason_of_many(group.rows, names) if many else reasons.reasons(ordered(group.rows))
        first = min(max(row.started_at, _deployed(row) or row.started_at) for row in group.rows)
        return Unusual(group.resource_id, lead.metric, reason, lead.surprise, first, at, group.key, detail)

    def _name(self, resource_id: int) -> str:
        return self.estate[resource_id].name if resource_id in self.estate else "a resource"


def _is_usual(row: Anomaly) -> bool:
    """New code starts cold: that is no news."""
    return row.metric == "cold_starts" and "deployment" in row.detail


def leader(rows: Iterable[Anomaly]) -> Anomaly:
    """The one that is farthest out; cost only where nothing else is, for others explain it."""
    return max(rows, key=lambda row: (row.metric != "cost", row.surprise))


def ordered(rows: Iterable[Anomaly]) -> list[Anomaly]:
    """The leader first."""
    return sorted(rows, key=lambda row: (row.metric == "cost", -row.surprise))


def _told(row: Anomaly, names: dict[int, str]) -> dict[str, Any]:
    return {
        "metric": row.metric,
        "words": BY_NAME[row.metric].words if row.metric in BY_NAME else row.metric,
        "resource_id": row.resource_id,
        "resource": names[row.resource_id],
        "reason": row.reason,
        "started_at": row.started_at.isoformat(),
    }


def _deployed(row: Anomaly) -> datetime | None:
    """When it was deployed, where that was within the first step that was odd."""
    told = (row.detail.get("deployment") or {}).get("at")
    return datetime.fromisoformat(told) if told else None
