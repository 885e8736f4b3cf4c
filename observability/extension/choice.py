"""For which function the extension is to be installed, and from which layer."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.http import Http404

from observability.aws.regions import partition_of, regions
from observability.extension import layers, snippets
from observability.extension.models import Layer
from observability.inventory.listing import FUNCTION
from observability.inventory.models import Resource
from observability.tenants.models import Organization

DIGITS = 18
MOST = 500
"""So many functions can be chosen from; all others have a link on their own page."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody chose. Without a function, the texts hold a name that has to be replaced."""

    function: Resource | None
    region: str
    architecture: str
    layer: Layer | None
    """None when nothing is published there that the function may use."""

    @property
    def is_image(self) -> bool:
        return self.function is not None and self.function.config.get("package_type") == "Image"

    def filling(self, *, endpoint: str, key: str) -> snippets.Filling:
        account = self.function.account if self.function else snippets.SOME_ACCOUNT
        named = self.function is not None and snippets.NAME.fullmatch(self.function.name)
        return snippets.Filling(
            endpoint=endpoint,
            key=key or snippets.SOME_KEY,
            layer=self.layer.arn if self.layer else own_arn(account, self.region, self.architecture),
            region=self.region,
            account=account,
            architecture=self.architecture,
            function=self.function.name if self.function and named else snippets.SOME_FUNCTION,
        )


def own_arn(account: str, region: str, architecture: str) -> str:
    """What the first version is called that people publish in an account of theirs."""
    return f"arn:{partition_of(region)}:lambda:{region}:{account}:layer:{layers.layer_name(architecture)}:1"


def functions(organization: Organization) -> list[Resource]:
    """Those that may be chosen."""
    mine = organization.resources.filter(type=FUNCTION, gone_at=None)
    return list(mine.only("pk", "name", "region", "account").order_by("name", "region", "pk")[:MOST])


def choose(organization: Organization, query: Mapping[str, str], *, home_region: str) -> Choice:
    """What the query asks for. A function that is not there is ``Http404``."""
    function = _function(organization, query.get("function", ""))
    known = str(function.config.get("architecture", "")) if function else ""
    architecture = known or query.get("architecture", "")
    if architecture not in layers.ARCHITECTURES:
        architecture = layers.ARCHITECTURES[0]
    region = function.region if function else query.get("region", "")
    if not function and region not in {each.code for each in regions()}:
        region = home_region
    layer = Layer.objects.filter(region=region, architecture=architecture).first()
    if layer and function and not layer.is_for(function.account):
        layer = None
    return Choice(function, region, architecture, layer)


def _function(organization: Organization, wanted: str) -> Resource | None:
    if not wanted:
        return None
    number = wanted if wanted.isascii() and wanted.isdecimal() and len(wanted) <= DIGITS else "0"
    found = organization.resources.filter(type=FUNCTION, pk=number).first()
    if found is None:
        raise Http404("There is no such function.")
    return found
