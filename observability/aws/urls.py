from django.urls import path

from observability.aws.views import accounts, checking, choosing, role

app_name = "aws"
urlpatterns = [
    path("aws/", accounts.accounts, name="accounts"),
    path("aws/<int:connection_id>/", accounts.account, name="account"),
    path("aws/<int:connection_id>/standing/", accounts.account_standing, name="standing"),
    path("aws/<int:connection_id>/permissions/", accounts.permissions, name="permissions"),
    path("aws/<int:connection_id>/settings/", accounts.settings, name="settings"),
    path("aws/<int:connection_id>/check/", accounts.check, name="check"),
    path("aws/connect/", choosing.connect, name="connect"),
    path("aws/<int:connection_id>/role/", role.role, name="role"),
    path("aws/<int:connection_id>/template/", role.template, name="template"),
    path("aws/<int:connection_id>/verify/", checking.verify, name="verify"),
    path("aws/<int:connection_id>/checklist/", checking.checks, name="checklist"),
    path("aws/<int:connection_id>/first-data/", checking.first_data, name="first_data"),
    path("aws/<int:connection_id>/alerts/", checking.alerts, name="alerts"),
    path("aws/<int:connection_id>/again/", choosing.again, name="again"),
    path("aws/<int:connection_id>/disconnect/", choosing.disconnect, name="disconnect"),
]
