"""The composition root: which app answers which path. Everything of a tenant lives under ``/o/<organization>/``."""

from django.conf import settings
from django.urls import include, path

urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("", include("observability.health")),
    path("", include("ingest.exposition")),
    path("ingest/", include("ingest.urls")),
    path("ci/", include("ingest.script")),
    path("o/<slug:organization>/", include("observability.dashboards.urls")),
    path("o/<slug:organization>/", include("alerts.urls")),
    path("o/<slug:organization>/", include("observability.aws.urls")),
    path("o/<slug:organization>/", include("observability.extension.urls")),
    path("o/<slug:organization>/", include("ingest.pages_urls")),
    path("", include("observability.tenants.urls")),
]

if settings.DEMO:
    urlpatterns.append(path("demo/", include("demo.urls")))
