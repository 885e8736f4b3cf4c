"""Where a process that reads logs begins: Django has to be set up before the models are imported."""

from importlib import import_module
from multiprocessing.connection import Connection

import django


def read(pipe: Connection, url: str, account_pk: int) -> None:
    django.setup()
    import_module("bench.log_reader").read(pipe, url, account_pk)
