"""The shelf of collectors: what is pulled from AWS accounts. See docs/howto/add-a-collector.md."""

from ingest.collector import Collector
from ingest.collectors.event_sources import EventSources
from ingest.collectors.gateways import Gateways
from ingest.collectors.lambda_functions import LambdaFunctions
from ingest.collectors.lambda_logs import LambdaLogs
from ingest.collectors.lambda_metrics import LambdaMetrics
from ingest.collectors.log_groups import LogGroups
from ingest.collectors.package_sizes import PackageSizes
from ingest.collectors.queues import Queues
from ingest.collectors.resource_metrics import ResourceMetrics
from ingest.collectors.state_machines import StateMachines
from ingest.collectors.streams import Streams
from ingest.collectors.tables import Tables
from ingest.collectors.topics import Topics

COLLECTORS: tuple[Collector, ...] = (
    LambdaFunctions(),
    LambdaMetrics(),
    LambdaLogs(),
    EventSources(),
    Queues(),
    Tables(),
    Gateways(),
    StateMachines(),
    Streams(),
    Topics(),
    LogGroups(),
    ResourceMetrics(),
    PackageSizes(),
)
BY_KIND = {collector.kind: collector for collector in COLLECTORS}
