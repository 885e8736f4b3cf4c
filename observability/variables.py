"""Environment variables that never crash the import of the settings.

A malformed value is noted, its default takes its place, and `manage.py check` says what is wrong.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import environ
from django.core.exceptions import ImproperlyConfigured


@dataclass(frozen=True, slots=True)
class Malformed:
    """A variable whose value cannot be used; the value itself may be a secret and is not kept."""

    name: str
    expected: str


class Variables(environ.Env):  # type: ignore[misc]  # django-environ ships no types for its base class.
    """django-environ's reader, with every malformed value collected in ``malformed``."""

    EXPECTED: ClassVar[dict[Any, str]] = {
        int: "a whole number",
        float: "a number",
        bool: "true or false",
        list: "values separated by commas",
    }
    WORDS: ClassVar[frozenset[str]] = frozenset(["true", "on", "ok", "y", "yes", "1", "false", "off", "n", "no", "0"])
    POSTGRES: ClassVar[tuple[str, ...]] = ("postgres://", "postgresql://")

    def __init__(self) -> None:
        super().__init__()
        self.malformed: list[Malformed] = []

    def get_value(self, var: str, cast: Any = None, default: Any = environ.Env.NOTSET, **options: bool) -> Any:
        """The variable as ``cast`` makes it; an empty variable counts as absent."""
        text = self.ENVIRON.get(var, "").strip()
        if not text:
            return default
        read = super().get_value
        expected = self.EXPECTED.get(cast, "another form")
        if cast is bool and text.lower() not in self.WORDS:
            return self.note(var, expected, default)
        return self.forgive(var, expected, lambda: read(var, cast, default, **options), default)

    def db_url(self, var: str = "DATABASE_URL", default: Any = environ.Env.NOTSET, engine: str | None = None) -> Any:
        """The database settings of a ``postgres://user:password@host:port/name`` URL."""
        expected = "postgres://user:password@host:port/name"
        fallback = self.db_url_config(default, engine=engine)
        text = self.get_value(var, default=default)
        if not text.startswith(self.POSTGRES):
            return self.note(var, expected, fallback)
        config = self.forgive(var, expected, lambda: self.db_url_config(text, engine=engine), fallback)
        return config if config["NAME"] else self.note(var, expected, fallback)

    def email_url(self, var: str = "EMAIL_URL", default: Any = environ.Env.NOTSET, backend: str | None = None) -> Any:
        """The mail settings of a ``smtp://user:password@host:port`` URL."""
        read = super().email_url
        return self.forgive(
            var,
            "smtp://user:password@host:port, or smtp+tls, smtp+ssl or consolemail",
            lambda: read(var, default=default, backend=backend),
            self.email_url_config(default, backend=backend),
        )

    db = db_url
    email = email_url

    def forgive(self, var: str, expected: str, read: Callable[[], Any], fallback: Any) -> Any:
        """What ``read`` returns, or ``fallback`` with a note when the value is malformed."""
        try:
            return read()
        except (ValueError, TypeError, ImproperlyConfigured):
            return self.note(var, expected, fallback)

    def note(self, var: str, expected: str, fallback: Any) -> Any:
        """Write down that ``var`` is malformed and hand back what takes its place."""
        self.malformed.append(Malformed(var, expected))
        return fallback
