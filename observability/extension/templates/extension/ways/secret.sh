{% autoescape off %}aws ssm put-parameter --region {{ region }} --name /nightjar/ingest-key \
  --type SecureString --value {{ key }}
{% endautoescape %}
