"""What ingest keeps for itself: what could not be stored, and how far each source has been read."""

from django.db import models

from observability.aws.models import AwsAccount
from observability.inventory.models import Resource
from observability.tenants.models import Organization, User


class DeadLetter(models.Model):
    """One event (or whole buffer entry) that storing refused; kept 14 days so that it can be replayed."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="dead_letters")
    entry_id = models.CharField(max_length=64)
    position = models.IntegerField(default=0)
    code = models.CharField(max_length=40)
    reason = models.CharField(max_length=500)
    payload = models.BinaryField()
    attempts = models.PositiveSmallIntegerField(default=1)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["entry_id", "position"], name="dead_letter_once")]
        indexes = [models.Index(fields=["organization", "-created_at"], name="dead_letter_recent")]

    def __str__(self) -> str:
        return f"{self.entry_id}#{self.position} {self.code}"


class Collection(models.Model):
    """What one collector does in one region of one account: when it is due, how far it got, how it went.

    The row is the truth about what has to be done; Celery only rings. ``leased_until`` says that a worker has it.
    """

    account = models.ForeignKey(AwsAccount, models.CASCADE, related_name="collections")
    region = models.CharField(max_length=30)
    kind = models.CharField(max_length=40)
    cursor = models.JSONField(default=dict, blank=True)
    due_at = models.DateTimeField()
    leased_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    """In a row; each makes the next try wait longer."""
    started_at = models.DateTimeField(null=True, blank=True)
    succeeded_at = models.DateTimeField(null=True, blank=True)
    trouble = models.CharField(max_length=40, blank=True)
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region", "kind"], name="collection_unique")]
        indexes = [models.Index(fields=["due_at"], name="collection_due")]

    def __str__(self) -> str:
        return f"{self.kind} in {self.account_id}/{self.region}"


class LogGroup(models.Model):
    """How far one log group has been read. Everything before ``read_until`` is stored, late events excepted.

    ``swept_until`` trails behind: everything before it has been read again for late events, and is complete.
    """

    account = models.ForeignKey(AwsAccount, models.CASCADE, related_name="log_groups")
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="log_groups")
    region = models.CharField(max_length=30)
    name = models.CharField(max_length=512)
    due_at = models.DateTimeField()
    read_until = models.DateTimeField()
    swept_until = models.DateTimeField()
    last_event_at = models.DateTimeField(null=True, blank=True)
    idle = models.PositiveSmallIntegerField(default=0)
    """How many reads in a row found nothing; each makes the next one wait longer."""
    pace = models.FloatField(default=0)
    """Events per second when it was last read: how far back a reading may reach costs by it."""
    retention_days = models.PositiveIntegerField(null=True, blank=True)
    """After how long AWS deletes its events; None for never, or when AWS has not told yet."""
    described_at = models.DateTimeField(null=True, blank=True)
    pushes_since = models.DateTimeField(null=True, blank=True)
    """Since when the extensions of its functions send all of it, as noticed; what was before is read to its end."""
    trouble = models.CharField(max_length=40, blank=True)
    """Why nothing is read here, if so: the reason of a gap in the coverage ledger."""
    detail = models.CharField(max_length=500, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["account", "region", "name"], name="log_group_unique")]
        indexes = [models.Index(fields=["account", "region", "due_at"], name="log_group_due")]

    def __str__(self) -> str:
        return self.name


class Backfill(models.Model):
    """History of an account's log groups, asked for by a person: ``[start, end)`` of every group, newest hour first."""

    account = models.ForeignKey(AwsAccount, models.CASCADE, related_name="backfills")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    start = models.DateTimeField()
    end = models.DateTimeField()
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    events = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.account_id} {self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}"


class BackfillGroup(models.Model):
    """How far back a backfill has got in one log group: everything in ``[read_until, end)`` of it is stored."""

    backfill = models.ForeignKey(Backfill, models.CASCADE, related_name="groups")
    group = models.ForeignKey(LogGroup, models.CASCADE, related_name="+")
    read_until = models.DateTimeField()
    pace = models.FloatField(default=0)
    """Events per second in what was last read."""
    done = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["backfill", "group"], name="backfill_group_unique")]

    def __str__(self) -> str:
        return f"{self.backfill_id}/{self.group_id}"


class Expectation(models.Model):
    """That a function runs by a schedule: how the schedule was when last seen, and up to where its runs are judged."""

    rule = models.ForeignKey(Resource, models.CASCADE, related_name="+")
    function = models.ForeignKey(Resource, models.CASCADE, related_name="expectations")
    schedule = models.CharField(max_length=400)
    """Its expression and all else that says when it is due; when that changes, judging begins anew."""
    judged_until = models.DateTimeField()
    delay_s = models.FloatField(default=0)
    """How long after it was due the function began to run, at the longest of late."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["rule", "function"], name="expectation_unique")]

    def __str__(self) -> str:
        return f"{self.function_id} by {self.rule_id}: {self.schedule}"
