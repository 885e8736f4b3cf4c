"""Where the extension can be had as a layer."""

from django.contrib.postgres.fields import ArrayField
from django.db import models


class Layer(models.Model):
    """The version that was published last to one region, for one architecture."""

    region = models.CharField(max_length=30)
    architecture = models.CharField(max_length=10)
    arn = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=44)
    """As AWS tells it: Base64."""
    readers = ArrayField(models.CharField(max_length=12), default=list)
    """The accounts that may use it besides the one it is in; ``*`` is everybody."""
    published_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["region", "architecture"], name="layer_unique")]

    def __str__(self) -> str:
        return self.arn

    def is_for(self, account: str) -> bool:
        """Whether functions of the account may use it."""
        return bool({"*", account} & {*self.readers, self.arn.split(":")[4]})
