"""The pages of the demo, under ``/demo/``."""

from django.urls import path

from demo import views

app_name = "demo"
urlpatterns = [
    path("inbox", views.inbox, name="inbox"),
    path("inbox/<str:name>/html", views.mail, name="mail"),
]
