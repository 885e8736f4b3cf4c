from django.urls import path

from ingest.views import openapi, package_check, telemetry

app_name = "ingest"
urlpatterns = [
    path("v1/telemetry", telemetry, name="telemetry"),
    path("v1/packages/check", package_check, name="package_check"),
    path("v1/openapi.json", openapi, name="openapi"),
]
