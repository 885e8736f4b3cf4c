"""What: the things that run in a customer's account, and how they change."""

from django.db import models

from observability.tenants.models import Organization


class Resource(models.Model):
    """One AWS resource. ``config`` holds what is known about it in AWS's own terms, as JSON."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="resources")
    type = models.CharField(max_length=40, default="lambda_function")
    arn = models.CharField(max_length=400)
    name = models.CharField(max_length=140)
    region = models.CharField(max_length=30)
    account = models.CharField(max_length=12)
    config = models.JSONField(default=dict)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    listed_at = models.DateTimeField(null=True, blank=True)
    """When AWS last listed it; None when only its telemetry told of it."""
    gone_at = models.DateTimeField(null=True, blank=True)
    """When a complete listing first lacked it: deleted, its history stays."""
    pushed_at = models.DateTimeField(null=True, blank=True)
    """When its extension last sent telemetry; what pushes is not read from its log group as well."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "arn"], name="resource_arn_unique")]
        indexes = [models.Index(fields=["organization", "type", "name"], name="resource_by_name")]

    def __str__(self) -> str:
        return self.name


class Deployment(models.Model):
    """A change of a resource's code or configuration, first noticed at ``deployed_at``."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="deployments")
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="deployments")
    version = models.CharField(max_length=64)
    changes = models.JSONField(default=dict)
    deployed_at = models.DateTimeField()
    listed_at = models.DateTimeField(null=True, blank=True)
    """When AWS's listing told of it; None when only telemetry did. See ``deployments.py``."""

    class Meta:
        constraints = [models.UniqueConstraint(fields=["resource", "version"], name="deployment_version_unique")]
        indexes = [models.Index(fields=["organization", "-deployed_at"], name="deployment_recent")]

    def __str__(self) -> str:
        return f"{self.resource} {self.version}"
