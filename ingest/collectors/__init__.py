"""The shelf of collectors: what is pulled from AWS accounts. See docs/howto/add-a-collector.md."""

from ingest.collector import Collector

COLLECTORS: tuple[Collector, ...] = ()
BY_KIND = {collector.kind: collector for collector in COLLECTORS}
