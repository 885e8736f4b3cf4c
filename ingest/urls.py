from django.urls import path

from ingest.views import openapi, telemetry

app_name = "ingest"
urlpatterns = [
    path("v1/telemetry", telemetry, name="telemetry"),
    path("v1/openapi.json", openapi, name="openapi"),
]
