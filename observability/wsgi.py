"""The WSGI entry point that granian serves: ``observability.wsgi:application``."""

import gc
import os
from importlib import import_module

from django.conf import settings
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "observability.settings")

application = get_wsgi_application()

# What is loaded by now stays for ever. A full garbage collection would look through it again and again, and hold up
# whichever request it falls into by some seventy milliseconds.
import_module(settings.ROOT_URLCONF)
gc.collect()
gc.freeze()
