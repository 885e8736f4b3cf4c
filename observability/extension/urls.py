from django.urls import path

from observability.extension import views

app_name = "extension"
urlpatterns = [
    path("extension/", views.install, name="install"),
    path("extension/working/", views.working, name="working"),
    path("extension/layers/<slug:architecture>/", views.layer, name="layer"),
]
