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


class Package(models.Model):
    """One deployed package of a function: what its code and its layers take, zipped and unzipped. Bytes throughout.

    A function has one row for every digest that was deployed, so that its rows are the history of its size.
    """

    class Source(models.TextChoices):
        ARCHIVE = "archive", "Directory of the zip"
        EXTENSION = "extension", "Measured by the extension"
        IMAGE = "image", "Container registry"

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="packages")
    resource = models.ForeignKey(Resource, models.CASCADE, related_name="packages")
    digest = models.CharField(max_length=64)
    """Of the code's SHA-256 and the ARNs of the layers, or of the image: what makes two packages the same."""
    version = models.CharField(max_length=64, blank=True)
    source = models.CharField(max_length=12, choices=Source.choices)
    zipped_bytes = models.BigIntegerField(null=True)
    code_bytes = models.BigIntegerField(null=True)
    """Of the code alone, unzipped; None where nobody could tell."""
    layers_bytes = models.BigIntegerField(null=True)
    """Of all layers together, unzipped."""
    image_bytes = models.BigIntegerField(null=True)
    files = models.PositiveIntegerField(null=True)
    complete = models.BooleanField(default=True)
    """Whether the sizes are exact; else they are the least that it can be."""
    folders = models.JSONField(default=list)
    """The largest folders: ``[{"path": str, "bytes": int}]``."""
    dependencies = models.JSONField(default=list)
    """``[{"name", "version", "ecosystem", "bytes", "files", "digest"}]``, the largest first."""
    waste = models.JSONField(default=dict)
    """Bytes that need not be deployed, by category of ``dependencies.py``."""
    layers = models.JSONField(default=list)
    """ARNs of the layers, in order."""
    problem = models.CharField(max_length=40, blank=True)
    """Why it could not be read, as ``aws.archives`` names it; empty when it was."""
    deployed_at = models.DateTimeField()
    measured_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["resource", "digest"], name="package_once")]
        indexes = [models.Index(fields=["resource", "-deployed_at"], name="package_history")]

    def __str__(self) -> str:
        return f"{self.resource} {self.version or self.digest[:8]}"


class Layer(models.Model):
    """One version of a layer, which never changes: what it holds, read once."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="layers")
    arn = models.CharField(max_length=400)
    zipped_bytes = models.BigIntegerField(null=True)
    unzipped_bytes = models.BigIntegerField(null=True)
    files = models.PositiveIntegerField(null=True)
    folders = models.JSONField(default=list)
    dependencies = models.JSONField(default=list)
    problem = models.CharField(max_length=40, blank=True)
    measured_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["organization", "arn"], name="layer_arn_unique")]

    def __str__(self) -> str:
        return self.arn
