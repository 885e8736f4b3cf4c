"""Whether this process lives (``/healthz``) and whether the product can do its work (``/readyz``)."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.urls import path
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from observability.telemetry import partitions

DAYS_AHEAD = 7
TIMEOUT_S = 1.0
OK = "ok"


@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers; it asks nobody else."""
    return JsonResponse({"status": OK})


@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Everything needed is there: 200, else 503. Says which check failed, in words that give nothing away."""
    checks = {name: check() for name, check in CHECKS.items()}
    ready = all(answer == OK for answer in checks.values())
    return JsonResponse({"status": OK if ready else "not ready", "checks": checks}, status=200 if ready else 503)


def database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, InterfaceError):
        connection.close()
        return "unreachable"
    return OK


def migrations() -> str:
    try:
        return OK if migrated() else "pending"
    except (DatabaseError, InterfaceError):
        return "unknown"


def partitions_ahead() -> str:
    try:
        ahead = partitions.days_ahead(now=timezone.now())
    except (DatabaseError, InterfaceError):
        return "unknown"
    return OK if ahead >= DAYS_AHEAD else f"only {ahead} days ahead"


def redis() -> str:
    """Redis answers, and will refuse rather than evict what is buffered in it."""
    try:
        policy = client().info("memory")["maxmemory_policy"]
    except RedisError:
        return "unreachable"
    return OK if policy == "noeviction" else f"maxmemory-policy is {policy}, must be noeviction"


@cache
def client() -> "Redis":
    return Redis.from_url(
        settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=Retry(NoBackoff(), 0)
    )


def migrated() -> bool:
    """Whether every migration is applied. Once they are, this process believes it."""
    if not _migrated:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return False
        _migrated.append(True)
    return True


_migrated: list[bool] = []

CHECKS: dict[str, Callable[[], str]] = {
    "database": database,
    "migrations": migrations,
    "partitions": partitions_ahead,
    "redis": redis,
}

urlpatterns = [path("healthz", healthz, name="healthz"), path("readyz", readyz, name="readyz")]
