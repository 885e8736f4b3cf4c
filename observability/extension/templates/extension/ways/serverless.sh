{% autoescape off %}NIGHTJAR_KEY={{ key }} serverless deploy
{% endautoescape %}
