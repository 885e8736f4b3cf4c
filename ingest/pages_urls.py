from django.urls import path

from ingest import account_pages

app_name = "collection"
urlpatterns = [
    path("aws/standings/", account_pages.standings, name="standings"),
    path("aws/<int:connection_id>/health/", account_pages.health, name="health"),
    path("aws/<int:connection_id>/regions/", account_pages.regions, name="regions"),
    path("aws/<int:connection_id>/backfill/", account_pages.backfill, name="backfill"),
    path("aws/<int:connection_id>/backfill/new/", account_pages.backfill_new, name="backfill_new"),
    path("aws/<int:connection_id>/collection/", account_pages.account, name="account"),
]
