"""The catalogue of advice: registration and order. A new rule is one file here, one line in this list, one test."""

from collections.abc import Sequence

from alerts.rule import Rule
from alerts.rules.cpu_bound import CpuBound
from alerts.rules.dead_letters_expire_first import DeadLettersExpireFirst
from alerts.rules.dead_letters_waiting import DeadLettersWaiting
from alerts.rules.default_memory import DefaultMemory
from alerts.rules.default_timeout import DefaultTimeout
from alerts.rules.error_rate import ErrorRate
from alerts.rules.memory_idle import MemoryIdle
from alerts.rules.memory_nearly_full import MemoryNearlyFull
from alerts.rules.near_timeout import NearTimeout
from alerts.rules.out_of_memory_seen import OutOfMemorySeen
from alerts.rules.queue_abandoned import QueueAbandoned
from alerts.rules.queue_delay import QueueDelay
from alerts.rules.queue_growing import QueueGrowing
from alerts.rules.queue_in_flight import QueueInFlight
from alerts.rules.queue_not_worked_on import QueueNotWorkedOn
from alerts.rules.queue_unencrypted import QueueUnencrypted
from alerts.rules.queue_without_dead_letters import QueueWithoutDeadLetters
from alerts.rules.short_polling import ShortPolling
from alerts.rules.timeout_too_long import TimeoutTooLong
from alerts.rules.timeouts_seen import TimeoutsSeen
from alerts.rules.too_few_receives import TooFewReceives
from alerts.rules.visibility_timeout import VisibilityTimeout

RULES: Sequence[Rule] = (
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
)
BY_KIND = {rule.kind: rule for rule in RULES}
