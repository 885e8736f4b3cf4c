# Nightjar's image: one image, one command per process (see docker-compose.yml).

FROM python:3.13-slim AS assets
WORKDIR /build
COPY requirements/assets.txt requirements/
RUN pip install --no-cache-dir --require-hashes --requirement requirements/assets.txt
COPY frontend frontend
# Tailwind keeps the classes that templates and template tags mention.
COPY observability observability
COPY alerts alerts
COPY ingest ingest
RUN python frontend/build.py

FROM python:3.13-slim AS packages
COPY requirements/prod.txt .
RUN python -m venv /opt/nightjar \
 && /opt/nightjar/bin/pip install --no-cache-dir --require-hashes --requirement prod.txt \
 && /opt/nightjar/bin/pip uninstall --yes pip

# The layers of the Lambda extension, for `manage.py publish_layer` and for download.
FROM python:3.13-slim AS extension
WORKDIR /build
COPY requirements/extension.txt requirements/
RUN pip install --no-cache-dir --require-hashes --requirement requirements/extension.txt
COPY pyproject.toml .
COPY extension extension
RUN python extension/build.py

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Nightjar" org.opencontainers.image.licenses="Apache-2.0"
ENV PATH=/opt/nightjar/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MALLOC_ARENA_MAX=2
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin nightjar
WORKDIR /app
COPY --from=packages /opt/nightjar /opt/nightjar
COPY manage.py LICENSE ./
COPY observability observability
COPY ingest ingest
COPY alerts alerts
COPY ci ci
COPY --from=assets /build/frontend/dist frontend/dist
COPY --from=extension /build/extension/dist/*.zip /build/extension/dist/SHA256SUMS /build/extension/dist/sbom.cdx.json extension/dist/
RUN python -m compileall -q /app /opt/nightjar && python manage.py collectstatic --no-input
USER 10001
EXPOSE 8000
STOPSIGNAL SIGTERM
# The host name of a public installation is not 127.0.0.1, so the probe names the first one that is allowed.
HEALTHCHECK --interval=15s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(r.Request('http://127.0.0.1:8000/healthz', headers={'Host': os.environ.get('ALLOWED_HOSTS', 'localhost').split(',')[0].lstrip('.')}), timeout=4)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "1", "--no-ws", "--blocking-threads", "4", "--backlog", "1024", "--backpressure", "64", "--workers-kill-timeout", "5", "--respawn-failed-workers", "--respawn-interval", "1", "observability.wsgi:application"]
