"""Packages by the dozen, as measuring leaves them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from observability.inventory.models import Layer, Package, Resource

MIB = 1 << 20
LAYER = "arn:aws:lambda:eu-west-1:123456789012:layer:"
_serial = count()


def package(resource: Resource, *, age: timedelta = timedelta(hours=1), **fields: Any) -> Package:
    """One package of a function that was deployed so long ago."""
    at: datetime = timezone.now() - age
    values: dict[str, Any] = {
        "digest": f"digest-{next(_serial)}", "source": Package.Source.ARCHIVE, "code_bytes": 100 * MIB,
        "layers_bytes": 0, "deployed_at": at, "measured_at": at,
    }  # fmt: skip
    return Package.objects.create(organization=resource.organization, resource=resource, **values | fields)


def grown(resource: Resource, sizes: Sequence[int], **fields: Any) -> list[Package]:
    """The packages of a function that was deployed once a day, the last one an hour ago; sizes in MiB."""
    return [
        package(resource, age=timedelta(days=len(sizes) - number, hours=1), version=str(number), **sized | fields)
        for number, sized in enumerate(({"code_bytes": size * MIB} for size in sizes), start=1)
    ]


def layer(resource: Resource, name: str, version: int = 1, **fields: Any) -> Layer:
    """A version of a layer that was read."""
    values: dict[str, Any] = {"zipped_bytes": 10 * MIB, "unzipped_bytes": 40 * MIB, "measured_at": timezone.now()}
    return Layer.objects.create(organization=resource.organization, arn=f"{LAYER}{name}:{version}", **values | fields)


def carry(resource: Resource, *layers: str, **config: Any) -> Resource:
    """The function with these layers (``name:version``), and whatever else AWS tells of it."""
    told = [{"arn": LAYER + each, "code_bytes": 10 * MIB} for each in layers]
    resource.config = {**resource.config, "layers": told, **config}
    resource.save()
    return resource
