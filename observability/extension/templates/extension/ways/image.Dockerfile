{% autoescape off %}# Beside what your Dockerfile has already:
COPY --from=YOUR_REGISTRY/nightjar-extension /opt/extensions/nightjar /opt/extensions/nightjar
{% endautoescape %}
