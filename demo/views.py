"""The demo's inbox: every message that its receivers took, as its reader would see it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp, csp_update
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_GET

from demo import company
from demo import inbox as letters
from demo.inbox import Kind, Message
from demo.slack import Post, post
from observability.tenants.models import Membership

SHOWN = 50
KINDS = {"": "Everything", Kind.SLACK: "Slack", Kind.WEBHOOK: "Webhooks", Kind.MAIL: "E-mail"}

View = Callable[..., HttpResponseBase]


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    current: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """A message with what only its kind has."""

    message: Message
    post: Post | None


def insiders_only(view: View) -> View:
    """Members of the demo's organization, and nobody else: the inbox also holds letters about passwords."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: str, **kwargs: str) -> HttpResponseBase:
        membership = (
            Membership.objects.filter(organization__slug=company.SLUG, organization__archived_at=None)
            .filter(user=request.user.pk)
            .select_related("organization")
            .first()
        )
        if membership is None:
            raise Http404
        request.organization, request.membership = membership.organization, membership  # type: ignore[attr-defined]
        return view(request, *args, **kwargs)

    return login_required(guarded)


@require_GET
@insiders_only
@csp_update({"frame-src": [SELF]})
def inbox(request: HttpRequest) -> HttpResponse:
    """The newest messages; ``?kind=`` narrows them, ``?after=`` asks for a fragment with those newer than a name."""
    kind, after = request.GET.get("kind", ""), request.GET.get("after", "")
    if kind not in KINDS:
        raise Http404
    names = [name for name in letters.names() if name > after and name.endswith(kind)][:SHOWN]
    if "after" in request.GET and not names:
        return HttpResponse(status=204)
    entries = [entry(message) for name in names if (message := letters.get(name))]
    tabs = [Tab(label, f"?kind={key}", key == kind) for key, label in KINDS.items()]
    context = {"title": "Demo inbox", "nav": "demo", "entries": entries, "tabs": tabs, "kind": kind}
    context["newest"] = names[0] if names else after
    return render(request, "demo/messages.html" if "after" in request.GET else "demo/inbox.html", context)


def entry(message: Message) -> Entry:
    return Entry(message, post(message.content) if message.kind == Kind.SLACK else None)


@require_GET
@insiders_only
@xframe_options_sameorigin
@csp(  # type: ignore[arg-type]  # django-csp types only views without arguments.
    {
        "default-src": [NONE],
        "style-src": [UNSAFE_INLINE],
        "img-src": ["data:"],
        "base-uri": [SELF],
        "frame-ancestors": [SELF],
        "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
    }
)
def mail(request: HttpRequest, name: str) -> HttpResponse:
    """A letter's own HTML, which may style itself and open links in a new tab, and do nothing else."""
    message = letters.get(name)
    if message is None or message.kind != Kind.MAIL:
        raise Http404
    return HttpResponse('<base target="_blank">' + message.content["html"])
