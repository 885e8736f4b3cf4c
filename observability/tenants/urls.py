"""Paths of people and organizations; the settings of one live under ``/o/<organization>/settings/``."""

from django.urls import include, path

from observability.tenants.views import audit, entrance, general, keys, members, telemetry

app_name = "tenants"
settings_urls = [
    path("", general.show, name="settings"),
    path("rename/", general.rename, name="rename"),
    path("delete/", general.delete, name="delete"),
    path("members/", members.show, name="members"),
    path("members/invite/", members.invite, name="invite"),
    path("members/leave/", members.leave, name="leave"),
    path("members/<int:membership_id>/role/", members.change_role, name="member_role"),
    path("members/<int:membership_id>/remove/", members.remove, name="member_remove"),
    path("invitations/<int:invitation_id>/revoke/", members.revoke, name="invitation_revoke"),
    path("keys/", keys.show, name="keys"),
    path("keys/new/", keys.create, name="key_new"),
    path("keys/<int:key_id>/revoke/", keys.revoke, name="key_revoke"),
    path("telemetry/", telemetry.show, name="telemetry"),
    path("telemetry/sample/", telemetry.sample, name="telemetry_sample"),
    path("telemetry/pause/", telemetry.pause, name="telemetry_pause"),
    path("audit/", audit.show, name="audit"),
]
urlpatterns = [
    path("", entrance.home, name="home"),
    path("setup/", entrance.setup, name="setup"),
    path("account/", entrance.account, name="account"),
    path("organizations/new/", entrance.organization_new, name="organization_new"),
    path("invitations/<str:token>/", entrance.invitation, name="invitation"),
    path("o/<slug:organization>/settings/", include(settings_urls)),
]
