"""The shelf of collectors: what is pulled from AWS accounts. See docs/howto/add-a-collector.md."""

from ingest.collector import Collector
from ingest.collectors.lambda_functions import LambdaFunctions
from ingest.collectors.lambda_metrics import LambdaMetrics

COLLECTORS: tuple[Collector, ...] = (LambdaFunctions(), LambdaMetrics())
BY_KIND = {collector.kind: collector for collector in COLLECTORS}
