{% autoescape off %}configuration=$(aws lambda get-function-configuration --region {{ region }} --function-name {{ function }} \
  --output json --query '{
  FunctionName: FunctionName,
  Environment: {Variables: merge(Environment.Variables || `{}`, `{
    "NIGHTJAR_ENDPOINT": "{{ endpoint }}",
    "NIGHTJAR_KEY": "{{ key }}"
  }`)}
}') && aws lambda update-function-configuration --region {{ region }} \
  --cli-input-json "$configuration" --query LastUpdateStatus
{% endautoescape %}
