"""What people may change of a connection: all but the account itself and the external id."""

from typing import Any

from observability.aws.forms import ConnectForm
from observability.aws.models import AwsAccount


class AccountForm(ConnectForm):
    """Name, regions, tiers and the choice of functions."""

    account_id = None  # type: ignore[assignment]  # Django's way of leaving an inherited field out.


def initial(account: AwsAccount) -> dict[str, Any]:
    """What the form shows of an account."""
    patterns = {
        f"{kind}_{part}": "\n".join((account.selection.get(kind) or {}).get(part) or ())
        for kind in ("include", "exclude")
        for part in ("names", "tags")
    }
    return {"name": account.name, "regions": account.regions, "tiers": account.tiers, **patterns}
