"""The simulated accounts as they live: first the hours that just passed, then every two seconds what happened since."""

from datetime import datetime

from moto.cloudwatch.models import cloudwatch_backends
from moto.logs.models import logs_backends

from demo.aws import deployments, logs, metrics, surroundings, traffic
from demo.aws.server import SimulatedAws
from demo.aws.traffic import HOUR, LAG
from demo.catalogue import CATALOGUE, FLEET, SHOP

PLACES = {(function.account, function.region) for function in (*CATALOGUE, *FLEET)}
HISTORY, KEPT = HOUR, 6 * HOUR
TICK_S = 2.0


class Life:
    """Tells CloudWatch what the simulated functions do. ``told_until`` is when an earlier run stopped telling."""

    def __init__(self, aws: SimulatedAws, *, anchor: datetime, told_until: datetime, now: datetime) -> None:
        self.aws, self.anchor = aws, anchor
        since = max(min(told_until, now - HISTORY), now - KEPT)
        self.told_until = self.counted_until = since.replace(minute=0, second=0, microsecond=0)
        self.forgot_at = now
        self.released = 0

    def go_on(self, now: datetime) -> None:
        """Everything that happened up to ``now``, and nothing twice."""
        if (release := deployments.release_of(now)) != self.released:
            if not self.released:
                deployments.catch_up(self.aws, release)
            deployments.deploy(self.aws, release)
            self.released = release
        self.write(now)
        self.count((now - LAG).replace(second=0, microsecond=0))
        if now - self.forgot_at >= HOUR / 6:
            self.forget(now)

    def write(self, until: datetime) -> None:
        """The log lines."""
        found = traffic.log_events(self.told_until, until, self.anchor)
        for stream, told in found.items():
            with self.aws.proxy.turn:
                backend = logs_backends[stream.account][stream.region]
                if stream.name not in backend.groups[stream.group].streams:
                    backend.create_log_stream(stream.group, stream.name)
                backend.put_log_events(stream.group, stream.name, told)
        self.told_until = until

    def count(self, until: datetime) -> None:
        """The figures of whole minutes."""
        if until <= self.counted_until:
            return
        for (account, region), data in traffic.figures(self.counted_until, until, self.anchor).items():
            with self.aws.proxy.turn:
                cloudwatch_backends[account][region].put_metric_data("AWS/Lambda", data)
        for (region, namespace), data in surroundings.figures(self.counted_until, until, self.anchor).items():
            with self.aws.proxy.turn:
                cloudwatch_backends[SHOP][region].put_metric_data(namespace, data)
        self.counted_until = until

    def forget(self, now: datetime) -> None:
        """Drop what is too old to be asked for; the simulation runs for days."""
        before = now - KEPT - HOUR
        with self.aws.proxy.turn:
            for account, region in PLACES:
                for group in logs_backends[account][region].groups.values():
                    logs.forget(group, int(before.timestamp() * 1000))
                metrics.forget(cloudwatch_backends[account][region], before)
        self.forgot_at = now
