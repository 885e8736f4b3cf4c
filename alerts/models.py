"""What was judged and advised, incidents, whom to tell about them, and the outbox of what is still to be told."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.db import models

from alerts.finding import STANDING, Severity
from observability.inventory.models import Resource
from observability.tenants.models import Membership, Organization, User

SEVERITIES = [(severity.value, severity.value.title()) for severity in Severity]


class State(models.TextChoices):
    """Where an incident stands. A resolved one that comes back is open again, with ``reopened`` counted."""

    OPEN = "open", "Open"
    ACKNOWLEDGED = "acknowledged", "Acknowledged"
    MUTED = "muted", "Muted"
    RESOLVED = "resolved", "Resolved"


class EvaluationCursor(models.Model):
    """The last stored batch of an organization that has been judged."""

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True)
    batch = models.BigIntegerField(default=0)
    evaluated_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.organization_id} at {self.batch}"


class WatchCursor(models.Model):
    """Up to when an organization's series have been watched, and when its advice was last worked out."""

    organization = models.OneToOneField(Organization, models.CASCADE, primary_key=True)
    watched = models.JSONField(default=dict)
    """Source of series → ISO time of the end of the last step that was judged."""
    watched_at = models.DateTimeField(null=True)
    advised_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.organization_id} watched until {self.watched}"


class SeriesShard(models.Model):
    """The detector's memory of up to some thousand series: one array as bytes (``watching.shards``)."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="+")
    number = models.PositiveIntegerField()
    format = models.PositiveSmallIntegerField()
    """Of the array; memory in another format is begun anew."""
    keys = models.BinaryField()
    states = models.BinaryField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "number"], name="series_shard_unique")]

    def __str__(self) -> str:
        return f"{self.organization_id} shard {self.number}"


class Anomaly(models.Model):
    """A stretch in which one metric of one resource was far from what is usual there and then."""

    class Feedback(models.TextChoices):
        EXPECTED = "expected", "Expected"
        TROUBLE = "trouble", "Real trouble"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="anomalies")
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="anomalies")
    metric = models.CharField(max_length=40)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField()
    """End of the last step that was unusual."""
    value = models.FloatField()
    """The one farthest off, in the unit of the metric."""
    low = models.FloatField()
    high = models.FloatField()
    surprise = models.FloatField()
    reason = models.CharField(max_length=300)
    told = models.BooleanField(default=False)
    """Whether it became part of an incident, or stayed within the alert budget as a mark on a chart."""
    detail = models.JSONField(default=dict)
    feedback = models.CharField(max_length=10, choices=Feedback.choices, blank=True)
    feedback_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resource", "metric", "started_at"], name="anomaly_once"),
        ]
        indexes = [models.Index(fields=["organization", "-started_at"], name="anomaly_recent")]
        verbose_name_plural = "anomalies"

    def __str__(self) -> str:
        return f"{self.resource_id} {self.metric} {self.started_at:%Y-%m-%d %H:%M}"


class Insight(models.Model):
    """One piece of advice about one resource, from when it is first given until it is seen to be followed."""

    class State(models.TextChoices):
        OPEN = "open", "Open"
        SNOOZED = "snoozed", "Snoozed"
        FIXED = "fixed", "Fixed"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="insights")
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="insights")
    rule = models.CharField(max_length=40)
    topic = models.CharField(max_length=140, blank=True)
    """What tells apart several pieces of advice of one rule about one resource."""
    severity = models.CharField(max_length=10, choices=SEVERITIES)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    text = models.CharField(max_length=500)
    evidence = models.JSONField(default=list)
    """``[[label, value]]`` in words."""
    fixes = models.JSONField(default=list)
    """``[{"way": "cli", "text": str}]``."""
    confidence = models.CharField(max_length=8)
    usd_low = models.FloatField(null=True)
    usd_high = models.FloatField(null=True)
    """A month, saved by following it; None where no money is at stake."""
    saved_bytes = models.BigIntegerField(null=True)
    saved_ms = models.FloatField(null=True)
    opened_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    fixed_at = models.DateTimeField(null=True)
    snoozed_until = models.DateTimeField(null=True)
    snooze_reason = models.CharField(max_length=300, blank=True)
    snoozed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    before = models.JSONField(default=dict)
    """Measures of the resource while the advice stood, by name."""
    outcome = models.JSONField(default=dict)
    """What following it really brought: the same measures afterwards, once there is enough to compare."""

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resource", "rule", "topic"], name="insight_once"),
        ]
        indexes = [models.Index(fields=["organization", "state", "rule"], name="insight_by_state")]

    def __str__(self) -> str:
        return f"{self.rule} for {self.resource_id}"


class Tuning(models.Model):
    """What an organization changed of a rule or a detector: its thresholds, and whether it is asked at all."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="tunings")
    kind = models.CharField(max_length=40)
    enabled = models.BooleanField(default=True)
    values = models.JSONField(default=dict)
    """Name of a ``Knob`` → number; what is not named keeps its default."""
    changed_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "kind"], name="tuning_unique")]

    def __str__(self) -> str:
        return f"{self.organization_id} {self.kind}"


class Incident(models.Model):
    """One problem of one resource, for as long as the same fingerprint keeps coming back."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="incidents")
    number = models.PositiveIntegerField()
    fingerprint = models.CharField(max_length=64)
    kind = models.CharField(max_length=40)
    severity = models.CharField(max_length=10, choices=SEVERITIES)
    state = models.CharField(max_length=12, choices=State.choices, default=State.OPEN)
    title = models.CharField(max_length=300)
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="incidents")
    detail = models.JSONField(default=dict)
    events = models.PositiveBigIntegerField(default=0)
    opened_at = models.DateTimeField()
    """Since when it goes on: its first failure, or when it was last reopened."""
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    muted_until = models.DateTimeField(null=True, blank=True)
    assignee = models.ForeignKey(Membership, models.SET_NULL, null=True, blank=True, related_name="+")
    """A membership rather than a person, so that who leaves the organization leaves its incidents as well."""
    reopened = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["organization", "fingerprint"], name="incident_fingerprint_unique"),
            models.UniqueConstraint(fields=["organization", "number"], name="incident_number_unique"),
        ]
        indexes = [
            models.Index(fields=["organization", "state", "-last_seen_at"], name="incident_by_state"),
            models.Index(fields=["resource", "-last_seen_at"], name="incident_by_resource"),
        ]

    def __str__(self) -> str:
        return f"#{self.number} {self.title}"

    @property
    def is_standing(self) -> bool:
        """Whether it is about what is so, rather than happens, so that no events are counted."""
        return self.kind in STANDING


class Transition(models.Model):
    """One step in an incident's life; the timeline shows them, notifications refer to them."""

    class Kind(models.TextChoices):
        OPENED = "opened", "Opened"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        MUTED = "muted", "Muted"
        UNMUTED = "unmuted", "Unmuted"
        RESOLVED = "resolved", "Resolved"
        REOPENED = "reopened", "Reopened"
        NOTE = "note", "Note"

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="transitions")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    actor = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    note = models.TextField(blank=True)
    happened_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["incident", "happened_at"], name="transition_timeline")]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.kind}"


class Channel(models.Model):
    """A way to reach people: a transport's kind and its settings, encrypted (``tenants.encryption``)."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="channels")
    kind = models.CharField(max_length=20)
    name = models.CharField(max_length=80)
    config = models.BinaryField()
    enabled = models.BooleanField(default=True)
    disabled_reason = models.CharField(max_length=300, blank=True)
    busy_until = models.DateTimeField(null=True, blank=True)
    """Until then nothing is sent here: a message is under way, or the other side asked us to wait."""
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "name"], name="channel_name_unique")]

    def __str__(self) -> str:
        return self.name


class Sensitivity(models.TextChoices):
    """How odd an anomaly must be."""

    LOW = "low", "Only what is extreme"
    MEDIUM = "medium", "What is clearly odd"
    HIGH = "high", "Everything that is odd"


class Policy(models.Model):
    """Which incidents are told to which channels. An organization has its default one from the first minute."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="policies")
    name = models.CharField(max_length=80)
    minimum_severity = models.CharField(max_length=10, choices=SEVERITIES, default=Severity.WARNING)
    kinds = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    sensitivity = models.CharField(max_length=8, choices=Sensitivity.choices, default=Sensitivity.MEDIUM)
    """Of anomalies, which are worth telling; of other incidents it says nothing."""
    tell_resolved = models.BooleanField(default=True)
    enabled = models.BooleanField(default=True)
    channels = models.ManyToManyField(Channel, related_name="policies", blank=True)
    is_default = models.BooleanField(default=False)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["organization"], condition=models.Q(is_default=True), name="policy_one_default"
            )
        ]
        verbose_name_plural = "policies"

    def __str__(self) -> str:
        return self.name


TESTS = models.Q(transition=None, about=None)
"""The notifications that only try out their channel."""


class Notification(models.Model):
    """One message to one channel: the outbox row is written with the transition that causes it, and sent later."""

    class Status(models.TextChoices):
        PENDING = "pending", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Gave up"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(Organization, models.CASCADE, related_name="notifications")
    channel = models.ForeignKey(Channel, models.CASCADE, related_name="notifications")
    transition = models.ForeignKey(Transition, models.CASCADE, null=True, related_name="notifications")
    about = models.ForeignKey(Channel, models.CASCADE, null=True, related_name="+")
    """The channel that was switched off, if that is what it tells. Without transition and this it is a test."""
    policy_name = models.CharField(max_length=80, blank=True)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.PENDING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)
    last_error = models.CharField(max_length=500, blank=True)
    reached = ArrayField(models.CharField(max_length=64), default=list, blank=True)
    """Who has the message, while others wait for another try: a transport's own names for them."""
    told_with = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="riders")
    """In a storm one message tells of many: the notification whose message did."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["transition", "channel"], name="notification_once_per_channel")]
        indexes = [
            models.Index(
                fields=["due_at", "created_at", "transition", "id"],
                condition=models.Q(status="pending"),
                name="notification_in_line",
            ),
            models.Index(fields=["channel", "-created_at"], name="notification_log"),
            models.Index(
                fields=["channel", "-sent_at"],
                condition=models.Q(sent_at__isnull=False, told_with=None),
                name="notification_sent",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel_id} {self.status}"

    @property
    def is_test(self) -> bool:
        return self.transition_id is None and self.about_id is None


class DeliveryAttempt(models.Model):
    """One try to send a notification, as the delivery log shows it."""

    notification = models.ForeignKey(Notification, models.CASCADE, related_name="attempts_log")
    attempted_at = models.DateTimeField()
    ok = models.BooleanField()
    detail = models.CharField(max_length=500, blank=True)
    duration_ms = models.PositiveIntegerField()

    class Meta:
        indexes = [models.Index(fields=["notification", "attempted_at"], name="attempt_log")]

    def __str__(self) -> str:
        return f"{self.notification_id} {'ok' if self.ok else 'failed'}"
