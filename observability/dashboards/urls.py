from django.urls import path

from observability.dashboards.account_preview import account_preview
from observability.dashboards.account_progress import account_progress
from observability.dashboards.cost import cost, cost_csv
from observability.dashboards.coverage import coverage
from observability.dashboards.function import function
from observability.dashboards.functions import functions
from observability.dashboards.invocations import invocation, invocations
from observability.dashboards.logs import logs, logs_tail
from observability.dashboards.overview import overview
from observability.dashboards.packages import packages
from observability.dashboards.resource import resource
from observability.dashboards.resources import resources
from observability.dashboards.search import search

app_name = "dashboards"
urlpatterns = [
    path("", overview, name="overview"),
    path("functions/", functions, name="functions"),
    path("functions/<int:resource_id>/", function, name="function"),
    path("invocations/", invocations, name="invocations"),
    path("invocations/<uuid:event_id>/", invocation, name="invocation"),
    path("logs/", logs, name="logs"),
    path("logs/tail/", logs_tail, name="logs_tail"),
    path("resources/", resources, name="resources"),
    path("resources/<int:resource_id>/", resource, name="resource"),
    path("aws/<int:connection_id>/progress/", account_progress, name="account_progress"),
    path("aws/<int:connection_id>/preview/", account_preview, name="account_preview"),
    path("coverage/", coverage, name="coverage"),
    path("packages/", packages, name="packages"),
    path("cost/", cost, name="cost"),
    path("cost/csv/", cost_csv, name="cost_csv"),
    path("search/", search, name="search"),
]
