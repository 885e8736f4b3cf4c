"""Who may call a view: ``@role_required`` on top of what ``OrganizationMiddleware`` has established."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from observability.tenants.models import Membership, Organization, Role, User

P = ParamSpec("P")


class MemberRequest(HttpRequest):
    """A request inside ``/o/<organization>/``, by a signed-in member of that organization."""

    user: User
    organization: Organization
    membership: Membership


View = Callable[Concatenate[MemberRequest, P], HttpResponseBase]


def role_required(role: Role) -> Callable[[View[P]], View[P]]:
    """Refuse members weaker than ``role`` with 403; strangers never get this far (404)."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: MemberRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not request.membership.may(role):
                raise PermissionDenied(f"This needs the role {role.label.lower()} or stronger.")
            return view(request, *args, **kwargs)

        guarded.__dict__["required_role"] = role  # The tenant matrix test reads it.
        return cast("View[P]", guarded)

    return decorate
