"""How fast we may call: one budget per account, region and family of calls, shared by every process through Redis.

The rates stay below AWS's own quotas, because the customer's tools draw on the same. When AWS throttles us all the
same, the budget shrinks at once and grows back little by little.
"""

import time
from dataclasses import dataclass
from functools import cache
from typing import cast

from django.conf import settings
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.commands.core import Script
from redis.exceptions import RedisError
from redis.retry import Retry

from observability.aws.problems import AwsError, Trouble

TIMEOUT_S = 2
IDLE_S = 120
"""A budget that nobody used for so long is forgotten, and whole again."""

SHRINK = 0.7
GROWTH_PER_S = 0.05
SMALLEST = 0.1
REACTION_S = 1
"""One cut in so long: the calls that were under way when the first was throttled would only say the same again."""


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` calls may be made at once; ``per_second`` plus ``burst`` stays within what AWS allows in a second."""

    per_second: float
    burst: int = 1
    title: str = ""
    """What people call this family of calls."""


RATES = {
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html
    "FilterLogEvents": Rate(3.8, title="Reading logs"),
    "GetLogEvents": Rate(8, title="Reading log streams"),
    "log_descriptions": Rate(7, 3, title="Listing log groups"),
    "logs": Rate(4, title="Other log calls"),
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html
    "GetMetricData": Rate(36, 4, title="CloudWatch metrics"),
    "ListMetrics": Rate(18, 5, title="Listing metrics"),
    "cloudwatch": Rate(5, title="Other CloudWatch calls"),
    # https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
    "lambda_reads": Rate(10, 3, title="Lambda reads"),
    "GetFunction": Rate(40, 10, title="Lambda packages"),
    "sts": Rate(50, 20, title="Taking the role"),
    "sqs": Rate(20, 5, title="SQS queues"),
    "dynamodb": Rate(8, title="DynamoDB tables"),
    "apigateway": Rate(8, title="API Gateway"),
    "states": Rate(4, title="Step Functions"),
    "kinesis": Rate(4, title="Kinesis streams"),
    "sns": Rate(20, 5, title="SNS topics"),
    "events": Rate(10, 3, title="EventBridge rules"),
    "scheduler": Rate(10, 3, title="EventBridge schedules"),
    "tagging": Rate(5, title="Tags"),
    "ecr": Rate(8, title="Container images"),
    "other": Rate(4, title="Other calls"),
}

OPERATIONS = {
    ("logs", "filter_log_events"): "FilterLogEvents",
    ("logs", "get_log_events"): "GetLogEvents",
    ("logs", "describe_log_groups"): "log_descriptions",
    ("logs", "describe_log_streams"): "log_descriptions",
    ("cloudwatch", "get_metric_data"): "GetMetricData",
    ("cloudwatch", "list_metrics"): "ListMetrics",
    ("lambda", "get_function"): "GetFunction",
}
SERVICES = {
    "lambda": "lambda_reads",
    "apigatewayv2": "apigateway",
    "stepfunctions": "states",
    "resourcegroupstaggingapi": "tagging",
}

# GCRA on Redis's own clock. A slot is given away when it is asked for, also one that comes a little later: first come,
# first served. The answer is how many µs to wait for it, or minus the wait when that is longer than the patience.
TAKE = """
local rate, burst, patience = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local growth, idle = tonumber(ARGV[4]), tonumber(ARGV[5])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local held = redis.call('HMGET', KEYS[1], 'due', 'share', 'cut_at')
local share = 1
if held[2] then share = math.min(1, tonumber(held[2]) + (now - tonumber(held[3])) / 1000000 * growth) end
local step = 1000000 / (rate * share)
local due = math.max(tonumber(held[1] or 0), now - (burst - 1) * step)
local wait = math.max(0, due - now)
if wait > patience then return -math.ceil(wait) end
redis.call('HSET', KEYS[1], 'due', string.format('%.0f', due + step))
redis.call('EXPIRE', KEYS[1], idle + math.ceil(wait / 1000000))
return math.ceil(wait)
"""

CUT = """
local shrink, growth, smallest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local reaction, idle = tonumber(ARGV[4]), tonumber(ARGV[5])
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local held = redis.call('HMGET', KEYS[1], 'share', 'cut_at')
local share = 1
if held[1] then
  local since = (now - tonumber(held[2])) / 1000000
  if since < reaction then return 0 end
  share = math.min(1, tonumber(held[1]) + since * growth)
end
redis.call('HSET', KEYS[1], 'share', math.max(smallest, share * shrink), 'cut_at', string.format('%.0f', now))
redis.call('EXPIRE', KEYS[1], idle)
return 1
"""


class SpentError(AwsError):
    """Our own budget says no, without AWS having been asked: trying again at once cannot help."""


def family(service: str, operation: str) -> str:
    """Which calls share a budget with this one."""
    name = OPERATIONS.get((service, operation)) or SERVICES.get(service, service)
    return name if name in RATES else "other"


def title(family: str) -> str:
    """What people call a family; one that an earlier version counted by its own name."""
    rate = RATES.get(family)
    return rate.title if rate and rate.title else family


def take(*, account: str, region: str, family: str, patience_s: float) -> None:
    """Wait for this call's turn. Raises ``SpentError`` at once when that would take longer than ``patience_s``."""
    rate = RATES[family]
    arguments = (rate.per_second, rate.burst, int(patience_s * 1_000_000), GROWTH_PER_S, IDLE_S)
    try:
        wait_us = int(cast("int", _script(TAKE)(keys=[_key(account, region, family)], args=arguments)))
    except RedisError:
        raise SpentError(Trouble.THROTTLED, family, "Our budget of calls cannot be read right now.") from None
    if wait_us < 0:
        raise SpentError(Trouble.THROTTLED, family, f"Our budget of calls is used up for {-wait_us / 1e6:.1f} s.")
    if wait_us:
        time.sleep(wait_us / 1_000_000)


def slow_down(*, account: str, region: str, family: str) -> None:
    """AWS throttled a call: let everybody who shares the budget make fewer for a while."""
    arguments = (SHRINK, GROWTH_PER_S, SMALLEST, REACTION_S, IDLE_S)
    try:
        _script(CUT)(keys=[_key(account, region, family)], args=arguments)
    except RedisError:
        return  # Without Redis nobody calls at all.


@cache
def connection() -> "Redis":
    """This process's connection for budgets and counters; it fails fast."""
    retry = Retry(ConstantBackoff(0.05), 1)
    return Redis.from_url(settings.REDIS_URL, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, retry=retry)


@cache
def _script(source: str) -> Script:
    return connection().register_script(source)


def _key(account: str, region: str, family: str) -> str:
    return f"aws:budget:{account}:{region}:{family}"
