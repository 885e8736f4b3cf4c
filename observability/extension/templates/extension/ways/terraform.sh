{% autoescape off %}TF_VAR_nightjar_key={{ key }} terraform apply
{% endautoescape %}
