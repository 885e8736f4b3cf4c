from django.urls import path

from alerts.views import anomalies, channels, incidents, insights, policies, rules

app_name = "alerts"
urlpatterns = [
    path("incidents/", incidents.incidents_list, name="incidents"),
    path("incidents/open/", incidents.open_incidents, name="open_incidents"),
    path("incidents/count/", incidents.incident_count, name="incident_count"),
    path("incidents/<int:number>/", incidents.incident, name="incident"),
    path("incidents/<int:number>/<str:action>/", incidents.incident_action, name="incident_action"),
    path("anomalies/", anomalies.anomalies_page, name="anomalies"),
    path("anomalies/of/<int:resource_id>/", anomalies.resource_anomalies, name="resource_anomalies"),
    path("anomalies/<int:anomaly_id>/feedback/", anomalies.anomaly_feedback, name="anomaly_feedback"),
    path("insights/", insights.insights_page, name="insights"),
    path("insights/csv/", insights.insights_csv, name="insights_csv"),
    path("insights/count/", insights.insight_count, name="insight_count"),
    path("insights/look/", insights.insights_look, name="insights_look"),
    path("insights/looked/", insights.insights_looked, name="insights_looked"),
    path("insights/rules/", rules.rules_page, name="insight_rules"),
    path("insights/rules/<str:rule>/", rules.rule_page, name="insight_rule"),
    path("insights/<int:insight_id>/snooze/", insights.insight_snooze, name="insight_snooze"),
    path("insights/<int:insight_id>/unsnooze/", insights.insight_unsnooze, name="insight_unsnooze"),
    path("resources/<int:resource_id>/insights/", insights.resource_insights, name="resource_insights"),
    path("channels/", channels.channels, name="channels"),
    path("channels/new/<str:kind>/", channels.channel_new, name="channel_new"),
    path("channels/<int:channel_id>/", channels.channel, name="channel"),
    path("channels/<int:channel_id>/test/", channels.channel_test, name="channel_test"),
    path("channels/<int:channel_id>/switch/", channels.channel_switch, name="channel_switch"),
    path("channels/<int:channel_id>/secrets/", channels.channel_secrets, name="channel_secrets"),
    path("channels/<int:channel_id>/rotate/", channels.channel_rotate, name="channel_rotate"),
    path("channels/<int:channel_id>/delete/", channels.channel_delete, name="channel_delete"),
    path("deliveries/<uuid:notification_id>/test/", channels.test_result, name="test_result"),
    path("deliveries/<uuid:notification_id>/retry/", channels.notification_retry, name="notification_retry"),
    path("policies/", policies.policies, name="policies"),
    path("policies/new/", policies.policy_new, name="policy_new"),
    path("policies/<int:policy_id>/", policies.policy, name="policy"),
    path("policies/<int:policy_id>/delete/", policies.policy_delete, name="policy_delete"),
]
