"""A fragment for the settings of an AWS account: which of its functions a choice would watch."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.http import HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from observability.aws.models import AwsAccount
from observability.dashboards.kinds import FUNCTION
from observability.inventory.selection import Selection
from observability.tenants.access import MemberRequest
from observability.tenants.models import Organization

SHOWN = 12
LONGEST = 10_000
"""Characters of patterns that are worth a look; a browser sends no more than a form may hold."""


@dataclass(frozen=True, slots=True)
class Match:
    """The names on one side of the choice, and how many more there are than are shown."""

    names: Sequence[str]

    @property
    def shown(self) -> Sequence[str]:
        return self.names[:SHOWN]

    @property
    def more(self) -> int:
        return max(0, len(self.names) - SHOWN)


@require_GET
def account_preview(request: MemberRequest, connection_id: int) -> HttpResponse:
    account = get_object_or_404(request.organization.aws_accounts, pk=connection_id)
    watched, left_out = split(request.organization, account, chosen(account, request.GET))
    total = len(watched.names) + len(left_out.names)
    context = {"account": account, "watched": watched, "left_out": left_out, "total": total}
    return render(request, "dashboards/account_preview.html", context)


def chosen(account: AwsAccount, query: QueryDict) -> Selection:
    """The choice that the form shows, line by line; without any of its fields the one that is saved."""
    kinds = {kind: {part: f"{kind}_{part}" for part in ("names", "tags")} for kind in ("include", "exclude")}
    if not any(name in query for parts in kinds.values() for name in parts.values()):
        return Selection.from_json(account.selection)
    return Selection.from_json(
        {
            kind: {part: query.get(name, "")[:LONGEST].splitlines() for part, name in parts.items()}
            for kind, parts in kinds.items()
        }
    )


def split(organization: Organization, account: AwsAccount, selection: Selection) -> tuple[Match, Match]:
    """The functions of the account that are watched, and those that are left out, by name."""
    mine = organization.resources.filter(type=FUNCTION, account=account.account_id, gone_at=None)
    known = mine.order_by("name").values_list("name", "config__tags")
    sides: tuple[list[str], list[str]] = ([], [])
    for name, tags in known:
        sides[0 if selection.matches(name, tags or {}) else 1].append(name)
    return Match(sides[0]), Match(sides[1])
