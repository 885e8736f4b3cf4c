"""What the customers of the demo do in their own accounts: they make the roles that the wizard asks them for."""

from botocore.exceptions import ClientError

from demo import company
from demo.aws.server import PRINCIPAL, SimulatedAws
from observability.aws import role
from observability.aws.models import AwsAccount


class Customers:
    """Deploys the template of each connection of the demo's organization, as soon as it waits for its role."""

    def __init__(self, aws: SimulatedAws) -> None:
        self.aws = aws
        self.deployed: dict[str, tuple[str, ...]] = {}

    def deploy_what_is_missing(self) -> None:
        connections = AwsAccount.objects.filter(
            organization__slug=company.SLUG, account_id__in=company.AWS_ACCOUNTS, disconnected_at=None
        )
        for connection in connections:
            tiers = tuple(connection.tiers)
            if self.deployed.get(connection.role_arn) != tiers:
                self.deploy(role.of_connection(connection, principal=PRINCIPAL))
                self.deployed[connection.role_arn] = tiers

    def deploy(self, wanted: role.Role) -> None:
        """Make the stack, or bring it up to date."""
        formation = self.aws.account(wanted.account).client("cloudformation", wanted.region)
        stack = {
            "StackName": wanted.name,
            "TemplateBody": wanted.template(),
            "Capabilities": ["CAPABILITY_NAMED_IAM"],
        }
        try:
            formation.create_stack(**stack)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AlreadyExistsException":
                raise
            formation.update_stack(**stack)
