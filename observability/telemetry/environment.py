"""What the extension measures in an execution environment, by the names of its points.

What it says of the environment has the names and units of CloudWatch Lambda Insights; what it costs itself begins with
``extension_``. A point stands at the moment of its measurement and has no period of its own.
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Lambda-Insights-metrics.html
"""

from enum import StrEnum


class Metric(StrEnum):
    INVOCATIONS = "extension_invocations"
    """Sum: how many the other sums of the same moments are about."""
    HELD = "extension_held_time"
    """Sum, ms: how long the environment was kept after the runtime was done."""
    OWN_CPU = "extension_cpu_time"
    """Sum, ms."""
    OWN_MEMORY = "extension_memory"
    """Maximum, bytes."""
    OWN_INIT = "extension_init_time"
    """Average, ms: from its start until it was ready, once per environment."""
    DROPPED = "extension_dropped"
    """Sum: events that could not be sent."""
    OVERHEAD = "PostRuntimeExtensionsDuration"
    """Average, ms: of all extensions together, as Lambda reports it. A sample, as are the two that follow."""
    RESPONSE_LATENCY = "response_latency"
    RESPONSE_DURATION = "response_duration"
    CPU = "cpu_total_time"
    """Sum, ms."""
    RECEIVED = "rx_bytes"
    """Sum."""
    SENT = "tx_bytes"
    """Sum."""
    TMP = "tmp_used"
    """Maximum, bytes."""
    DESCRIPTORS = "fd_use"
    """Maximum."""
    THREADS = "threads_max"
    """Maximum."""
    MEMORY = "used_memory_max"
    """Maximum, MB: the high-water mark of everybody but the extension."""
