"""The catalogue of advice: registration and order. A new rule is one file here, one line in this list, one test."""

from collections.abc import Sequence

from alerts.rule import Rule
from alerts.rules.account_concurrency import AccountConcurrency
from alerts.rules.api_client_errors import ApiClientErrors
from alerts.rules.api_server_errors import ApiServerErrors
from alerts.rules.api_slow import ApiSlow
from alerts.rules.api_times_out import ApiTimesOut
from alerts.rules.api_uncompressed import ApiUncompressed
from alerts.rules.api_unthrottled import ApiUnthrottled
from alerts.rules.api_unused import ApiUnused
from alerts.rules.api_without_access_logs import ApiWithoutAccessLogs
from alerts.rules.api_without_tracing import ApiWithoutTracing
from alerts.rules.arm64_payback import Arm64Payback
from alerts.rules.async_events_dropped import AsyncEventsDropped
from alerts.rules.batch_of_one import BatchOfOne
from alerts.rules.canary_left_over import CanaryLeftOver
from alerts.rules.code_storage import CodeStorage
from alerts.rules.cold_start_cost import ColdStartCost
from alerts.rules.cold_starts import ColdStarts
from alerts.rules.cpu_bound import CpuBound
from alerts.rules.dead_letters_expire_first import DeadLettersExpireFirst
from alerts.rules.dead_letters_refused import DeadLettersRefused
from alerts.rules.dead_letters_waiting import DeadLettersWaiting
from alerts.rules.debug_logging import DebugLogging
from alerts.rules.default_memory import DefaultMemory
from alerts.rules.default_timeout import DefaultTimeout
from alerts.rules.deprecated_runtime import DeprecatedRuntime
from alerts.rules.environment_nearly_full import EnvironmentNearlyFull
from alerts.rules.error_rate import ErrorRate
from alerts.rules.executions_failing import ExecutionsFailing
from alerts.rules.executions_throttled import ExecutionsThrottled
from alerts.rules.executions_timed_out import ExecutionsTimedOut
from alerts.rules.extension_missing import ExtensionMissing
from alerts.rules.failure_loop import FailureLoop
from alerts.rules.function_not_ready import FunctionNotReady
from alerts.rules.function_url_any_origin import FunctionUrlAnyOrigin
from alerts.rules.function_url_public import FunctionUrlPublic
from alerts.rules.image_large import ImageLarge
from alerts.rules.iterator_age import IteratorAge
from alerts.rules.layers_full import LayersFull
from alerts.rules.log_group_orphaned import LogGroupOrphaned
from alerts.rules.logs_cost_more_than_compute import LogsCostMoreThanCompute
from alerts.rules.logs_kept_for_ever import LogsKeptForEver
from alerts.rules.memory_idle import MemoryIdle
from alerts.rules.memory_nearly_full import MemoryNearlyFull
from alerts.rules.near_timeout import NearTimeout
from alerts.rules.no_failure_destination import NoFailureDestination
from alerts.rules.out_of_memory_seen import OutOfMemorySeen
from alerts.rules.package_as_image import PackageAsImage
from alerts.rules.package_large import PackageLarge
from alerts.rules.package_waste import PackageWaste
from alerts.rules.provisioned_idle import ProvisionedIdle
from alerts.rules.queue_abandoned import QueueAbandoned
from alerts.rules.queue_delay import QueueDelay
from alerts.rules.queue_growing import QueueGrowing
from alerts.rules.queue_in_flight import QueueInFlight
from alerts.rules.queue_not_worked_on import QueueNotWorkedOn
from alerts.rules.queue_overpulls import QueueOverpulls
from alerts.rules.queue_unencrypted import QueueUnencrypted
from alerts.rules.queue_without_dead_letters import QueueWithoutDeadLetters
from alerts.rules.reserved_nearly_used import ReservedNearlyUsed
from alerts.rules.reserved_zero import ReservedZero
from alerts.rules.retry_storm import RetryStorm
from alerts.rules.role_shared import RoleShared
from alerts.rules.rule_invocations_failed import RuleInvocationsFailed
from alerts.rules.rule_switched_off import RuleSwitchedOff
from alerts.rules.rule_throttled import RuleThrottled
from alerts.rules.rule_without_dead_letters import RuleWithoutDeadLetters
from alerts.rules.runtime_shipped import RuntimeShipped
from alerts.rules.secrets_in_environment import SecretsInEnvironment
from alerts.rules.shared_dependency import SharedDependency
from alerts.rules.short_polling import ShortPolling
from alerts.rules.single_subnet import SingleSubnet
from alerts.rules.snap_start_payback import SnapStartPayback
from alerts.rules.stale_layer import StaleLayer
from alerts.rules.state_machine_could_be_express import StateMachineCouldBeExpress
from alerts.rules.state_machine_without_logs import StateMachineWithoutLogs
from alerts.rules.state_machine_without_tracing import StateMachineWithoutTracing
from alerts.rules.stream_behind import StreamBehind
from alerts.rules.stream_records_expire import StreamRecordsExpire
from alerts.rules.stream_shards_idle import StreamShardsIdle
from alerts.rules.stream_throttled import StreamThrottled
from alerts.rules.stream_unencrypted import StreamUnencrypted
from alerts.rules.stream_unused import StreamUnused
from alerts.rules.stream_without_destination import StreamWithoutDestination
from alerts.rules.subscription_without_dead_letters import SubscriptionWithoutDeadLetters
from alerts.rules.table_capacity_idle import TableCapacityIdle
from alerts.rules.table_system_errors import TableSystemErrors
from alerts.rules.table_throttled import TableThrottled
from alerts.rules.table_unprotected import TableUnprotected
from alerts.rules.table_unused import TableUnused
from alerts.rules.table_without_recovery import TableWithoutRecovery
from alerts.rules.throttled import Throttled
from alerts.rules.timeout_too_long import TimeoutTooLong
from alerts.rules.timeouts_seen import TimeoutsSeen
from alerts.rules.tmp_idle import TmpIdle
from alerts.rules.tmp_nearly_full import TmpNearlyFull
from alerts.rules.too_few_receives import TooFewReceives
from alerts.rules.topic_deliveries_failed import TopicDeliveriesFailed
from alerts.rules.topic_public import TopicPublic
from alerts.rules.topic_unencrypted import TopicUnencrypted
from alerts.rules.topic_unheard import TopicUnheard
from alerts.rules.tracing_missing import TracingMissing
from alerts.rules.trigger_off import TriggerOff
from alerts.rules.unused_function import UnusedFunction
from alerts.rules.visibility_timeout import VisibilityTimeout

RULES: Sequence[Rule] = (
    BatchOfOne(),
    PackageLarge(),
    PackageAsImage(),
    PackageWaste(),
    RuntimeShipped(),
    SharedDependency(),
    LayersFull(),
    ImageLarge(),
    ExtensionMissing(),
    DeprecatedRuntime(),
    UnusedFunction(),
    StaleLayer(),
    CanaryLeftOver(),
    FunctionNotReady(),
    CodeStorage(),
    TriggerOff(),
    TmpNearlyFull(),
    TmpIdle(),
    TracingMissing(),
    DebugLogging(),
    EnvironmentNearlyFull(),
    SingleSubnet(),
    QueueOverpulls(),
    IteratorAge(),
    NoFailureDestination(),
    StreamWithoutDestination(),
    AsyncEventsDropped(),
    DeadLettersRefused(),
    FailureLoop(),
    RetryStorm(),
    ColdStarts(),
    ColdStartCost(),
    SnapStartPayback(),
    Arm64Payback(),
    ProvisionedIdle(),
    Throttled(),
    ReservedZero(),
    ReservedNearlyUsed(),
    AccountConcurrency(),
    ErrorRate(),
    NearTimeout(),
    TimeoutsSeen(),
    DefaultTimeout(),
    TimeoutTooLong(),
    VisibilityTimeout(),
    MemoryNearlyFull(),
    OutOfMemorySeen(),
    MemoryIdle(),
    DefaultMemory(),
    CpuBound(),
    QueueAbandoned(),
    QueueGrowing(),
    QueueDelay(),
    QueueNotWorkedOn(),
    QueueWithoutDeadLetters(),
    DeadLettersWaiting(),
    DeadLettersExpireFirst(),
    TooFewReceives(),
    QueueUnencrypted(),
    ShortPolling(),
    QueueInFlight(),
    TableThrottled(),
    TableCapacityIdle(),
    TableUnused(),
    TableWithoutRecovery(),
    TableUnprotected(),
    TableSystemErrors(),
    ApiSlow(),
    ApiServerErrors(),
    ApiClientErrors(),
    ApiTimesOut(),
    ApiUncompressed(),
    ApiWithoutAccessLogs(),
    ApiWithoutTracing(),
    ApiUnthrottled(),
    ApiUnused(),
    StreamThrottled(),
    StreamRecordsExpire(),
    StreamBehind(),
    StreamUnencrypted(),
    StreamShardsIdle(),
    StreamUnused(),
    TopicDeliveriesFailed(),
    SubscriptionWithoutDeadLetters(),
    TopicUnencrypted(),
    TopicPublic(),
    TopicUnheard(),
    ExecutionsFailing(),
    ExecutionsTimedOut(),
    ExecutionsThrottled(),
    StateMachineWithoutLogs(),
    StateMachineWithoutTracing(),
    StateMachineCouldBeExpress(),
    RuleInvocationsFailed(),
    RuleWithoutDeadLetters(),
    RuleSwitchedOff(),
    RuleThrottled(),
    LogsKeptForEver(),
    LogsCostMoreThanCompute(),
    LogGroupOrphaned(),
    FunctionUrlPublic(),
    FunctionUrlAnyOrigin(),
    SecretsInEnvironment(),
    RoleShared(),
)
BY_KIND = {rule.kind: rule for rule in RULES}
