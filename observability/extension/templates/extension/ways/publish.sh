{% autoescape off %}aws lambda publish-layer-version --region {{ region }} --layer-name nightjar-extension-{{ architecture }} \
  --compatible-architectures {{ architecture }} --license-info Apache-2.0 \
  --zip-file fileb://nightjar-extension-{{ architecture }}.zip --query LayerVersionArn --output text
{% endautoescape %}
