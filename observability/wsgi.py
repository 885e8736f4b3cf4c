"""The WSGI entry point that granian serves: ``observability.wsgi:application``."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observability.settings")

application = get_wsgi_application()
