{% autoescape off %}NIGHTJAR_KEY={{ key }} cdk deploy
{% endautoescape %}
