{% autoescape off %}sam deploy --parameter-overrides NightjarKey={{ key }}
{% endautoescape %}
