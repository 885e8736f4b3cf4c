"""Every setting of Nightjar. The environment is read here and nowhere else; docs/operating.md lists the variables."""

from pathlib import Path

import django_stubs_ext
import structlog
from csp.constants import NONE, SELF

from observability.variables import Variables

django_stubs_ext.monkeypatch()  # Lets generic classes such as ModelForm[Policy] be named at run time.

BASE_DIR = Path(__file__).resolve().parent.parent

env = Variables()
env.read_env(env.str("ENV_FILE", default=str(BASE_DIR / ".env")))
VAR_DIR = Path(env.str("VAR_DIR", default=str(BASE_DIR / "var"))).absolute()
# What the operator named himself; the one-command install provides only the rest.
GIVEN_VARIABLES = frozenset(name for name, value in env.ENVIRON.items() if value)
# The one-command install writes its ports and secrets here; real variables and .env win.
env.read_env(VAR_DIR / "embedded.env")
MALFORMED_VARIABLES = env.malformed
MISSING_VARIABLES = frozenset(name for name in ("DATABASE_URL", "REDIS_URL") if not env.ENVIRON.get(name))

# Process ----------------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
ENCRYPTION_KEYS = env.list("ENCRYPTION_KEYS", default=[])
PUBLIC_URL = env.str("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
SECURE = PUBLIC_URL.startswith("https://")
SIGNUP_OPEN = env.bool("SIGNUP_OPEN", default=False)
DEMO = env.bool("DEMO", default=False)
LISTEN = env.str("LISTEN", default="127.0.0.1")
PORT = env.int("PORT", default=8000)
DEMO_HTTP_PORT = env.int("DEMO_HTTP_PORT", default=8026)
DEMO_SMTP_PORT = env.int("DEMO_SMTP_PORT", default=8025)
DEMO_AWS_PORT = env.int("DEMO_AWS_PORT", default=8027)
DEMO_PASSWORD = env.str("DEMO_PASSWORD", default="nightjar-demo")

ROOT_URLCONF = "observability.urls"
WSGI_APPLICATION = "observability.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

INSTALLED_APPS = [
    "observability",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.humanize",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "csp",
    "django_htmx",
    "django_vite",
    "template_partials",
    "lucide",
    "anymail",
    "observability.ui",
    "observability.embedded",
    "observability.tenants",
    "observability.aws",
    "observability.inventory",
    "observability.telemetry",
    "observability.extension",
    "observability.dashboards",
    "ingest",
    "alerts",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
]

if DEMO:
    INSTALLED_APPS.append("demo")

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "ingest.middleware.IngestMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "observability.tenants.middleware.SessionActivityMiddleware",
    "observability.tenants.middleware.OrganizationMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "observability.ui.context.shell",
                "observability.dashboards.context.freshness",
                "observability.tenants.context.organizations",
                *(["demo.context.inbox"] if DEMO else []),
            ],
            "builtins": [
                "django.templatetags.static",
                "django_htmx.templatetags.django_htmx",
                "django_vite.templatetags.django_vite",
                "lucide.templatetags.lucide",
                "template_partials.templatetags.partials",
                "observability.ui.templatetags.ui",
            ],
        },
    },
]

# Data -------------------------------------------------------------------------------------------
DATABASES = {"default": env.db("DATABASE_URL", default="postgres://postgres@127.0.0.1:5432/nightjar")}
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
REDIS_URL = env.str("REDIS_URL", default="redis://127.0.0.1:6379/0")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

TELEMETRY_STORE = env.str("TELEMETRY_STORE", default="observability.telemetry.stores.postgres.PostgresStore")
RETENTION_RAW_DAYS = env.int("RETENTION_RAW_DAYS", default=30)
RETENTION_MINUTE_DAYS = env.int("RETENTION_MINUTE_DAYS", default=30)
RETENTION_HOUR_DAYS = env.int("RETENTION_HOUR_DAYS", default=400)
INCIDENT_QUIET_SECONDS = env.int("INCIDENT_QUIET_SECONDS", default=1_800)
INGEST_EVENTS_PER_SECOND = env.int("INGEST_EVENTS_PER_SECOND", default=50_000)

# People -----------------------------------------------------------------------------------------
AUTH_USER_MODEL = "tenants.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "observability.tenants.accounts.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_LOGIN_ON_PASSWORD_RESET = False
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_MAX_EMAIL_ADDRESSES = 5
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/h/key",
    "confirm_email": "1/3m/key,5/h/key",
}
MFA_ADAPTER = "observability.tenants.accounts.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Nightjar"
MFA_TOTP_TOLERANCE = 1  # A code may come half a minute late, as RFC 6238 advises.
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not SECURE
USERSESSIONS_TRACK_ACTIVITY = True

# Mail -------------------------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Nightjar <nightjar@localhost>")
EMAIL_TIMEOUT = 10

# AWS ---------------------------------------------------------------------------------------------
# Our own credentials come from where boto3 looks for them; these say whom customers trust and where AWS answers.
AWS_ENDPOINT_URL = env.str("AWS_ENDPOINT_URL", default="")
AWS_HOME_REGION = env.str("AWS_HOME_REGION", default="us-east-1")
AWS_PRINCIPAL = env.str("AWS_PRINCIPAL", default="")
ROLE_TEMPLATE_URL = env.str("ROLE_TEMPLATE_URL", default="")
PULLS_AT_ONCE = env.int("PULLS_AT_ONCE", default=16)

# Outbound ---------------------------------------------------------------------------------------
# "host:port" pairs that alerts may call although they are private: receivers of the demo and of tests, your own relay.
OUTBOUND_ALLOWED_HOSTS = env.list("OUTBOUND_ALLOWED_HOSTS", default=[])

# Browser ----------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
FRONTEND_DIST = BASE_DIR / "frontend" / "dist"
STATICFILES_DIRS = [FRONTEND_DIST] if FRONTEND_DIST.exists() else []
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 3600
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/assets/[^/]+-[\w-]{8}\.\w+$"  # Vite's names change with the content.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedStaticFilesStorage"},
}
FRONTEND_MANIFEST = FRONTEND_DIST / "manifest.json"
# Without a build (unit tests, a fresh checkout) pages still render, only unstyled; `manage.py check` warns about it.
DJANGO_VITE = {"default": {"dev_mode": not FRONTEND_MANIFEST.exists(), "manifest_path": FRONTEND_MANIFEST}}

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "style-src-attr": ["'unsafe-inline'"],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE
SESSION_COOKIE_AGE = 60 * 60 * 24 * 30
CSRF_COOKIE_HTTPONLY = True
CSRF_USE_SESSIONS = False
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]
SECURE_SSL_REDIRECT = SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 60 * 60 * 24 * 365 if SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE
TRUST_PROXY = env.bool("TRUST_PROXY", default=False)
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUST_PROXY else None
ALLAUTH_TRUSTED_PROXY_COUNT = 1 if TRUST_PROXY else 0
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024

# Workers ----------------------------------------------------------------------------------------
VISIBILITY_TIMEOUT = 300
CELERY_BROKER_URL = REDIS_URL
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": VISIBILITY_TIMEOUT,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_timeout": 5,
    "health_check_interval": 25,
    "global_keyprefix": "celery:",
}
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
# What talks to AWS waits in a line of its own (the puller's), so that alerts never wait behind it.
CELERY_TASK_ROUTES = {
    "observability.aws.tasks.*": {"queue": "pull"},
    "ingest.tasks.collect*": {"queue": "pull"},
    "ingest.tasks.reckon*": {"queue": "pull"},
    "ingest.tasks.notice*": {"queue": "pull"},
}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_TIME_LIMIT = 240
CELERY_TASK_SOFT_TIME_LIMIT = 200
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A task whose connection was lost is delivered again, so the first copy need not go on.
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_MAX_TASKS_PER_CHILD = 5_000
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 5
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_REDIRECT_STDOUTS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "redbeat.RedBeatScheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 1
CELERY_REDBEAT_REDIS_URL = REDIS_URL
CELERY_REDBEAT_KEY_PREFIX = "redbeat:"
CELERY_REDBEAT_REDIS_OPTIONS = {"retry_period": 60, "socket_timeout": 5}
# `make up` runs exactly one beat, so a lock that a killed one left behind must not make it wait.
CELERY_REDBEAT_LOCK_KEY = None if env.bool("BEAT_ALONE", default=False) else "redbeat:lock"
CELERY_REDBEAT_LOCK_TIMEOUT = 30
CELERY_BEAT_SCHEDULE = {
    "alerts.evaluate_due": {"task": "alerts.tasks.evaluate_due", "schedule": 1.0},
    "alerts.deliver_due": {"task": "alerts.tasks.deliver_due", "schedule": 1.0},
    "alerts.watch_due": {"task": "alerts.tasks.watch_due", "schedule": 60.0},
    "alerts.resolve_quiet": {"task": "alerts.tasks.resolve_quiet", "schedule": 30.0},
    "alerts.advise_due": {"task": "alerts.tasks.advise_due", "schedule": 120.0},
    "telemetry.maintain_partitions": {
        "task": "observability.telemetry.tasks.maintain_partitions",
        "schedule": 3600.0,
    },
    "aws.verify_pending": {"task": "observability.aws.tasks.verify_pending", "schedule": 2.0},
    "aws.recheck_due": {"task": "observability.aws.tasks.recheck_due", "schedule": 60.0},
    "ingest.reckon_coverage": {"task": "ingest.tasks.reckon_coverage", "schedule": 300.0},
    "ingest.notice_silence": {"task": "ingest.tasks.notice_silence", "schedule": 60.0},
    "ingest.collect_due": {"task": "ingest.tasks.collect_due", "schedule": 2.0},
    "ingest.forget_dead_letters": {"task": "ingest.tasks.forget_dead_letters", "schedule": 3600.0},
}

# Metrics ----------------------------------------------------------------------------------------
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")

# Logs -------------------------------------------------------------------------------------------
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO")
LOG_JSON = env.bool("LOG_JSON", default=not DEBUG)
SHARED_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "foreign_pre_chain": SHARED_PROCESSORS,
            "processors": [
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer() if LOG_JSON else structlog.dev.ConsoleRenderer(colors=False),
            ],
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "structured"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"level": "WARNING"},
        "granian.access": {"level": "WARNING"},
        # Two lines for each of two ticks a second would be all that the worker's log holds.
        "celery.worker.strategy": {"level": "WARNING"},
        "celery.app.trace": {"level": "WARNING"},
        # Every AWS call that is tried again, which is what throttling is for; where our keys were found.
        "stamina": {"level": "ERROR"},
        "botocore": {"level": "WARNING"},
    },
}
structlog.configure(
    processors=[*SHARED_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
