"""The ways to get the extension into a function, in the words of each tool, filled in for one installation.

The texts are the templates in ``templates/extension/ways``; docs/howto/install-the-extension.md shows the same.
"""

import re
from dataclasses import asdict, dataclass

from django.template.loader import render_to_string

from observability.aws.regions import partition_of

NAME = re.compile(r"[A-Za-z0-9_-]{1,140}", re.ASCII)
"""Of functions; others would not be safe in a command."""

SOME_FUNCTION = "my-function"
SOME_ACCOUNT = "123456789012"
SOME_KEY = "YOUR_INGEST_KEY"


@dataclass(frozen=True, slots=True)
class Filling:
    """What the texts are filled with. Every value is safe between quotes, whatever the tool."""

    endpoint: str
    key: str
    layer: str
    region: str
    account: str
    architecture: str
    function: str

    @property
    def partition(self) -> str:
        return partition_of(self.region)

    @property
    def snake(self) -> str:
        """The function's name in Terraform, where it must not begin with a digit."""
        name = re.sub(r"[^A-Za-z0-9]+", "_", self.function).strip("_").lower()
        return name if name[:1].isalpha() else f"function_{name}"


@dataclass(frozen=True, slots=True)
class Text:
    """Something to be copied, and what it is."""

    name: str
    text: str
    wrap: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """One tool. ``files`` are pairs of what a text is, and the template that it comes from."""

    key: str
    label: str
    lead: str
    files: tuple[tuple[str, str], ...]

    def texts(self, filling: Filling) -> list[Text]:
        return [Text(name, render(template, filling), wrap=template.endswith(".sh")) for name, template in self.files]


WAYS = (
    Way(
        "console",
        "AWS console",
        "Open the function in the Lambda console.",
        (("Layer", "layer.txt"), ("Variables", "variables.txt")),
    ),
    Way(
        "cli",
        "AWS CLI",
        "In CloudShell or a terminal. It keeps the layers and variables that the function has, and replaces an "
        "older layer of Nightjar.",
        (("Command", "cli.sh"),),
    ),
    Way(
        "sam",
        "SAM",
        "For every function of the template; the same lines work under Properties of a single one.",
        (("template.yaml", "sam.yaml"), ("Command", "sam.sh")),
    ),
    Way(
        "cdk-typescript",
        "CDK, TypeScript",
        "In the constructor of the stack that makes the function.",
        (("stack.ts", "cdk.ts"), ("Command", "cdk.sh")),
    ),
    Way(
        "cdk-python",
        "CDK, Python",
        "In the constructor of the stack that makes the function.",
        (("stack.py", "cdk.py.txt"), ("Command", "cdk.sh")),
    ),
    Way(
        "serverless",
        "Serverless Framework",
        "For every function of the service. One with layers of its own has to name this one too, because they take "
        "the place of those of the provider.",
        (("serverless.yml", "serverless.yml"), ("Command", "serverless.sh")),
    ),
    Way(
        "terraform",
        "Terraform",
        "For Terraform and OpenTofu.",
        (("main.tf", "terraform.tf"), ("Command", "terraform.sh")),
    ),
    Way(
        "image",
        "Container image",
        "Layers do not work with images: the extension is copied into yours. The image it comes from is built "
        "from extension/Dockerfile.",
        (("Dockerfile", "image.Dockerfile"), ("Command", "image.sh")),
    ),
)
SECRET = (("Store the key", "secret.sh"), ("policy.json, for the role of the function", "policy.json"))
PUBLISH = ("Publish it", "publish.sh")


def render(template: str, filling: Filling) -> str:
    values = asdict(filling) | {"partition": filling.partition, "snake": filling.snake}
    return render_to_string(f"extension/ways/{template}", values).strip("\n")


def secret(filling: Filling) -> list[Text]:
    """How the key is kept out of the function's configuration."""
    return [Text(name, render(template, filling), wrap=template.endswith(".sh")) for name, template in SECRET]


def publishing(filling: Filling) -> Text:
    """How people publish the layer themselves, in the account of the function."""
    name, template = PUBLISH
    return Text(name, render(template, filling), wrap=True)
